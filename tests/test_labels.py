import ast
import json
import re
import string
from datetime import date
from pathlib import Path

import pytest
import yaml
from fontTools.ttLib import TTFont

import salesanalytics
from salesanalytics import labels
from salesanalytics.book.validate import deal_rules, history_rules
from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.errors.chinese import rule_in_chinese
from salesanalytics.errors.of_rules import TEXTS as RULES
from salesanalytics.forecast.result import COMPONENTS
from salesanalytics.labels import band, decimals, label, number, percent, short, signed
from salesanalytics.process import read_process
from salesanalytics.report import faults

PACKAGE = Path(salesanalytics.__file__).parent
TEXTS = labels._TEXTS
CHINESE = re.compile(r"[\u2e80-\u9fff]")


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def literals(path):
    """All texts that a file writes, f-strings as patterns."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(re.escape(v.value) if isinstance(v, ast.Constant) else r"\w+" for v in node.values)


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_it_with_the_same_placeholders(key):
    english, chinese = TEXTS[key]
    assert english
    assert chinese
    assert fields(english) == fields(chinese)
    assert not CHINESE.search(english)


def test_a_key_stands_in_one_file_only():
    rooms = (
        labels.commands, labels.control, labels.general, labels.knowledge, labels.models, labels.preparation,
        labels.quarter, labels.reps, labels.review,
    )  # fmt: skip
    assert sum(len(room.TEXTS) for room in rooms) == len(TEXTS)


def test_no_key_is_unused():
    files = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "labels"]
    patterns = {text for path in files for text in literals(path) if text != r"\w+"}
    compiled = [re.compile(pattern) for pattern in patterns]
    unused = {key for key in TEXTS if not any(pattern.fullmatch(key) for pattern in compiled)}
    assert not unused


def test_components_have_a_name():
    assert set(COMPONENTS) <= set(TEXTS)


def test_the_bundled_font_has_every_chinese_character():
    font = TTFont(PACKAGE / "plots" / "fonts" / "NotoSansCJKsc-Subset.otf").getBestCmap()
    said = "".join([*(chinese for _, chinese in TEXTS.values()), *RULES.values()])
    assert not {c for c in said if ord(c) > 0x2E7F and ord(c) not in font}


@pytest.mark.parametrize("text", [*(zh for _, zh in TEXTS.values()), *RULES.values()])
def test_chinese_has_chinese_punctuation(text):
    assert not re.search(r"[,:;?()]", text.replace("{", "").replace("}", ""))


def chinese_of(part):
    """All Chinese texts of a process file but its notes, which hold formulas."""
    if isinstance(part, list):
        return [text for one in part for text in chinese_of(one)]
    if not isinstance(part, dict):
        return []
    said = part.get("zh", [])
    return [
        *([said] if isinstance(said, str) else said),
        *(t for k in part if k != "notes" for t in chinese_of(part[k])),
    ]


def test_the_chinese_of_the_built_in_process_has_chinese_punctuation():
    texts = chinese_of(yaml.safe_load((PACKAGE / "process" / "project_sales_8.yaml").read_text("utf-8")))
    assert len(texts) > 200
    assert not [text for text in texts if re.search(r"[,:;?()]", text)]


def test_chinese_in_the_readme_has_chinese_punctuation():
    text = (PACKAGE.parent / "README.zh.md").read_text("utf-8")
    assert not re.search(r"[\u4e00-\u9fff][,;:?!]", text)


def test_what_is_bold_in_the_notebooks_is_drawn_bold():
    """Asterisks after Chinese punctuation close nothing where no space follows."""
    said = [cell["source"] for path in sorted((PACKAGE.parent / "notebooks").glob("*.ipynb"))
            for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "markdown"]  # fmt: skip
    parts = ["".join(source).split("**") for source in said]
    assert sum(len(part) > 1 for part in parts) > 10
    ends = [bold + after[:1] for part in parts for bold, after in zip(part[1::2], part[2::2], strict=True)]
    assert not [end for end in ends if re.search(r"[。？！：，；）]\w$", end)]


def test_every_rule_of_the_contract_has_a_chinese_wording():
    process, day = read_process(), date(1950, 1, 1)
    rules = deal_rules(earliest_on=day, extracted_day=20000)
    rules += history_rules(process, earliest_on=day, extracted_day=20000)
    spoken = {rule_in_chinese(name) for name, _, _ in rules}
    assert all(CHINESE.search(text) for text in spoken)
    assert rule_in_chinese("unknown buyer stage") == "未知的买方阶段"
    assert rule_in_chinese("amount is the current one") == "金额为导出时的值"


def test_texts_of_the_audit_have_a_chinese_wording():
    source = (PACKAGE / "book" / "audit.py").read_text(encoding="utf-8")
    texts = [*re.findall(r'note\("\w+", "([^"]+)", .*, "([^"]+)"\)', source), ("no recorded_at", "")]
    assert len(texts) > 4
    assert all(CHINESE.search(rule_in_chinese(text)) for pair in texts for text in pair if text)


def test_said_leaves_english_and_unknown_texts_alone():
    assert faults.said("deal_id missing", "en") == "deal_id missing"
    assert rule_in_chinese("{0.__class__}") == "{0.__class__}"
    assert rule_in_chinese("unknown {0.__class__}") == "未知的{0.__class__}"


def test_label_refuses_what_it_does_not_know():
    with pytest.raises(SalesAnalyticsError, match="lang must be one of en, zh"):
        label("total", "fr")
    with pytest.raises(SalesAnalyticsError, match="No label 'nothing_like_it'"):
        label("nothing_like_it")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0, 0, "0 %"), (1, 0, "100 %"), (0.004, 0, "<1 %"), (0.996, 0, ">99 %"), (0.9996, 1, ">99.9 %"),
     (0.005, 0, "<1 %"), (0.995, 0, ">99 %"), (12.3, 0, "1,230 %"),
     (0.0004, 1, "<0.1 %"), (0.034, 1, "3.4 %"), (-0.001, 0, "0 %"), (-0.034, 0, "-3 %"),
     (float("nan"), 0, "–"), (None, 0, "–")],
)  # fmt: skip
def test_percent_says_0_and_100_only_of_what_is_certain(value, digits, text):
    assert percent(value, digits) == text


def test_numbers_have_as_many_decimals_as_their_size_asks_for():
    assert [decimals(v) for v in (2500, 999.5, 1, 0.9, 0)] == [0, 1, 1, 2, 2]
    assert [short(v) for v in (2500.7, 84.53, 84.0, 0.126, float("nan"))] == ["2,501", "84.5", "84", "0.13", "–"]
    assert number(0.0, 2) == "0"
    assert [number(-0.2), number(-0.04, 1), number(-0.6)] == ["0", "0.0", "-1"]
    assert [signed(v, 1) for v in (1234.5, -0.25, 0.01, float("nan"))] == ["+1,234.5", "−0.2", "0", "–"]
    assert [band(0, 0), band(72, 115), band(1.25, 22.3), band(float("nan"), float("nan"))] == [
        "0", "72 – 115", "1.2 – 22.3", "–",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("alert_F02", {"due": "2026-09-29", "days": "1"}, "The signing was expected on 2026-09-29, 1 day ago."),
        ("alert_F02", {"due": "2026-09-19", "days": "11"}, "The signing was expected on 2026-09-19, 11 days ago."),
        ("scrub_no_owner", {"days": 1}, "No owner, known for 1 day."),
        ("scorecard_handed_over", {"n": 1}, "Deals that changed owner before their outcome: 1. They are left out."),
    ],
)
def test_one_is_not_counted_in_the_plural(key, values, text):
    assert label(key, **values) == text
    assert "day" not in label(key, "zh", **values)
