import csv
import json
import os
import re
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from salesanalytics.book import read_book
from salesanalytics.cli import main
from salesanalytics.cli.options import an_amount
from salesanalytics.cli.parser import parser
from salesanalytics.labels import label
from salesanalytics.simulate.sample import N_DEALS, SEED

AS_OF, QUARTER = "2026-03-31", "2026Q2"
BAD_NAMES = ("<script>alert(1)</script>", "=cmd|'/c calc'!A1", "\x1b[31mred\u202e")


def write_book(folder, n=90):
    """A folder with deals that are created, advance and end, drawn with a seed; some rows break the contract."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    first = np.datetime64("2024-06-01")
    deals, history = [], []
    for i in range(n):
        start = int(rng.integers(0, 660))
        deals.append(
            [f"D{i:03}", first + start, f"Site {i}" if i >= len(BAD_NAMES) else BAD_NAMES[i], f"R{i % 3}", 10 + i]
        )
        moves = ["S1", "S2", "S3", rng.choice(["won", "lost"])]
        for day, value in zip(start + np.cumsum([0, *rng.integers(5, 70, 3)]), moves, strict=True):
            history.append([f"D{i:03}", first + int(day), "stage", value])
    history.append(["D000", "2025-01-01", "stage", "nowhere"])
    for name, head, rows in (
        ("deals", "deal_id,created_at,name,rep_id,amount", deals),
        ("history", "deal_id,changed_at,field,value", [row for row in history if str(row[1]) <= AS_OF]),
    ):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head.split(","), *rows])
    (folder / "book.yaml").write_text(f"extracted_on: {AS_OF}\ncurrency: CNY\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return write_book(tmp_path_factory.mktemp("cli") / "book")


def commands(book):
    return {
        "check": ["check", str(book)],
        "rates": ["rates", str(book), "--as-of", AS_OF],
        "score": ["score", str(book), "--as-of", AS_OF, "--until", "2026-06-30"],
        "forecast": [
            "forecast",
            str(book),
            "--as-of",
            AS_OF,
            "--quarter",
            QUARTER,
            "--draws",
            "500",
            "--target",
            "300",
        ],
        "backtest": ["backtest", str(book), "--as-of", AS_OF, "--quarters", "1"],
        "change": ["change", str(book), "--before", "2026-02-28", "--as-of", AS_OF, "--quarter", QUARTER],
        "alerts": ["alerts", str(book), "--as-of", AS_OF, "--top", "5"],
        "scrub": ["scrub", str(book), "--as-of", AS_OF, "--quarter", QUARTER],
        "tasks": ["tasks", str(book), "--as-of", AS_OF, "--top", "5"],
        "reps": ["reps", str(book), "--as-of", AS_OF],
    }


def status(argv):
    try:
        return main(argv)
    except SystemExit as stop:
        return stop.code


def run(*argv, **more):
    return subprocess.run(
        [sys.executable, *argv], capture_output=True, encoding="utf-8", timeout=120, check=False, **more
    )


NAMES = ["check", "rates", "score", "forecast", "backtest", "change", "alerts", "scrub", "tasks", "reps"]


def strict(text):
    """One JSON object and nothing else, without NaN."""
    found = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert isinstance(found, dict)
    return found


def one_row_aside(book, lang):
    """What every command but `check` says beside its numbers."""
    n_read = read_book(book).rows["read"].sum()
    told = {"en": f"Rows set aside when the book was read: 1 of {n_read}.", "zh": f"：{n_read} 行中的 1 行，"}[lang]
    line = label("rows_set_aside", lang, n="1", read=str(n_read)) + "\n"
    assert told in line
    return line


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_commands_print_texts(book, capsys, name, lang):
    assert main([*commands(book)[name], "--lang", lang]) == 0
    printed = capsys.readouterr()
    assert printed.err == ("" if name == "check" else one_row_aside(book, lang))
    assert all(c.isprintable() for line in printed.out.splitlines() for c in line)
    assert any("\u4e00" <= c <= "\u9fff" for c in printed.out) is (lang == "zh")
    assert "nan" not in printed.out.lower()


@pytest.mark.parametrize("name", NAMES)
def test_json_is_one_object(book, capsys, name):
    assert main([*commands(book)[name], "--json"]) == 0
    printed = capsys.readouterr()
    found = strict(printed.out)
    assert printed.err == ("" if name == "check" else one_row_aside(book, "en"))
    wanted = {
        "check": {"process", "extracted_on", "rows", "faults"},
        "rates": {"as_of", "rates"},
        "score": {"as_of", "until", "deals"},
        "forecast": {"as_of", "quarter", "mean", "median", "bands", "target", "p_target", "count", "components",
                     "method", "seed"},
        "backtest": {"as_of", "use", "stretch", "summary", "scores"},
        "change": {"quarter", "before", "after", "causes", "deals", "pipeline"},
        "alerts": {"as_of", "hits", "rules"},
        "scrub": {"as_of", "findings"},
        "tasks": {"as_of", "tasks"},
        "reps": {"as_of", "sd", "reps"},
    }  # fmt: skip
    assert wanted[name] <= set(found)


def test_json_of_a_forecast_holds_what_the_design_promises(book, capsys):
    assert main([*commands(book)["forecast"][:6], "--draws", "200", "--json"]) == 0
    found = strict(capsys.readouterr().out)
    assert (found["as_of"], found["quarter"], found["seed"]) == (AS_OF, QUARTER, 0)
    assert found["target"] is None
    assert found["p_target"] is None
    for part in (found, found["count"]):
        assert part["bands"]["80"][0] <= part["bands"]["50"][0] <= part["median"] <= part["bands"]["80"][1]
    assert set(found["components"]) == {"signed", "open", "reopened", "unrecorded", "new"}
    assert found["components"]["unrecorded"] is None  # the book does not say when it was typed in
    assert {"mean", "lower", "upper"} <= set(found["components"]["open"])


def test_dates_in_json_are_iso(book, capsys):
    main([*commands(book)["score"], "--json"])
    found = strict(capsys.readouterr().out)
    assert (found["as_of"], found["until"]) == (AS_OF, "2026-06-30")
    assert {"name", "by_count", "by_test", "won_or_lost"} <= set(found["model"])
    main(["check", str(book), "--json"])
    assert strict(capsys.readouterr().out)["extracted_on"] == AS_OF


def test_the_pack_tells_what_moved_what_people_judge_and_how_past_quarters_went(book, capsys, tmp_path):
    out, calls = tmp_path / "out", tmp_path / "calls.csv"
    deal = json.loads(asked(capsys, [*commands(book)["forecast"], "--json"]))
    assert (deal["stretch"], deal["without_judgement"]) == (None, None)
    main([*commands(book)["forecast"], "--out", str(out), "--backtest", "0"])
    with (out / "deals.csv").open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))["deal_id"]
    calls.write_text(f"deal_id,who,why,chance\n{first},王,said so,0.99\n", encoding="utf-8")
    argv = [*commands(book)["forecast"], "--judgement", str(calls), "--since", "2026-02-28", "--backtest", "1"]
    told = json.loads(asked(capsys, [*argv, "--out", str(out), "--json"]))
    assert told["without_judgement"]["mean"] == pytest.approx(deal["mean"], rel=0.05)
    assert told["mean"] > told["without_judgement"]["mean"]
    assert told["stretch"] >= 1
    page = (out / "forecast.html").read_text(encoding="utf-8")
    for key in ("title_trust", "title_judgement", "title_key_deals", "title_outlook"):
        assert label(key, "en") in page
    assert "王" in page
    for key, more in (("title_change", {"quarter": QUARTER}), ("title_pipeline", {})):
        assert label(key, "en", before="2026-02-28", after=AS_OF, **more) in page
    assert len(list((out / "ledger" / "backtests").iterdir())) == 2  # scores and calls
    text = asked(capsys, [*argv, "--lang", "zh"])
    assert label("title_trust", "zh") in text
    assert re.search(r"可比较的季度太少（8 个中只有 [01] 个；", text)  # and the reader is told
    assert all(f"{m}：方法" in text for m in ("金额", "项目数"))  # two tables that look alike
    assert all(f"{m}: Method" in page for m in ("Amount", "Deals"))
    assert label("without_judgement", "zh") in text
    calls.write_text("deal_id,who\nx,y\n", encoding="utf-8")
    assert main(argv) == 1
    assert "why" in capsys.readouterr().err


def test_the_review_writes_its_pages_and_sheets(book, capsys, tmp_path):
    for name, out, file in (
        ("alerts", tmp_path / "a", "a/control.html"),
        ("tasks", tmp_path / "tasks.xlsx", "tasks.xlsx"),
        ("reps", tmp_path / "reps", "reps/index.html"),
    ):
        text = asked(capsys, [*commands(book)[name], "--lang", "zh", "--out", str(out)])
        assert str(tmp_path / file) in text
        assert (tmp_path / file).stat().st_size > 5000


def asked(capsys, argv):
    capsys.readouterr()
    assert main(argv) == 0
    return capsys.readouterr().out


def test_files_are_written(book, capsys, tmp_path):
    out = tmp_path / "new" / "out"
    assert main([*commands(book)["forecast"], "--out", str(out), "--lang", "zh"]) == 0
    assert str(out / "deals.csv") in capsys.readouterr().out
    page = (out / "forecast.html").read_text(encoding="utf-8")
    assert "<script" not in page
    with (out / "deals.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"deal_id", "p_in_period", "expected_amount"} <= set(rows[0])
    assert not [row for row in rows if row["name"].startswith(("=", "+", "-", "@"))]
    assert main([*commands(book)["score"], "--out", str(out / "scores.csv"), "--json"]) == 0
    assert (out / "scores.csv").exists()
    strict(capsys.readouterr().out)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_company_to_practise_on_is_written_and_can_be_read(capsys, tmp_path, lang):
    folder = tmp_path / "new" / "company"
    argv = ["sample", str(folder), "--deals", "60", "--seed", "7"]
    assert main([*argv, "--lang", lang]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert str(folder / "deals.csv.gz") in printed.out
    assert label("known_until", lang, as_of="2026-09-30") in printed.out
    assert main(["check", str(folder), "--json"]) == 0
    rows = {row["table"]: row for row in strict(capsys.readouterr().out)["rows"]}
    assert 50 <= rows["deals"]["kept"] <= rows["deals"]["read"] <= 60
    assert all(rows[name]["kept"] for name in ("history", "reps", "accounts", "targets"))
    again = tmp_path / "again"
    assert main([*argv[:1], str(again), *argv[2:], "--json"]) == 0
    found = strict(capsys.readouterr().out)
    assert (found["deals"], found["seed"], found["as_of"]) == (60, 7, "2026-09-30")
    for name in found["files"]:
        assert Path(name).read_bytes() == (folder / Path(name).name).read_bytes()


def test_the_sample_command_writes_the_committed_sample_unless_told_otherwise():
    given = parser().parse_args(["sample", "DIR"])
    assert (given.deals, given.seed) == (N_DEALS, SEED)


@pytest.mark.parametrize("taken", ["a folder with something in it", "a file"])
def test_nothing_is_overwritten_by_a_sample(capsys, tmp_path, taken):
    mine = tmp_path / "mine"
    mine.write_text("precious", encoding="utf-8")
    assert main(["sample", str(tmp_path if taken.startswith("a folder") else mine), "--deals", "5"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "DIR must be a new or an empty folder" in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert mine.read_text(encoding="utf-8") == "precious"


def test_a_missing_folder_is_refused_in_one_line(capsys, tmp_path):
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "is not a folder" in printed.err


def test_data_that_break_the_contract_are_refused_with_their_faults(capsys, tmp_path):
    book = write_book(tmp_path / "book", n=20)
    (book / "book.yaml").write_text("limit_set_aside: 0\n", encoding="utf-8")
    assert main(["check", str(book)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "unknown stage" in printed.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "required"),
        (["bogus"], "invalid choice"),
        (["check"], "PATH"),
        (["rates", "BOOK"], "--as-of"),
        (["rates", "BOOK", "--as-of", "2026-13-01"], "a date is written 2026-09-30"),
        (["rates", "BOOK", "--as-of", "0001-01-01"], "a date is written 2026-09-30"),
        (["rates", "BOOK", "--as-of", "2026-04-01"], "lies after the end of the book"),
        (["rates", "BOOK", "--as", AS_OF], "--as-of"),
        (["rates", "BOOK", "--as-of", AS_OF, "--by", "nope"], "--by must be one of account_id"),
        (["rates", "BOOK", "--as-of", AS_OF, "--horizon", "0"], "a whole number"),
        (["score", "BOOK", "--as-of", AS_OF], "--until"),
        (["score", "BOOK", "--as-of", AS_OF, "--until", AS_OF], "until must lie after as_of"),
        (["score", "BOOK", "--as-of", AS_OF, "--until", "2026-06-30", "--out", "BOOK"], "ends in .csv"),
        (["score", "BOOK", "--as-of", AS_OF, "--until", "2026-06-30", "--out", "BOOK/x.xlsx"], "ends in .csv"),
        (["tasks", "BOOK", "--as-of", AS_OF, "--out", "BOOK/x.csv"], "ends in .xlsx"),
        (["forecast", "BOOK", "--as-of", AS_OF], "--quarter"),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", "2026Q5"], "a period is written"),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", "9999Q4"], "a period is written"),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", "2026Q1"], "nothing to forecast"),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", QUARTER, "--target", "nan"], "an amount is a number"),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", QUARTER, "--draws", "0"], "a whole number"),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", QUARTER, "--seed", "-1"], "a whole number"),
        (
            ["forecast", "BOOK", "--as-of", AS_OF, "--quarter", QUARTER, "--out", "BOOK/deals.csv"],
            "deals.csv is a file",
        ),
        (["forecast", "BOOK", "--as-of", AS_OF, "--quarter", QUARTER, "--out", "BOOK/deals.csv/a"], "csv is a file"),
        (
            ["forecast", "BOOK", "--as-of", AS_OF, "--quarter", QUARTER, "--by", "amount"],
            "cannot be grouped by 'amount'",
        ),
        (["backtest", "BOOK", "--as-of", AS_OF, "--quarters", "10000"], "a whole number from 1 to 200"),
        (["tasks", "BOOK", "--as-of", AS_OF, "--rep", "ZZ"], "--rep: no rep 'ZZ'; known are R0, R1, R2"),
        (["check", "BOOK", "--lang", "fr"], "invalid choice"),
        (["sample"], "DIR"),
        (["sample", "BOOK"], "DIR must be a new or an empty folder"),
        (["sample", "BOOK/new", "--deals", "0"], "a whole number"),
        (["check", "BOOK", "--js"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(book, capsys, argv, said):
    assert status([word.replace("BOOK", str(book)) for word in argv]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("3e7", 3e7),
        ("3000万", 3e7),
        ("3000 万元", 3e7),
        ("1.2亿", 1.2e8),
        ("30,000,000", 3e7),
        ("1，200.5万", 12_005_000),
    ],
)
def test_amounts_are_read_as_people_write_them(text, amount):
    assert an_amount(text) == amount


@pytest.mark.parametrize("text", ["", "万", "3,5", "1,23,4", "3000萬", "-3万", "1万亿", "nan"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="an amount is a number above 0"):
        an_amount(text)


def test_a_book_without_reps_has_none_to_name(capsys, tmp_path):
    folder = write_book(tmp_path / "book", n=20)
    rows = [line.rsplit(",", 2) for line in (folder / "deals.csv").read_text(encoding="utf-8").splitlines()]
    (folder / "deals.csv").write_text("\n".join(f"{row[0]},{row[2]}" for row in rows), encoding="utf-8")
    assert main(["tasks", str(folder), "--as-of", AS_OF, "--rep", "X", "--lang", "zh"]) == 2
    assert "本账本没有任何销售" in capsys.readouterr().err


def test_help_is_quick_and_imports_nothing_heavy():
    seconds = []
    for _ in range(3):  # the machine may be busy with something else
        start = time.perf_counter()
        shown = run("-m", "salesanalytics.cli", "--help")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1.0
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in ("check", "rates", "score", "forecast", "sample"))
    heavy = "{'pandas', 'numpy', 'duckdb', 'matplotlib', 'narwhals', 'scipy', 'pyarrow', 'jinja2'}"
    found = run("-c", f"import sys, salesanalytics.cli; print({heavy} & set(sys.modules))")
    assert found.stdout.strip() == "set()"


def test_score_tells_what_became_of_past_chances(book, capsys):
    argv = [*commands(book)["score"], "--backtest", "1"]
    assert main(argv) == 0
    assert "Chances given on past dates (1: " in capsys.readouterr().out
    assert main([*argv, "--json"]) == 0
    found = strict(capsys.readouterr().out)["backtest"]
    assert {"miscalibration", "difference"} <= set(found["scores"][0])
    assert len(found["rungs"]) == 1


def test_rates_by_a_column_before_any_deal_is_known(book, capsys):
    assert main(["rates", str(book), "--as-of", "2024-01-01", "--by", "rep_id"]) == 0
    assert label("rates_by_whole", "en") in capsys.readouterr().out
    assert main(["rates", str(book), "--as-of", "2024-01-01", "--by", "rep_id"]) == 0
    assert "2024-01-01" in capsys.readouterr().out


def test_judgements_are_read_in_the_encodings_of_a_book(book, capsys, tmp_path):
    out, calls, argv = tmp_path / "out", tmp_path / "calls.csv", commands(book)["forecast"]
    assert main([*argv, "--out", str(out), "--backtest", "0"]) == 0
    with (out / "deals.csv").open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))["deal_id"]
    capsys.readouterr()
    found = []
    for encoding in ("utf-8-sig", "gb18030"):
        calls.write_bytes(f"deal_id,who,why,chance\n{first},王经理,合同已送审，等待客户盖章,0.99\n".encode(encoding))
        found.append(strict(asked(capsys, [*argv, "--judgement", str(calls), "--json"])))
    assert found[0] == found[1]
    assert found[0]["mean"] > found[0]["without_judgement"]["mean"]


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in NAMES)])
def test_help_speaks_both_languages(capsys, argv):
    said = {}
    for lang in ("en", "zh"):
        assert status(["--lang", lang, *argv]) == 0
        said[lang] = capsys.readouterr().out
        assert status([*argv, "--lang", lang] if argv[0] != "--help" else ["--lang", lang, *argv]) == 0
        assert capsys.readouterr().out == said[lang]
    chinese = re.compile(r"[\u2e80-\u9fff]")
    assert not chinese.search(said["en"])
    explained = [line for line in said["zh"].splitlines() if re.match(r"  (  \w|-|PATH|DIR)", line)]
    assert len(explained) >= 3
    assert all(chinese.search(line) or line.endswith("COMMAND") for line in explained if len(line.split()) > 2)
    assert "options" not in said["zh"]
    assert len(said["zh"].splitlines()) > 8


def test_a_reader_that_stops_early_sees_no_traceback(book):
    read, write = os.pipe()
    os.close(read)
    argv = [sys.executable, "-m", "salesanalytics.cli", *commands(book)["check"]]
    done = subprocess.run(argv, stdout=write, stderr=subprocess.PIPE, encoding="utf-8", timeout=120, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_chinese_sees_question_marks(book):
    done = run(
        "-m", "salesanalytics.cli", "check", str(book), "--lang", "zh", env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0
    assert "???" in done.stdout
    assert done.stderr == ""


def test_a_terminal_gets_its_width_and_a_word_on_what_is_done(book, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert main(commands(book)["rates"]) == 0
    printed = capsys.readouterr()
    assert max(map(len, printed.out.splitlines())) <= 60
    assert printed.err == f"Reading and computing: {book} ...\n" + one_row_aside(book, "en")


def test_same_seed_same_numbers(book, capsys):
    argv = [*commands(book)["forecast"], "--json"]
    printed = []
    for more in ([], [], ["--seed", "1"]):
        main([*argv, *more])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def earlier_extract(book, folder, day):
    """The same book as it stood on a day."""
    folder.mkdir()
    for name, at in (("deals", 1), ("history", 1)):
        with (book / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            first, *rows = csv.reader(file)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([first, *(row for row in rows if row[at] <= day)])
    (folder / "book.yaml").write_text(f"extracted_on: {day}\ncurrency: CNY\n", encoding="utf-8")
    return folder


def test_json_since_tells_what_moved_the_forecast(book, capsys):
    assert main([*commands(book)["forecast"], "--since", "2026-02-28", "--json"]) == 0
    found = strict(capsys.readouterr().out)
    change = found["change"]
    assert change["since"] == "2026-02-28"
    assert change["after"]["mean"] == found["mean"]
    moved = sum(cause["amount"] for cause in change["causes"])
    assert moved == pytest.approx(change["after"]["mean"] - change["before"]["mean"])
    pipeline = found["pipeline"]
    assert pipeline["since"] == "2026-02-28"
    for measure in ("amount", "weighted", "count", "without_amount"):
        moved = pipeline["after"][measure] - pipeline["before"][measure]
        assert sum(cause[measure] for cause in pipeline["causes"]) == pytest.approx(moved)
    assert sum(deal["amount"] for deal in pipeline["deals"]) == pytest.approx(
        pipeline["after"]["amount"] - pipeline["before"]["amount"]
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_change_is_told_of_the_forecast_and_of_the_pipeline(book, capsys, lang):
    dates = {"before": "2026-02-28", "after": AS_OF}
    titles = [label("title_change", lang, quarter=QUARTER, **dates), label("title_pipeline", lang, **dates)]
    for argv in (commands(book)["change"], [*commands(book)["forecast"], "--since", "2026-02-28"]):
        said = asked(capsys, [*argv, "--lang", lang])
        assert 0 <= said.find(titles[0]) < said.find(titles[1])


def test_an_earlier_extract_and_an_earlier_forecast_go_together(book, capsys, tmp_path):
    earlier = earlier_extract(book, tmp_path / "earlier", "2025-12-31")
    argv = [*commands(book)["forecast"], "--earlier", str(earlier)]
    assert main([*argv, "--since", "2026-02-28", "--json"]) == 0
    found = strict(capsys.readouterr().out)
    assert {"note_extracts", "note_since_without_extracts"} <= set(found["notes"])
    moved = sum(cause["amount"] for cause in found["change"]["causes"])
    assert moved == pytest.approx(found["change"]["after"]["mean"] - found["change"]["before"]["mean"])
    argv[argv.index(AS_OF)] = "2026-03-30"
    for lang in ("en", "zh"):
        assert main([*argv, "--lang", lang]) == 2
        said = capsys.readouterr().err
        assert label("part_of", lang, text="--earlier", part=one_row_aside(earlier, lang)) in said
        assert f"--as-of {'必须是' if lang == 'zh' else 'must be'} {AS_OF}" in said


def test_a_quarter_more_than_a_year_ahead_is_tested_on_forecasts_a_year_ahead(capsys, tmp_path):
    book = write_book(tmp_path / "book", n=20)
    argv = ["forecast", str(book), "--as-of", AS_OF, "--quarter", "2027Q4", "--draws", "50", "--backtest", "2"]
    assert main(argv) == 0
    assert label("note_no_backtest", "en", n=2, least=30) in capsys.readouterr().out


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_backtest_that_cannot_be_made_says_why(capsys, tmp_path, lang):
    book = write_book(tmp_path / "small", n=20)
    assert main([*commands(book)["forecast"], "--backtest", "3", "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert label("note_no_backtest", lang, n=3, least=30) in said
    assert label("note_bands", lang) not in said


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_book_without_amounts_gets_no_statistics_of_amounts(capsys, tmp_path, lang):
    folder = write_book(tmp_path / "book")
    with (folder / "deals.csv").open(encoding="utf-8", newline="") as file:
        first, *rows = csv.reader(file)
    with (folder / "deals.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([first, *([*row[:-1], ""] for row in rows)])
    out = tmp_path / "out"
    argv = [*commands(folder)["forecast"], "--out", str(out), "--backtest", "2", "--since", "2026-02-28"]
    assert main([*argv, "--by", "rep_id", "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert label("part_of", lang, text=label("p_target", lang), part="–") in said
    assert label("no_amounts_judged", lang) in said
    assert "<1 %" not in said
    page = (out / "forecast.html").read_text(encoding="utf-8")
    assert "&lt;1 %" not in page
    assert label("title_target_curve", lang) not in page
    assert page.count("<img") == 2  # the deals of the quarter, and those of past quarters: none that is empty
    assert label("main_cause", lang) not in page
    summary = load_workbook(out / "forecast.xlsx").worksheets[0]
    assert [summary[f"{column}9"].value for column in "BCD"] == ["–", None, None]
    assert main(["ledger", str(out / "ledger"), "--lang", lang]) == 0
    assert capsys.readouterr().out.split("\n")[-2].split()[-4:] == ["元" if lang == "zh" else "CNY", "–", "–", "–"]
    assert main([*commands(folder)["backtest"], "--json"]) == 0
    assert strict(capsys.readouterr().out)["use"]["amount"] is None
    assert main([*commands(folder)["forecast"], "--json"]) == 0
    told = strict(capsys.readouterr().out)
    assert told["target"] > 0
    assert told["p_target"] is told["mean"] is told["median"] is told["components"]["open"]["upper"] is None
    assert told["bands"] == {"50": [None, None], "80": [None, None]}
    assert {row["amount"] for row in told["baselines"].values()} == {None}
    assert told["count"]["mean"] > 0
    assert told["components"]["open"]["count"] > 0
    assert main([*commands(folder)["forecast"], "--json", "--by", "rep_id", "--since", "2026-02-28"]) == 0
    told = strict(capsys.readouterr().out)
    assert {row["amount"] for row in told["by"]} == {told["change"]["before"]["mean"]} == {None}
    assert {cause["amount"] for cause in told["pipeline"]["causes"]} == {told["pipeline"]["after"]["amount"]} == {None}
    assert told["pipeline"]["after"]["count"] == told["pipeline"]["after"]["without_amount"] > 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_list_to_mend_shows_what_is_expected_in_the_period(book, capsys, lang):
    argv = commands(book)["scrub"]
    assert main([*argv, "--lang", lang]) == 0
    with_period = capsys.readouterr().out
    assert main([*argv[:-2], "--lang", lang]) == 0
    head = label("part_of", lang, text=QUARTER, part=label("expected_amount", lang))
    assert head in with_period
    assert head not in capsys.readouterr().out
    assert not re.search(r"\d\.0\b", with_period)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_ledger_says_where_records_lie_and_when_they_are_judged(capsys, tmp_path, lang):
    book, out = write_book(tmp_path / "book"), tmp_path / "out"
    (tmp_path / "none").mkdir()
    assert main(["ledger", str(tmp_path / "none"), "--lang", lang]) == 0
    assert capsys.readouterr().out == label("ledger_empty", lang, path=tmp_path / "none") + "\n"
    argv = ["forecast", str(book), "--as-of", "2026-02-28", "--quarter", "2026Q1", "--draws", "100"]
    assert main([*argv, "--out", str(out), "--backtest", "0"]) == 0
    capsys.readouterr()
    assert main(["ledger", str(out), "--lang", lang]) == 0
    assert label("ledger_below", lang, path=out / "ledger") in capsys.readouterr().out
    asked = ["ledger", str(out / "ledger"), "--book", str(book), "--lang", lang, "--as-of"]
    said = label("judged_from", lang, quarter="2026Q1", day="2026-04-30", days=30)
    assert main([*asked, AS_OF]) == 0
    printed = capsys.readouterr()
    assert said in printed.out
    assert printed.err == one_row_aside(book, lang)
    assert main([*asked, "2026-03-30"]) == 0
    assert said not in capsys.readouterr().out


def test_an_earlier_extract_is_refused_where_rows_say_when_they_were_recorded(capsys, tmp_path):
    folder = str(tmp_path / "company")
    assert main(["sample", folder, "--deals", "60"]) == 0
    argv = ["forecast", folder, "--as-of", "2026-09-30", "--quarter", "2026Q4", "--earlier", folder, "--lang", "zh"]
    assert main(argv) == 2
    assert "--earlier 只用于没有 recorded_at 的账本" in capsys.readouterr().err
