"""Errors speak English and Chinese: every message in the code, and every one that a test provokes (see conftest)."""

import ast
import pickle
import re
from pathlib import Path

import pytest

import salesanalytics
from salesanalytics.errors import AsOfError, SalesAnalyticsError
from salesanalytics.errors.chinese import in_chinese, rule_in_chinese
from salesanalytics.errors.of_books import TEXTS as BOOKS
from salesanalytics.errors.of_questions import TEXTS as QUESTIONS

RAISED = {"SchemaError", "AsOfError", "ProcessError", "InsufficientDataError", "SalesAnalyticsError",
          "ArgumentTypeError"}  # fmt: skip
TEXTS = BOOKS | QUESTIONS


def spelled(node):
    """The text of an argument with {} for what is filled in; None where it is put together elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return None


def raised():
    for path in sorted(Path(salesanalytics.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED and node.args:
                text = spelled(node.args[0])
                if text not in (None, "{}, got {}"):  # the rules of options: tested with them
                    yield f"{path.name}:{node.lineno}", text


def test_the_search_finds_the_messages_of_the_code():
    assert len(list(raised())) > 110
    assert spelled(ast.parse('f"{a} must be {b!r}."').body[0].value) == "{} must be {}."
    assert spelled(ast.parse("text").body[0].value) is None


@pytest.mark.parametrize(("where", "text"), [pytest.param(*found, id=found[0]) for found in raised()])
def test_every_message_has_a_chinese_form(where, text):
    filled = text.replace("{}", "7")
    assert in_chinese(filled) != filled, f"{where}: {text}"


@pytest.mark.parametrize("form", TEXTS)
def test_both_forms_fill_in_the_same_and_the_chinese_one_reads_so(form):
    names = re.findall(r"\{(\w+)\}", form)
    assert len(set(names)) == len(names)
    assert set(re.findall(r"\{(\w+)\}", TEXTS[form])) <= set(names)
    assert len(set(names) - set(re.findall(r"\{(\w+)\}", TEXTS[form]))) <= ("again" in names)
    assert re.search(r"[\u4e00-\u9fff]", TEXTS[form])
    assert not re.search(r"[\u4e00-\u9fff][,.;:!?]", TEXTS[form]), "Chinese sentences take Chinese marks"


def test_what_the_user_wrote_stays_and_what_is_ours_is_said_in_chinese():
    assert in_chinese("by must be one of rep_id, team, got 'a list'.") == (
        "by 必须是以下之一：rep_id, team，得到的是 'a list'。"
    )
    assert in_chinese("column missing: text") == "缺少列：text"
    assert in_chinese("book.yaml: decimal must be one of '.', ',', got 'x'") == (
        "book.yaml：decimal 必须是以下之一：'.', ','，得到的是 'x'"
    )
    assert in_chinese("my own words: 3") == "my own words: 3"


def test_a_list_of_faults_is_said_line_by_line():
    text = (
        "history: 3 of 9 rows break the contract (33%, limit 10%)\n"
        "- history.changed_at: changed_at unreadable, rows: 3 (row 4, 5, 6); deals A, B; values 'x'\n"
        "Mend the source, map it in book.yaml, or raise limit_set_aside there if this share is meant."
    )
    lines = in_chinese(text).split("\n")
    assert lines[0] == "history：9 行中有 3 行不符合数据约定（33%，上限 10%）"
    assert lines[1] == "- history.changed_at：changed_at 无法读取，3 行（第 4, 5, 6 行）；项目 A, B；取值 'x'"
    assert lines[2].startswith("请修正数据来源")
    faults = (
        "book.yaml has faults:\n- book.yaml: unknown setting 'a'; known are b, c\n"
        "- book.yaml: rates must be a list, got 1"
    )
    assert in_chinese(faults) == (
        "book.yaml 有错误：\n- book.yaml：未知的设置 'a'；可用的有 b, c\n- book.yaml：rates 必须是列表，得到的是 1"
    )


def test_two_tables_that_lack_columns_are_two_sentences():
    one = (
        "{0}: required column missing: deal_id. Columns found: a. "
        "Name the right ones under tables.{0}.columns in book.yaml."
    )
    text = in_chinese(one.format("deals") + "\n" + one.format("history"))
    assert text.count("缺少必需的列：deal_id") == 2


def test_rules_and_notes():
    assert rule_in_chinese("created_at unreadable") == "created_at 无法读取"
    assert rule_in_chinese("my own rule") == "my own rule"
    assert rule_in_chinese("duplicate rep") == "销售重复"
    line = "- history.changed_at: scheduled, not an event, rows: 12 (row 1); deals A, 3 rows; values 'x'"
    assert in_chinese(line).startswith("- history.changed_at：计划日期，并非已发生，12 行（第 1 行）；项目 A")


def test_phrases_of_ours_within_a_message():
    assert in_chinese("the file must be a mapping, got [1].") == "整个文件必须是映射，得到的是 [1]。"
    two = "history (wide_dates): column missing: a; `dates` names no column. Columns found: b. States: c. Mend "
    assert in_chinese(two + "tables.history in book.yaml.").startswith(
        "history（wide_dates）：缺少列：a；`dates` 没有写任何列。现有列：b"
    )
    assert in_chinese("{x} must be a list, got {y: 1}.") == "{x} 必须是列表，得到的是 {y: 1}。"
    broken = "book.yaml must be valid YAML, which ends in line 2 (found a tab); look there for tabs, indentation, "
    chinese = in_chinese(broken + "colons, quotes, brackets.")
    assert "第 2 行" in chinese
    assert "found" not in chinese


def test_the_traceback_says_both():
    error = AsOfError("as_of names no date.")
    assert (str(error), error.__notes__) == ("as_of names no date.", ["as_of 没有给出日期。"])
    again = pickle.loads(pickle.dumps(error))  # what comes back from another process
    assert (type(again), str(again)) == (AsOfError, str(error))
    assert isinstance(again, SalesAnalyticsError)
