"""The doors: every source row is kept or set aside with a reason, or one error says why not."""

import datetime as dt
import re
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import yaml

from salesanalytics import forecast_quarter, simulate_book, snapshots
from salesanalytics.book import make_book, read_book
from salesanalytics.book.contract import MONEY_FIELDS, OWN_COLUMNS
from salesanalytics.book.settings import BookSettings, parse_settings
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.errors.chinese import rule_in_chinese
from salesanalytics.process import read_process
from salesanalytics.timeline import known_outcomes

N = 20
DAY = pd.Timestamp("2024-01-01")
PROCESS = read_process()
HEADERS = {"deals": "deal_id,created_at,amount", "history": "deal_id,changed_at,field,value"}


def some_deals(n=N, **columns):
    """Deals D1..Dn, created on consecutive days."""
    ids = [f"D{i}" for i in range(1, n + 1)]
    created = [(DAY + pd.Timedelta(days=i)).date().isoformat() for i in range(n)]
    amounts = [str(100 + i) for i in range(n)]
    return pd.DataFrame({"deal_id": ids, "created_at": created, "amount": amounts, **columns}, dtype=object)


def some_history(n=N, **columns):
    """Two rows a deal: S1 when it was created, S2 thirty days later."""
    rows = []
    for i in range(n):
        for days, stage in ((0, "S1"), (30, "S2")):
            rows.append((f"D{i + 1}", (DAY + pd.Timedelta(days=i + days)).date().isoformat(), "stage", stage))
    frame = pd.DataFrame(rows, columns=HEADERS["history"].split(","), dtype=object)
    return frame.assign(**columns)


def changes(*rows):
    """History rows; the fifth value is ``recorded_at``."""
    columns = [*HEADERS["history"].split(","), "recorded_at"]
    full = [(*row, *[None] * (5 - len(row))) for row in rows]
    return pd.DataFrame(full, columns=columns, dtype=object)


def put(frame, row, **cells):
    """The frame with the cells of one row (1 = first) replaced."""
    frame = frame.copy()
    for column, value in cells.items():
        if column not in frame:
            frame[column] = None
        frame[column] = frame[column].astype(object)
        frame.loc[row - 1, column] = value
    return frame


def add(frame, **cells):
    """The frame with one more row."""
    return pd.concat([frame, pd.DataFrame([cells], dtype=object)], ignore_index=True)


def book_of(deals=None, history=None, *, limit=1.0, process=None, reps=None, accounts=None, targets=None, **sets):
    """A book of frames, whose books balance."""
    tables = {
        "deals": some_deals() if deals is None else deals,
        "history": some_history() if history is None else history,
        "reps": reps,
        "accounts": accounts,
        "targets": targets,
    }
    book = make_book(**tables, process=process, settings={"limit_set_aside": limit, **sets})
    balanced(book, **{name: len(table) for name, table in tables.items() if table is not None})
    return book


def balanced(book, **n_rows):
    """Rows read = rows kept + rows set aside = rows of the source, and every fault is told once."""
    rows = book.rows.set_index("table")
    assert (rows["read"] == rows["kept"] + rows["set_aside"]).all()
    assert rows["read"].to_dict() == n_rows
    kept = {"deals": book.deals, "history": book.history, "reps": book.reps}
    kept |= {"accounts": book.accounts, "targets": book.targets}
    assert {name: len(kept[name]) for name in rows.index} == rows["kept"].to_dict()
    assert book.set_aside["table"].value_counts().to_dict() == {name: n for name, n in rows["set_aside"].items() if n}
    assert book.set_aside["rule"].notna().all()
    assert list(book.set_aside.columns) == ["table", "row", "deal_id", "rule", "column", "value"]
    assert book.faults.loc[book.faults["set_aside"].astype(bool), "n"].sum() == len(book.set_aside)
    if not book.set_aside["table"].eq("history").any() or "source_column" not in book.history:
        assert not book.set_aside.duplicated(["table", "row", "column", "value"]).any()
    events = book.events.collect("pandas").to_native()
    assert len(events) == len(book.history)


def aside(book, table=None):
    """Rows set aside as (table, row, deal_id, rule, column, value)."""
    frame = book.set_aside if table is None else book.set_aside[book.set_aside["table"].eq(table)]
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]


def reported(book):
    """Rule -> examples of what was kept and reported."""
    kept = book.faults[~book.faults["set_aside"].astype(bool)]
    return dict(zip(kept["rule"], kept["examples"], strict=True))


def refused(what, *parts):
    """Run something that must end in one SchemaError that holds every part; its text is given back."""
    with pytest.raises(SchemaError) as error:
        what()
    text = str(error.value)
    assert [part for part in parts if part not in text] == [], text
    return text


def write_book(folder, *, deals=None, history=None, settings=None, **files):
    """A folder with csv text (or frames); bytes stay as they are."""
    tables = {"deals.csv": some_deals() if deals is None else deals}
    tables["history.csv"] = some_history() if history is None else history
    for name, content in (tables | {name.replace("__", "."): text for name, text in files.items()}).items():
        content = content.to_csv(index=False) if isinstance(content, pd.DataFrame) else content
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    if settings is not None:
        text = settings if isinstance(settings, str) else yaml.safe_dump(settings, allow_unicode=True)
        (folder / "book.yaml").write_text(text, encoding="utf-8")
    return folder


def xlsx(path, rows):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)


def events(book):
    return book.events.sort("seq").collect("pandas").to_native()


def same_book(one, other):
    for name in ("deals", "history", "set_aside", "faults", "rows"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), obj=name)
    pd.testing.assert_frame_equal(events(one), events(other))
    assert one.settings == other.settings


# A good book


def test_a_good_book_keeps_all_and_says_what_it_is(tmp_path):
    book = read_book(write_book(tmp_path))
    balanced(book, deals=N, history=2 * N)
    assert book.set_aside.empty
    assert (book.deals["amount"].sum(), book.deals["created_at"].min()) == (sum(range(100, 120)), DAY)
    assert book.settings.extracted_on == dt.date(2024, 2, 19)
    assert not book.has_recorded_at
    assert list(reported(book)) == ["no recorded_at"]
    assert "20 deals" in repr(book)
    same_book(book, make_book(deals=some_deals(), history=some_history()))


def test_events_are_in_the_order_of_what_happened():
    rows = [("D1", "2024-03-01", "stage", "S3"), ("D1", "2024-02-01", "stage", "S2", "2024-04-01")]
    book = book_of(some_deals(1), changes(*rows))
    frame = events(book)
    assert frame["value"].tolist() == ["S2", "S3"]
    epoch = pd.Timestamp("1970-01-01")
    known = [epoch + pd.Timedelta(days=int(d)) for d in frame["known_day"]]
    assert known == [pd.Timestamp("2024-04-01"), pd.Timestamp("2024-03-01")]
    assert book.has_recorded_at


# Tables and columns


def test_all_missing_required_columns_of_all_tables_are_named():
    deals = some_deals().rename(columns={"deal_id": "Nr"})
    history = some_history().drop(columns=["field", "value"])
    text = refused(lambda: make_book(deals=deals, history=history), "deals: required column missing: deal_id")
    assert "history: required column missing: field, value" in text
    assert "Columns found: Nr, created_at, amount" in text
    assert "tables.deals.columns" in text
    assert "book.yaml" in text


def test_missing_mapped_columns_are_named_with_their_source_name():
    sets = {"tables": {"deals": {"columns": {"amount": "Wert", "name": "Titel"}, "values": {"rout": {"a": "b"}}}}}
    refused(
        lambda: make_book(deals=some_deals(), history=some_history(), settings=sets),
        "amount ('Wert')", "name ('Titel')", "rout",
    )  # fmt: skip


def test_a_missing_file_is_named_with_what_is_there(tmp_path):
    (tmp_path / "deal.csv").write_text("deal_id\n1\n")
    refused(lambda: read_book(tmp_path), "deals, history", "deal.csv", "tables.<table>.file")
    refused(lambda: read_book(tmp_path / "nowhere"), "not a folder")
    write_book(tmp_path, settings={"tables": {"reps": "rep.csv"}})
    refused(lambda: read_book(tmp_path), "rep.csv", "no such file")


def test_an_empty_file_is_refused(tmp_path):
    refused(lambda: read_book(write_book(tmp_path, history=b"")), "history.csv", "empty")


@pytest.mark.parametrize("columns", [["deal_id", "amount", "deal_id"], ["deal_id", " deal_id"]])
def test_a_column_twice_is_refused(tmp_path, columns):
    frame = pd.DataFrame([["1"] * len(columns)], columns=columns)
    refused(lambda: read_book(write_book(tmp_path, deals=frame)), "'deal_id' (2×)", "deals.csv")
    refused(lambda: make_book(deals=frame, history=some_history()), "deals", "'deal_id' (2×)")
    arrow = pa.table([["1"]] * len(columns), names=columns)
    refused(lambda: make_book(deals=arrow, history=some_history()), "'deal_id' (2×)")


def test_header_only_is_a_book_of_no_deals(tmp_path):
    book = read_book(write_book(tmp_path, **{k: v + "\n" for k, v in HEADERS.items()}))
    balanced(book, deals=0, history=0)
    with pytest.raises(AsOfError):
        _ = book.extracted_day


@pytest.mark.parametrize("empty", [pd.DataFrame(), some_deals(0), some_deals(0).astype(str), pl.DataFrame()])
def test_empty_frames_are_a_book_of_no_deals(empty):
    balanced(make_book(deals=empty, history=some_history(0)), deals=0, history=0)


def test_targets_of_a_book_without_deals_are_kept():
    targets = pd.DataFrame({"quarter": ["2062Q1"], "amount": [5.0]})
    assert len(make_book(deals=some_deals(0), history=some_history(0), targets=targets).targets) == 1


def test_a_book_without_history():
    book = book_of(history=pd.DataFrame())
    assert book.settings.extracted_on == dt.date(2024, 1, 20)
    assert reported(book)["no stage row"] == "D1, D2, D3"
    assert "history without stages" in reported(book)


def test_forecast_categories_as_people_say_them():
    words = ["承诺", "Best Case", "跟进", "忽略", "Commit", "赢面大", None]
    rows = [(f"D{i}", "2024-02-01", "category", word) for i, word in enumerate(words, start=1)]
    book = book_of(some_deals(), pd.concat([some_history(), changes(*rows)]))
    kept = book.engine.table("history").collect("pandas").to_native().query("field == 'category'").sort_values("row")
    assert kept["value"].tolist()[:6] == ["commit", "best_case", "pipeline", "omitted", "commit", "赢面大"]
    assert reported(book)["forecast category not of the contract"] == "赢面大 (1)"


def test_a_probability_above_100_is_set_aside():
    rows = [("D1", "2024-02-01", "probability", "150"), ("D2", "2024-02-01", "probability", "100%")]
    book = book_of(some_deals(), pd.concat([some_history(), changes(*rows)]))
    assert [row[2:4] for row in aside(book, "history")] == [("D1", "probability above 100")]


def test_a_probability_that_is_kept_is_read():
    said = ["0,5", "12,5 %", "６０％", "60"]  # decimal commas, full-width digits
    rows = [("D1", f"2024-03-0{i}", "probability", value) for i, value in enumerate(said, start=1)]
    book = book_of(some_deals(), pd.concat([some_history(), changes(*rows)]), decimal=",")
    assert aside(book) == []
    days = [f"2024-03-0{i}" for i in range(1, 5)]
    told = snapshots(book, as_of=days).query("deal_id == 'D1'")["p_rep"]
    assert told.tolist() == pytest.approx([0.5, 0.125, 0.6, 0.6])


def test_an_unknown_stage_brings_the_known_ones_to_mind():
    text = refused(
        lambda: make_book(deals=some_deals(), history=some_history(value="线索")),
        "Known stages: S1 / ", "withdrawn, on_hold. Stages of your own belong in process.yaml.",
    )  # fmt: skip
    assert "S8 / " in text


@pytest.mark.parametrize("amount", ["5 apples", "1'234", "100-200万"])
def test_amounts_that_are_no_numbers_bring_to_mind_how_they_are_read(amount):
    asked = "Numbers are read like 1,200,000 or 1.200.000,50 € or ¥120万"
    refused(lambda: book_of(some_deals(amount=amount), limit=0.1), "amount not a number", asked)
    targets = pd.DataFrame({"quarter": ["2026Q1"], "amount": [amount]})
    refused(lambda: book_of(targets=targets, limit=0.1), "amount unreadable", asked)


def test_ids_that_do_not_meet_are_shown_from_both_tables():
    history = some_history().assign(deal_id=lambda rows: rows["deal_id"].str.lower())
    refused(lambda: book_of(history=history, limit=0.1), "values 'd1', 'd2', 'd3'", "its ids as 'D1', 'D2', 'D3':")


def test_ends_of_another_name_stop_the_reading_though_they_are_few_among_the_rows():
    """Closed Won was set aside below the limit of rows, and every deal stayed open for ever."""
    calls = [(f"D{i}", f"2024-03-{k:02}", "activity", "visit") for i in range(1, N + 1) for k in range(1, 21)]
    ends = [(f"D{i}", "2024-05-01", "stage", "Closed Won" if i % 2 else "Closed Lost") for i in range(1, N + 1)]
    history = pd.concat([some_history(), changes(*calls)])
    book_of(history=pd.concat([history, changes(*ends[:2])]), limit=0.1)
    text = refused(
        lambda: book_of(history=pd.concat([history, changes(*ends[:3])]), limit=0.1),
        "deals: 3 of 20 stand in a stage that is not known (15%, limit 10%)", "unknown stage, rows: 3",
        "values 'Closed Won', 'Closed Lost'", "Known stages: S1",
    )  # fmt: skip
    assert "rows break the contract" not in text
    between = [(deal, "2024-04-01", "stage", "?") for deal, *_ in ends[:10]]  # leaves no deal open
    later = changes(*between, *((deal, "2024-05-01", "stage", "won") for deal, *_ in ends))
    assert len(book_of(history=pd.concat([history, later]), limit=0.1).set_aside) == len(between)


def test_deals_that_stand_in_an_unknown_stage_are_reported():
    ends = changes(
        ("D2", "2024-06-01", "stage", "Closed Won"),
        ("D3", "2024-01-04", "stage", "Prospect"),  # a known one came later
        ("D4", "2024-06-01", "stage", "Renewal"),
    )
    book = book_of(history=pd.concat([some_history(), ends[list(some_history())]]))
    assert reported(book)["stands in an unknown stage"] == "D2, D4"
    assert "stands in an unknown stage" not in reported(book_of())


def test_a_history_mostly_typed_in_on_one_day_is_reported():
    many = pd.concat([some_history()] * 60, ignore_index=True)
    many["changed_at"] = (pd.Timestamp("2024-01-05") + pd.to_timedelta(range(len(many)), unit="h")).strftime("%F %R")
    day = pd.Timestamp("2024-06-01")
    for share, found in ((0.4, None), (0.6, "2024-06-01")):
        late = np.arange(len(many)) < share * len(many)
        recorded = pd.Series(pd.to_datetime(many["changed_at"])).where(~late, day)
        book = book_of(history=many.assign(recorded_at=recorded))
        assert reported(book).get("recorded on one day") == found


def test_rows_recorded_before_they_happened_are_reported():
    history = some_history().assign(recorded_at=some_history()["changed_at"] + " 00:00")
    assert "recorded before it happened" not in reported(book_of(history=history))
    book = book_of(history=put(history, 2, recorded_at="2024-01-30 23:59"))
    assert reported(book)["recorded before it happened"] == "D1"


def test_unreadable_dates_bring_date_format_to_mind():
    deals = some_deals().assign(created_at=[f"{month:02}/11/24" for month in range(1, 11)] * 2)
    refused(lambda: make_book(deals=deals, history=some_history()), "`date_format`", "%y: a year of two digits", "list")
    book = book_of(deals, some_history(), date_format=["%m/%d/%y", "%Y-%m-%d"])
    assert book.deals["created_at"].dt.strftime("%Y-%m-%d")[:2].tolist() == ["2024-01-11", "2024-02-11"]


def test_a_share_just_above_its_limit_reads_so():
    history = some_history(250)
    history.loc[:50, "value"] = "nowhere"
    refused(lambda: make_book(deals=some_deals(250), history=history), "(10.2%, limit 10%)")


def test_a_table_in_a_file_that_is_not_read(tmp_path):
    write_book(tmp_path)
    (tmp_path / "deals.csv").rename(tmp_path / "deals.xls")
    refused(lambda: read_book(tmp_path), "deals is there as deals.xls, which is not read. Save it as xlsx or csv.")


def test_deals_without_rows_are_named_as_the_cause():
    refused(lambda: make_book(deals=some_deals(0), history=some_history()), "The table deals has no rows")


def test_a_column_under_a_name_that_nothing_reads_is_remarked():
    deals = pd.DataFrame({"deal_id": ["a"], "created_at": ["2024-01-01"], "预计金额": [5.0], "行业": ["x"]})
    tables = {"deals": {"columns": {"金额": "预计金额", "industry": "行业"}}}
    book = make_book(
        deals=deals,
        history=some_history(1).assign(deal_id="a"),
        settings={"attributes": ["industry"], "tables": tables},
    )
    found = book.faults.set_index("rule").loc["column not of the contract"]
    assert (found["table"], found["examples"]) == ("deals", "金额 (预计金额)")


def test_stages_under_another_name_stop_the_reading():
    history = some_history(field="阶段")
    history.loc[:2, "field"] = ["预计成交日", "amount", "amount"]
    text = refused(lambda: book_of(history=history), "阶段 (37), 预计成交日 (1).", "`field: {阶段: stage}`")
    assert "amount" not in text
    table = {"values": {"field": {"阶段": "stage"}}}
    book = make_book(deals=some_deals(), history=history, settings={"tables": {"history": table}})
    assert reported(book)["field not of the contract"] == "预计成交日 (1)"
    assert "history without stages" not in reported(book)


def test_empty_deals_with_history_set_the_history_aside():
    book = book_of(some_deals(0), some_history(1))
    assert {row[3] for row in aside(book)} == {"unknown deal"}


def test_a_row_with_the_wrong_number_of_columns_is_set_aside(tmp_path):
    deals = some_deals().to_csv(index=False) + "D99,2024-01-01,1,000\n"
    history = some_history().to_csv(index=False).replace("D2,", "oops\nD2,", 1)
    reps = "rep_id,name\n" + "".join(f"R{i},x\n" for i in range(20)) + "R99,Li,Wei\n"
    book = read_book(write_book(tmp_path, deals=deals, history=history, reps__csv=reps))
    balanced(book, deals=N + 1, history=2 * N + 1, reps=21)
    rule = "wrong number of columns"
    assert aside(book, "deals") == [("deals", N + 1, None, rule, None, "D99,2024-01-01,1,000")]
    assert aside(book, "history") == [("history", 3, None, rule, None, "oops")]
    assert aside(book, "reps")[0][1] == 21


# Files


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("gb18030", "华东水泥厂余热发电项目招标"), ("cp1252", "Café Müller"), ("utf-8-sig", "Café 水泥")],
)
def test_csv_of_any_encoding(tmp_path, encoding, name):
    text = some_deals(name=name).to_csv(index=False)
    book = read_book(write_book(tmp_path, deals=text.encode(encoding)))
    balanced(book, deals=N, history=2 * N)
    assert book.deals["name"].unique().tolist() == [name]


@pytest.mark.parametrize("mapped", [False, True])
def test_xlsx_with_title_rows(tmp_path, mapped):
    write_book(tmp_path, settings={"tables": {"deals": {"columns": {"deal_id": "Nr"}}}} if mapped else None)
    (tmp_path / "deals.csv").unlink()
    frame = some_deals().assign(created_at=[DAY.to_pydatetime()] * N, amount=[float(100 + i) for i in range(N)])
    head = ["Nr" if mapped and c == "deal_id" else c for c in frame]
    xlsx(
        tmp_path / "deals.xlsx",
        [["Pipeline 2024"], ["exported", "by", "me"], head, *frame.to_numpy().tolist()],
    )
    book = read_book(tmp_path)
    balanced(book, deals=N, history=2 * N)
    assert book.deals["created_at"].eq(DAY).all()
    assert book.deals["amount"].sum() == sum(range(100, 120))


def test_parquet_keeps_native_types(tmp_path):
    write_book(tmp_path)
    deals, history = some_deals(), some_history()
    for frame, name, when in ((deals, "deals", "created_at"), (history, "history", "changed_at")):
        (tmp_path / f"{name}.csv").unlink()
        typed = frame.assign(**{when: pd.to_datetime(frame[when])})
        typed.to_parquet(tmp_path / f"{name}.parquet")
    book = read_book(tmp_path)
    balanced(book, deals=N, history=2 * N)
    same_book(book, make_book(deals=deals, history=history))


# Ids


IDS = [
    "NA",
    "null",
    "001",
    "1e5",
    "None",
    "nan",
    "-",
    '"; DROP TABLE deals; --',
    "=1+1",
    "客户 1",
    "1.50",
    "d1",
    "D1",
]


@pytest.mark.parametrize("door", ["csv", "xlsx", "frame"])
def test_ids_are_text_as_they_are(tmp_path, door):
    ids = [i for i in IDS if door != "xlsx" or i != "=1+1"]  # there it is a formula
    deals = some_deals(len(ids), deal_id=ids, rep_id=ids)
    history = some_history(len(ids)).assign(deal_id=np.repeat(ids, 2), actor=np.repeat(ids, 2))
    if door == "frame":
        book = make_book(deals=deals, history=history)
    else:
        write_book(tmp_path, deals=deals, history=history)
        if door == "xlsx":
            for name, frame in (("deals", deals), ("history", history)):
                (tmp_path / f"{name}.csv").unlink()
                xlsx(tmp_path / f"{name}.xlsx", [list(frame), *frame.to_numpy().tolist()])
        book = read_book(tmp_path)
    balanced(book, deals=len(ids), history=2 * len(ids))
    assert book.deals["deal_id"].tolist() == book.deals["rep_id"].tolist() == ids
    assert book.history["deal_id"].tolist() == book.history["actor"].tolist() == np.repeat(ids, 2).tolist()


@pytest.mark.parametrize(
    "ids",
    [
        [11.0, 12.0, 13.0, np.nan],
        pd.array([11, 12, 13, None], dtype="Int64"),
        pd.Categorical(["11", "12", "13", None]),
        pd.array(["11", "12", "13", None], dtype="string"),
        np.array([11, "12", 13.0, None], dtype=object),
        [" 11", "12 ", "13", " "],
    ],
)
def test_ids_that_a_join_turned_into_floats(ids):
    deals = some_deals(4).assign(deal_id=ids, rep_id=ids)
    history = changes(*[(i, "2024-02-01", "stage", "S1") for i in (11, 12, 13)])
    book = book_of(deals, history.astype({"deal_id": "float64"}))
    assert book.deals["deal_id"].tolist() == book.deals["rep_id"].tolist() == ["11", "12", "13"]
    assert aside(book) == [("deals", 4, None, "deal_id missing", "deal_id", None)]


def test_large_and_broken_floats_as_ids():
    ids = [2.0**60, 1.5, float("inf"), 123456789012.0]
    book = book_of(some_deals(4, deal_id=ids).astype({"deal_id": "float64"}), some_history(0))
    assert book.deals["deal_id"].tolist()[1:] == ["1.5", "inf", "123456789012"]


def test_column_names_that_look_like_ours_or_like_sql_are_carried(tmp_path):
    names = [
        "row",
        "rule",
        "order",
        "select",
        "rate",
        "status",
        "seq",
        "deal",
        "created_day",
        "created_at_day",
    ]
    names += [
        "created_at_text",
        "amount_unreadable",
        "amount_text",
        "fingerprint",
        "Region",
        "AMOUNT",
        "source_column",
    ]
    names += ['"; DROP TABLE deals; --', "deal_known", "last_seen_day", "table"]
    deals = some_deals(region="north", **{name: f"my {name}" for name in names})
    history = some_history(**{name: f"my {name}" for name in (*names, "number", "code", "order")})
    for book in (
        make_book(deals=deals, history=history),
        read_book(write_book(tmp_path, deals=deals, history=history)),
    ):
        balanced(book, deals=N, history=2 * N)
        assert book.set_aside.empty
        assert [book.deals[name].unique().tolist() for name in names] == [[f"my {name}"] for name in names]
        assert book.deals["region"].eq("north").all()
        assert book.deals["amount"].tolist() == list(range(100, 120))


def test_columns_are_carried_of_the_kept_rows_only():
    deals = put(some_deals(row=[f"n{i}" for i in range(1, N + 1)], extra=range(N)), 2, amount="much")
    book = book_of(deals)
    assert book.deals["row"].tolist() == [f"n{i}" for i in range(1, N + 1) if i != 2]
    assert book.deals["extra"].tolist() == [i for i in range(N) if i != 1]


def test_an_attribute_without_end_is_not_known():
    """A ratio with nothing below the line stopped the close model and the models of time to signing."""
    book = book_of(some_deals(margin=[float("inf"), float("-inf"), *range(N - 2)], note="inf"), attributes=["margin"])
    assert book.deals["margin"].isna().tolist() == [True, True] + [False] * (N - 2)
    assert book.deals["note"].eq("inf").all()
    fault = book.faults[book.faults["rule"].eq("infinite margin")].iloc[0]
    deals = ", ".join(book.deals["deal_id"].head(2))
    assert fault.tolist() == ["deals", "infinite margin", 2, False, deals, "counts as missing"]
    assert (rule_in_chinese("infinite margin"), rule_in_chinese(fault["note"])) == ("margin 为无穷大", "视为缺失")
    assert not any(rule.startswith("infinite") for rule in reported(book_of(some_deals(margin=range(N)))))


def test_an_infinite_number_of_a_deal_that_is_set_aside_is_no_remark():
    deals = put(some_deals(margin=[float("inf")] * 2 + [1.0] * (N - 2)), 2, amount="much")
    book = book_of(deals, attributes=["margin"])
    assert reported(book)["infinite margin"] == deals["deal_id"][0]


def test_numbers_that_come_as_text_are_said_to_count_by_their_values():
    """The same attribute was a number in a DataFrame and a category in a csv, without a word."""
    power = [f"{k}.5" for k in range(N)]
    said = {"attribute of numbers in text": "power"}
    for values, expected in ((power, said), ([float(p) for p in power], {}), ([p[:1] for p in power], {})):
        book = book_of(some_deals(power=values), attributes=["power"])
        faults = book.faults[book.faults["rule"].eq("attribute of numbers in text")]
        assert dict(zip(faults["rule"], faults["examples"], strict=True)) == expected
    carried = book_of(some_deals(power=power)).faults
    assert "attribute of numbers in text" not in set(carried["rule"])


def test_names_and_values_are_mapped():
    deals = some_deals().rename(columns={"deal_id": "Nr"}).assign(route="1", Kind=1.0, name="x", label="y")
    tables = {
        "deals": {
            "columns": {"deal_id": "Nr", "kind": "Kind", "name": "label"},
            "values": {"route": {1: "open_tender"}, "kind": {1: "big"}},
        },
        "history": {"values": {"value": {"S2": "offer", "S1": "S3"}, "field": {"stage": "stage"}}},
    }
    book = book_of(deals, tables=tables, attributes=["kind", "product"])
    assert book.deals[["route", "kind", "name"]].drop_duplicates().to_numpy().tolist() == [["open_tender", "big", "y"]]
    assert "Nr" not in book.deals
    assert book.history["value"].unique().tolist() == ["S3"]
    assert {row[3:] for row in aside(book)} == {("unknown stage", "value", "offer")}
    refused(
        lambda: book_of(attributes=["product", "colour"]),
        "attribute column missing: colour",
        "deal_id, created_at",
    )


@pytest.mark.parametrize("name", ["state", "age_days", "count", "deal", "p_in_period", "competitor"])
def test_an_attribute_cannot_have_the_name_of_a_column_of_ours(name):
    deals = some_deals().assign(**{name: "Texas"})
    refused(lambda: book_of(deals, attributes=[name]), f"attributes: {name}", f"my_{name}: {name}")
    mapped = {"deals": {"columns": {f"my_{name}": name}}}
    assert set(book_of(deals, attributes=[f"my_{name}"], tables=mapped).deals[f"my_{name}"]) == {"Texas"}


def test_no_column_of_ours_is_free_for_attributes():
    book = simulate_book(n_deals=300, seed=1)
    day = book.settings.extracted_on
    made = {*snapshots(book, as_of=day), *forecast_quarter(book, quarter="2026Q4", as_of=day, draws=10).deals}
    ours = {name for name in made if not name.endswith("_record") and not name.startswith("n_entered_")}
    own = {"name", "rep_id", "team", "manager_id", "industry", "rep_id_n_ended"}
    named = own | set(book.settings.attributes)  # as they mean
    assert ours - named <= OWN_COLUMNS


def test_a_history_with_the_newest_rows_first_is_read_from_the_bottom_up():
    rows = []
    for i in range(30):
        day = DAY + pd.Timedelta(days=i)
        steps = [("S1", 0), ("S2", 10), ("S3", 30), ("won", 30)]
        rows += [(f"D{i + 1}", (day + pd.Timedelta(days=d)).date().isoformat(), "stage", stage) for stage, d in steps]
    usual = pd.DataFrame(rows, columns=["deal_id", "changed_at", "field", "value"])
    deals = some_deals(30)
    for turned in (usual[::-1], usual.sort_values("changed_at", kind="stable")[::-1]):
        book, plain = book_of(deals, turned.reset_index(drop=True)), book_of(deals, usual)
        assert "newest rows first" in reported(book)
        assert "newest rows first" not in reported(plain)
        last = [known_outcomes(one, one.extracted_day) for one in (book, plain)]
        pd.testing.assert_frame_equal(*last)
        assert last[0]["end"].eq("won").all()
    mixed = usual.sample(frac=1, random_state=0).reset_index(drop=True)
    assert "newest rows first" not in reported(book_of(deals, mixed))


def test_fields_of_the_contract_are_known_in_any_case():
    dates = some_history(field="close_date", value="2025-01-01")
    written = {"stage": "Stage", "close_date": "Close Date"}
    head = some_history(1, field="Region Head", value="x")
    plain = pd.concat([some_history(), dates, head], ignore_index=True)
    book = book_of(history=plain.assign(field=plain["field"].replace(written)))
    assert set(book.history["field"]) == {"stage", "close_date", "Region Head"}
    pd.testing.assert_frame_equal(book.history, book_of(history=plain).history)


@pytest.mark.parametrize("deals", [None, [{"deal_id": "a"}], {"deal_id": ["a"]}, "deals.csv"])
def test_what_is_no_table_is_refused(deals):
    refused(lambda: make_book(deals=deals, history=some_history()), "deals must be a table", type(deals).__name__)


def test_settings_that_cannot_be():
    refused(lambda: book_of(fiscal_year_start=4.0), "fiscal_year_start must be a month 1..12, got 4.0")
    late = {"observed_from": "2025-01-01", "extracted_on": "2024-12-31"}
    refused(lambda: book_of(**late), "observed_from (2025-01-01) lies after extracted_on (2024-12-31)")


# Deals


DEAL_FAULTS = [
    ("deal_id missing", "deal_id", {"deal_id": " "}, None),
    ("created_at unreadable", "created_at", {"created_at": "soon"}, "soon"),
    ("implausible date", "created_at", {"created_at": "1900-01-01"}, "1900-01-01"),
    ("created after the extract", "created_at", {"created_at": "2031-01-01"}, "2031-01-01"),
    ("last_seen_on unreadable", "last_seen_on", {"last_seen_on": "2024-13-01"}, "2024-13-01"),
    ("implausible date", "last_seen_on", {"last_seen_on": "1900-01-01"}, "1900-01-01"),
    ("amount not a number", "amount", {"amount": "about 5"}, "about 5"),
    ("negative amount", "amount", {"amount": "-5"}, "-5"),
]


def test_broken_deals_are_set_aside_with_their_history(tmp_path):
    deals, history = some_deals(), some_history()
    for row, (_, _, cells, _) in enumerate(DEAL_FAULTS, start=1):
        deals = put(deals, row, **cells)
    history = history[history["deal_id"].ne("D4")]  # with rows, D4 would be known before the extract
    sets = {"extracted_on": "2024-03-31", "limit_set_aside": 0.4}
    book = read_book(write_book(tmp_path, deals=deals, history=history, settings=sets))
    balanced(book, deals=N, history=2 * N - 2)
    expected = [
        ("deals", row, None if rule == "deal_id missing" else f"D{row}", rule, column, value)
        for row, (rule, column, _, value) in enumerate(DEAL_FAULTS, start=1)
    ]
    assert aside(book, "deals") == expected
    taken = [(f"D{row}", "deal set aside") for row in (2, 3, 5, 6, 7, 8)]
    assert [row[2:4] for row in aside(book, "history")] == [
        each for pair in [("D1", "unknown deal"), *taken] for each in (pair, pair)
    ]
    said = book.faults.set_index("rule").loc["negative amount"]
    assert (said["n"], said["examples"]) == (1, "D8")
    same_book(book, make_book(deals=deals, history=history, settings=sets))


def test_a_deal_known_before_its_stated_creation_is_no_future_deal():
    book = book_of(put(some_deals(), 3, created_at="2031-01-01"), extracted_on="2024-03-31")
    assert book.set_aside.empty
    assert reported(book)["row before creation"] == "D3"


def test_of_exactly_equal_deals_the_first_is_kept():
    book = book_of(pd.concat([some_deals(), some_deals()[2:4]], ignore_index=True))
    assert aside(book) == [
        ("deals", row, deal, "duplicate row", "deal_id", deal) for row, deal in ((N + 1, "D3"), (N + 2, "D4"))
    ]


@pytest.mark.parametrize("other", [{"amount": "7"}, {"name": "another"}, {"note": "carried"}, {"amount": "-7"}])
def test_deals_with_one_id_and_different_values_are_all_set_aside(other):
    twice = put(pd.concat([some_deals(note="x"), some_deals(note="x")[2:3]], ignore_index=True), N + 1, **other)
    book = book_of(pd.concat([twice, twice[2:3]], ignore_index=True))
    rules = ["duplicate deal_id"] * 3
    rules[1] = "negative amount" if other == {"amount": "-7"} else rules[1]
    assert [row[1:4] for row in aside(book, "deals")] == [
        (row, "D3", rule) for row, rule in zip((3, N + 1, N + 2), rules, strict=True)
    ]
    assert [row[1:4] for row in aside(book, "history")] == [(row, "D3", "deal set aside") for row in (5, 6)]


def test_ids_that_differ_in_case_are_different_deals():
    book = book_of(put(some_deals(), 2, deal_id="d1"))
    assert aside(book, "deals") == []
    assert {row[2] for row in aside(book)} == {"D2"}


def test_a_missing_creation_is_reported():
    book = book_of(put(some_deals(), 4, created_at=None))
    assert book.set_aside.empty
    assert reported(book)["created_at missing"] == "D4"


def test_a_deal_without_the_stage_it_began_in_is_reported():
    history = some_history()[1:]
    assert reported(book_of(history=history))["first stage row after creation"] == "D1"
    assert "first stage row after creation" not in reported(book_of())


def test_a_dash_for_an_amount_or_a_creation_is_a_blank():
    deals = put(put(put(some_deals(), 1, amount="-"), 2, amount="N/A"), 3, created_at="--")
    book = book_of(deals, targets=pd.DataFrame({"quarter": "2026Q1", "amount": ["5", "—"]}))
    assert aside(book) == [("targets", 2, None, "amount missing", "amount", None)]
    assert book.deals["amount"].isna().tolist() == [True, True, *[False] * 18]
    assert reported(book)["created_at missing"] == "D3"


def test_a_row_before_creation_is_reported():
    book = book_of(put(some_deals(), 4, created_at="2024-01-09"))
    assert reported(book)["row before creation"] == "D4"


# History


UNKNOWN = dict.fromkeys(("stage", "buyer_stage", "milestone", "condition", "stance"), "quotation")
NEGATIVE = dict.fromkeys(("amount", "budget", "quote", "probability"), "-1")
HISTORY_FAULTS = [
    ("deal_id missing", "deal_id", {"deal_id": " "}, None),
    ("unknown deal", "deal_id", {"deal_id": "D77"}, "D77"),
    ("changed_at missing", "changed_at", {"changed_at": None}, None),
    ("changed_at unreadable", "changed_at", {"changed_at": "2024-02-30"}, "2024-02-30"),
    ("changed_at unreadable", "changed_at", {"changed_at": "31/01/2024"}, "31/01/2024"),
    ("recorded_at unreadable", "recorded_at", {"recorded_at": "later"}, "later"),
    ("implausible date", "changed_at", {"changed_at": "1900-01-01"}, "1900-01-01"),
    ("implausible date", "recorded_at", {"recorded_at": "1899-12-30"}, "1899-12-30"),
    ("scheduled, not an event", "changed_at", {"changed_at": "2024-04-01", "recorded_at": "2024-03-01"},
     "2024-04-01"),
    ("recorded after the extract", "recorded_at", {"recorded_at": "2024-04-01"}, "2024-04-01"),
    ("field missing", "field", {"field": None}, None),
    *((f"unknown {f.replace('_', ' ')}", "value", {"field": f, "value": v}, v) for f, v in UNKNOWN.items()),
    *((f"unknown {f.replace('_', ' ')}", "value", {"field": f, "value": None}, None) for f in UNKNOWN),
    *(("unknown stance", "value", {"field": "stance", "value": v}, v) for v in ("DM:cold", "DM:3", "DM:", ":1")),
    *((f"{f} not a number", "value", {"field": f, "value": "much"}, "much") for f in NEGATIVE),
    *((f"{f} not a number", "value", {"field": f, "value": ""}, None) for f in MONEY_FIELDS),
    *((f"negative {f}", "value", {"field": f, "value": v}, v) for f, v in NEGATIVE.items()),
    ("date value unreadable", "value", {"field": "close_date", "value": "Q4"}, "Q4"),
    ("end before creation", "changed_at", {"changed_at": "2023-12-31", "value": "lost"}, "2023-12-31"),
]  # fmt: skip


def test_broken_history_rows_are_set_aside(tmp_path):
    history, expected = some_history(), []
    for row, (rule, column, cells, value) in enumerate(HISTORY_FAULTS, start=2 * N + 1):
        good = {"deal_id": "D5", "changed_at": "2024-02-01", "field": "stage", "value": "S2", "who": str(row)}
        history = add(history, **(good | cells))
        deal = cells.get("deal_id", "D5").strip() or None
        expected.append(("history", row, deal, rule, column, value))
    sets = {"extracted_on": "2024-03-31", "limit_set_aside": 0.6}
    book = read_book(write_book(tmp_path, history=history, settings=sets))
    balanced(book, deals=N, history=len(history))
    assert aside(book) == expected
    same_book(book, make_book(deals=some_deals(), history=history, settings=sets))


def test_numbers_as_people_write_them():
    texts = ["1,234.50", "12万", "1.5亿", "¥ 1,000", "0", "1e3", "7.0", "", "+3"]
    numbers = [1234.5, 120_000, 1.5e8, 1000, 0, 1000, 7, np.nan, 3]
    rows = [("D1", f"2024-02-0{i}", "quote", text) for i, text in enumerate(texts, start=1) if text]
    book = book_of(some_deals(9, amount=texts), changes(*rows))
    np.testing.assert_array_equal(book.deals["amount"], numbers)
    assert events(book)["number"].tolist() == [number for number in numbers if number == number]
    assert book.set_aside.empty


def test_a_column_with_two_decimal_signs_is_refused():
    deals = some_deals(4, amount=["1,5", "2.5", "3,25", "4.75"])
    refused(lambda: make_book(deals=deals, history=some_history(0)), "deals.amount", "'1,5'", "decimal")
    history = changes(*[("D1", "2024-02-01", "quote", v) for v in deals["amount"]])
    refused(lambda: make_book(deals=some_deals(1), history=history), "history.value (quote)", "decimal")
    assert book_of(some_deals(1, amount="1.234,5"), some_history(0), decimal=",").deals["amount"].tolist() == [1234.5]


@pytest.mark.parametrize("decides", [None, "25/01/2024", "01/25/2024"])
def test_days_and_months_that_could_be_either(decides):
    cells = ["03/04/2024"] * 5 + [decides] * (decides is not None)
    deals = some_deals(len(cells), created_at=cells)
    history = changes(*[(f"D{i}", "2024-06-01", "close_date", c) for i, c in enumerate(cells, start=1)])
    if decides is None:
        refused(
            lambda: make_book(deals=deals, history=some_history(0)),
            "deals.created_at", "5 value(s)", "'03/04/2024'", "date_format",
        )  # fmt: skip
        refused(
            lambda: make_book(deals=some_deals(5), history=history),
            "history.value (close_date)",
            "date_format",
        )
        return
    month = 4 if decides.startswith("25") else 3
    assert book_of(deals, some_history(0)).deals["created_at"][0] == pd.Timestamp(2024, month, 7 - month)
    book = book_of(some_deals(len(cells)), history)
    assert pd.Timestamp(int(events(book)["value_day"][0]), unit="D") == pd.Timestamp(2024, month, 7 - month)


def test_date_format_settles_it_for_text_only():
    sets = {"date_format": "%d/%m/%Y"}
    deals = some_deals(3, created_at=["03/04/2024", "13/04/2024", "2024-04-03"])
    history = some_history(1).assign(changed_at=pd.Timestamp("2024-05-01"))
    book = book_of(deals, history, **sets)
    assert book.deals["created_at"].tolist() == [pd.Timestamp("2024-04-03"), pd.Timestamp("2024-04-13")]
    assert aside(book)[0] == ("deals", 3, "D3", "created_at unreadable", "created_at", "2024-04-03")
    assert len(book_of(deals, history, date_format=["%d/%m/%Y", "%Y-%m-%d"]).deals) == 3


def test_zoned_times_need_a_timezone():
    history = some_history(1).assign(changed_at=["2024-01-01T23:30:00Z", "2024-02-01T01:00:00+02:00"])
    refused(lambda: book_of(some_deals(1), history), "history.changed_at", "timezone", "2024-01-01T23:30:00Z")
    expected = [pd.Timestamp("2024-01-02 07:30"), pd.Timestamp("2024-02-01 07:00")]
    for frame in (history, history.assign(changed_at=pd.to_datetime(history["changed_at"], utc=True))):
        book = book_of(some_deals(1), frame, timezone="Asia/Shanghai")
        assert book.history["changed_at"].tolist() == expected
    refused(lambda: book_of(some_deals(1), frame), "history.changed_at", "timezone")
    refused(lambda: book_of(some_deals(1), frame, timezone="Mars/Base"), "Mars/Base")


def test_states_by_id_or_name_in_any_case():
    name = PROCESS.label
    states = [
        "S3",
        "s3",
        " s3 ",
        name("S3", "zh"),
        name("S3", "en"),
        name("S3", "en").upper(),
        "成交",
        "ON HOLD",
    ]
    rows = [("D1", f"2024-02-{i:02}", "stage", state) for i, state in enumerate(states, start=1)]
    rows += [("D1", "2024-03-01", "buyer_stage", name("B2", "en")), ("D1", "2024-03-02", "milestone", "m1")]
    rows += [("D1", "2024-03-03", "note", name("S3", "en")), ("D1", "2024-03-04", "note", None)]
    book = book_of(some_deals(1), changes(*rows))
    assert book.set_aside.empty
    expected = ["S3"] * 6 + ["won", "on_hold", "B2", "M1", name("S3", "en"), None]
    values = book.history["value"].astype(object)
    assert values.where(values.notna(), None).tolist() == expected
    codes = [3] * 6 + [book.state_codes["won"], book.state_codes["on_hold"], 0, 0, 0, 0]
    assert events(book)["code"].tolist() == codes


def test_full_width_characters_in_names_count_as_ordinary_ones():
    rows = [("D1", "2024-02-01", "ｓｔａｇｅ", "Ｓ３"), ("D1", "2024-02-02", "Stage", "ＷＯＮ")]
    book = book_of(some_deals(1), changes(*rows), won_on_entering="Ｓ８")
    assert book.history["value"].tolist() == ["S3", "won"]


def test_won_on_entering_a_stage():
    sets = {"won_on_entering": "s8"}
    history = changes(
        ("D1", "2024-02-01", "stage", "S7"),
        ("D1", "2024-02-02", "stage", "S8"),
        ("D1", "2024-02-02", "note", "S8"),
    )
    assert book_of(some_deals(1), history).history["value"].tolist() == ["S7", "S8", "S8"]
    book = book_of(some_deals(1), history, **sets)
    assert book.history["value"].tolist() == ["S7", "won", "S8"]
    assert events(book)["code"].tolist()[1] == book.state_codes["won"]
    refused(lambda: book_of(won_on_entering="S9"), "won_on_entering", "'S9'", "S1, S2")
    refused(lambda: book_of(won_on_entering="lost"), "won_on_entering")


def test_two_stages_at_one_instant_are_kept_and_reported():
    rows = [
        ("D1", "2024-02-01", "stage", "S3"),
        ("D1", "2024-02-01", "stage", "S2"),
        ("D2", "2024-02-01", "stage", "S2"),
    ]
    book = book_of(some_deals(2), changes(*rows))
    assert book.set_aside.empty
    assert events(book)["value"].tolist()[:2] == ["S3", "S2"]
    assert reported(book)["two stages at one instant"] == "D1"


def test_exactly_equal_history_rows_the_first_is_kept():
    history = changes(
        ("D1", "2024-02-01", "stage", "S2"),
        ("D1", "2024-02-01 00:00", "stage", "s2"),
        ("D1", "2024-02-01", "stage", "S2", "2024-02-02"),
        ("D1", "2024-02-01", "activity", "visit"),
        ("D1", "2024-02-01", "activity", "visit"),
    )
    book = book_of(some_deals(1), history)
    assert [row[1:4] for row in aside(book)] == [(2, "D1", "duplicate row"), (5, "D1", "duplicate row")]


def test_an_end_before_creation():
    cases = [  # of a deal created on 2024-01-01: rows (value, changed, recorded), and whether the end is kept
        ([("S2", "2023-12-01", "2023-12-01"), ("lost", "2023-12-20", "2023-12-20")], True),  # it began earlier
        ([("lost", "2023-12-20", "2023-12-20"), ("S2", "2023-12-01", "2023-12-20")], True),  # recorded on one day
        ([("lost", "2023-12-20", "2023-12-20"), ("S2", "2023-12-01", "2023-12-21")], False),  # recorded later
        ([("S2", "2023-12-25", "2023-12-01"), ("lost", "2023-12-20", "2023-12-26")], False),
        ([("S2", "1900-01-01", "2023-12-01"), ("lost", "2023-12-20", "2023-12-20")], False),  # a typing error
        ([("lost", "2023-12-01", "2023-12-01"), ("won", "2023-12-20", "2023-12-20")], False),  # an end begins nothing
        ([("lost", "2024-01-01", "2024-01-01")], True),
    ]
    rows = [(f"D{i}", c, "stage", v, r) for i, (case, _) in enumerate(cases, start=1) for v, c, r in case]
    book = book_of(some_deals(len(cases), created_at="2024-01-01"), changes(*rows))
    early = {row[2] for row in aside(book) if row[3] == "end before creation"}
    assert early == {f"D{i}" for i, (_, kept) in enumerate(cases, start=1) if not kept}


def test_an_end_of_a_deal_without_creation_is_kept():
    book = book_of(some_deals(1, created_at=None), changes(("D1", "2024-01-05", "stage", "lost")))
    assert book.set_aside.empty


def test_the_end_of_the_book_is_the_last_recording():
    rows = [
        ("D1", "2024-02-01", "stage", "S2", "2024-02-03"),
        ("D1", "2030-01-01", "stage", "S3", "2024-02-02"),
    ]
    book = book_of(some_deals(1), changes(*rows))
    assert book.settings.extracted_on == dt.date(2024, 2, 3)
    assert [row[3] for row in aside(book)] == ["scheduled, not an event"]


def test_a_few_rows_far_behind_all_others_are_no_end_of_a_book():
    deals, history = some_deals(60), some_history(60)
    assert book_of(deals, history).settings.extracted_on == dt.date(2024, 3, 30)
    typo = put(history, 7, changed_at="2206-01-07")
    asked = ("history: 1 of 120 rows", "from 2206-01-07 to 2206-01-07", "end on 2024-03-30", "deals D4", "extracted_on")
    refused(lambda: book_of(deals, typo), *asked)
    refused(lambda: book_of(deals, history.assign(recorded_at=typo["changed_at"])), *asked)
    book = book_of(deals, typo, extracted_on="2024-03-30")
    assert [row[3] for row in aside(book)] == ["scheduled, not an event"]
    # where rows are few, any of them may be the last; and a gap before many rows is one
    assert book_of(some_deals(), put(some_history(), 7, changed_at="2206-01-07")).settings.extracted_on.year == 2206
    several = put(put(history, 7, changed_at="2026-01-07"), 8, changed_at="2026-01-08")
    assert book_of(deals, several).settings.extracted_on == dt.date(2026, 1, 8)


def test_creations_far_behind_all_others_are_no_end_of_a_book_either():
    nothing = some_history()[:0]
    deals = put(some_deals(120), 5, created_at="2062-01-05")
    refused(lambda: book_of(deals, nothing), "deals: 1 of 120 rows", "2062-01-05", "deals D5", "extracted_on")


def test_a_day_of_recording_that_all_rows_share_is_that_of_an_export():
    deals, history = some_deals(60), some_history(60)
    exported = history.assign(recorded_at="2024-06-30 08:00")
    refused(lambda: book_of(deals, exported), "recorded_at: all 120 rows", "2024-06-30", "90 days", "Leave out")
    assert len(book_of(deals, put(exported, 1, recorded_at="2024-06-29")).deals) == 60
    assert len(book_of(deals, put(exported, 1, recorded_at=None)).deals) == 60
    assert len(book_of(history=some_history().assign(recorded_at="2024-06-30")).deals) == N  # too few to tell


def test_times_on_the_last_day_count():
    history = changes(("D1", "2024-02-03 23:59:59", "stage", "S2", "2024-02-03T23:59:59.5"))
    assert book_of(some_deals(1), history, extracted_on=dt.date(2024, 2, 3)).set_aside.empty


def test_won_without_the_last_milestone_is_reported():
    rows = [(f"D{i}", "2024-02-01", "stage", "won") for i in (1, 2)]
    assert "won without the last milestone" not in reported(book_of(some_deals(2), changes(*rows)))
    book = book_of(some_deals(2), changes(*rows, ("D1", "2024-02-01", "milestone", "M8")))
    assert reported(book)["won without the last milestone"] == "D2"


# Money


def test_several_currencies_without_rates_are_refused():
    deals = some_deals(currency=["EUR", "CNY", "USD", "USD"] * 5)
    refused(lambda: book_of(deals), "deals.currency", "CNY, EUR, USD", "20 deals", "D1, D2, D3", "rates")
    refused(lambda: book_of(deals, currency="CNY"), "15 deals", "D1, D3, D4")
    refused(lambda: book_of(deals, currency="CNY", rates={"EUR": 7.8}), "10 deals in USD", "D3, D4, D7")
    refused(lambda: book_of(some_deals(currency="EUR"), currency="CNY"), "CNY, EUR", "20 deals in EUR")


def test_rates_convert_deals_and_history():
    deals = some_deals(4, amount=["10"] * 4, currency=["EUR", "CNY", None, "USD"])
    rows = [
        (f"D{i}", "2024-02-01", f, "100") for i in range(1, 5) for f in ("amount", "quote", "budget", "probability")
    ]
    book = book_of(deals, changes(*rows), currency="CNY", rates={"EUR": 8, "USD": 7.5})
    assert book.deals["amount"].tolist() == [80, 10, 10, 75]
    frame = events(book)
    assert frame["number"].tolist() == [800] * 3 + [100] + ([100] * 4) * 2 + [750] * 3 + [100]
    assert book.history["value"].eq("100").all()


def test_signs_of_several_currencies_without_a_currency_of_each_deal_are_refused():
    deals = put(some_deals(amount="￥1,000"), 3, amount="$1,000")
    refused(lambda: book_of(deals), "several currencies", "￥1,000", "$1,000", "currency")
    book = book_of(deals.assign(currency=["CNY", "CNY", "USD", *["CNY"] * 17]), currency="CNY", rates={"USD": 7})
    assert book.deals["amount"].iloc[:3].tolist() == [1000.0, 1000.0, 7000.0]
    history = changes(("D1", "2024-02-01", "amount", "€5"), ("D1", "2024-02-01", "stage", "S1"))
    refused(lambda: book_of(some_deals(amount="5元"), history), "'5元', '€5'")
    refused(lambda: book_of(put(some_deals(amount="USD 5"), 2, amount="5 EUR")), "'USD 5', '5 EUR'")
    assert len(book_of(put(some_deals(amount="USD 5"), 2, amount="US$5")).deals) == N
    assert book_of(some_deals(), history).events.collect("pandas").to_native()["number"].max() == 5
    assert len(book_of(some_deals(amount=["￥5", "5元"] * 10), some_history()).deals) == N


def test_currencies_of_set_aside_deals_do_not_matter():
    deals = put(some_deals(currency="CNY"), 1, currency="EUR", amount="-1")
    book = book_of(deals)
    assert (book.settings.currency, book.settings.unit) == ("CNY", "CNY")
    assert book_of(some_deals(currency="CNY"), amount_unit="MW").settings.unit == "MW"


# Reps, accounts, targets


def test_faults_of_reps_and_accounts():
    reps = pd.DataFrame(
        {"rep_id": ["R1", "R2", "R1", None, "R5"], "name": ["a", "b", "c", "d", "e"], "extra": range(5)}
    )
    reps["hired_at"] = ["2020-01-01", "2020-02-01", None, None, "long ago"]
    accounts = pd.DataFrame({"account_id": [1.0, 2.0, 2.0, np.nan], "industry": "steel"})
    book = book_of(reps=reps, accounts=accounts)
    assert aside(book) == [
        ("reps", 3, None, "duplicate rep", "rep_id", "R1"),
        ("reps", 4, None, "rep_id missing", "rep_id", None),
        ("reps", 5, None, "hired_at unreadable", "hired_at", "long ago"),
        ("accounts", 3, None, "duplicate account", "account_id", "2"),
        ("accounts", 4, None, "account_id missing", "account_id", None),
    ]
    assert book.reps[["rep_id", "name", "extra"]].to_numpy().tolist() == [["R1", "a", 0], ["R2", "b", 1]]
    assert book.accounts["account_id"].tolist() == ["1", "2"]
    assert book.reps["hired_at"].tolist() == [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-02-01")]
    text = refused(lambda: book_of(reps=reps, limit=0.1), "reps: 3 of 5 rows", "duplicate rep", "'R1'", "'long ago'")
    assert "accounts" not in text


def test_names_that_their_own_table_does_not_know_are_reported():
    reps = pd.DataFrame({"rep_id": ["R1", "R2"], "name": ["Wang", "Li"], "team": ["north", "south"]})
    targets = pd.DataFrame(
        {"quarter": "2026Q1", "rep_id": ["R1", "r2", None], "team": [None, None, "North"], "amount": ["5", "6", "7"]}
    )
    deals = some_deals(rep_id=["R1", "Wang", None, "Wang"] * 5, account_id=["A1", "A2"] * 10)
    history = pd.concat([some_history(), changes(("D1", "2024-02-01", "rep_id", "Li"))[list(some_history())]])
    accounts = pd.DataFrame({"account_id": ["A1"]})
    book = book_of(deals, history, reps=reps, accounts=accounts, targets=targets)
    found = book.faults[book.faults["rule"].str.contains("not among")]
    assert found[["table", "rule", "n", "examples"]].to_numpy().tolist() == [
        ["deals", "rep_id not among the reps", 10, "Wang (10)"],
        ["history", "rep_id not among the reps", 1, "Li (1)"],
        ["deals", "account_id not among the accounts", 10, "A2 (10)"],
        ["targets", "rep_id not among the reps", 1, "r2 (1)"],
        ["targets", "team not among the reps", 1, "North (1)"],
    ]
    assert not any("not among" in rule for rule in reported(book_of(deals, history, targets=targets)))
    assert not any("not among" in rule for rule in reported(book_of(deals.assign(rep_id="R1"), reps=reps)))


NO_PERIOD = "quarter not like 2026Q4, 2026-10 or 2026"


def test_faults_of_targets():
    rows = [
        ("2024Q1", None, "1,000", None),
        ("2024Q1", "north", "400", "amount"),
        ("2024Q5", None, "1", None),
        ("next", None, "1", None),
        (None, None, "1", None),
        ("2024Q2", None, "lots", None),
        ("2024Q2", None, None, None),
        ("2024Q2", None, "-1", None),
        ("2024Q2", None, "5", "revenue"),
        ("2024Q2", None, "5", "count"),
        ("2024Q1", None, "1,001", None),
        ("2024Q1", None, "1,002", "amount"),
    ]
    book = book_of(targets=pd.DataFrame(rows, columns=["quarter", "team", "amount", "measure"]))
    assert [row[1:] for row in aside(book)] == [
        (3, None, NO_PERIOD, "quarter", "2024Q5"),
        (4, None, NO_PERIOD, "quarter", "next"),
        (5, None, "quarter missing", "quarter", None),
        (6, None, "amount unreadable", "amount", "lots"),
        (7, None, "amount missing", "amount", None),
        (8, None, "negative amount", "amount", "-1"),
        (9, None, "unknown measure", "measure", "revenue"),
        (11, None, "duplicate target", "quarter", "2024Q1"),
        (12, None, "duplicate target", "quarter", "2024Q1"),
    ]
    assert book.targets["amount"].tolist() == [1000, 400, 5]


def test_a_target_of_another_age_is_named():
    quarters = ["2026Q1", "2062Q1", "1999Q1", "2062Q2"]
    book = book_of(targets=pd.DataFrame({"quarter": quarters, "amount": 5}))
    assert reported(book)["period far after the end of the book"] == "2062Q1, 2062Q2"
    assert len(book.targets) == 4
    assert not any("far after" in rule for rule in reported(book_of(targets=book.targets.iloc[[0, 2]])))


def test_quarters_and_measures_of_targets_as_people_write_them():
    said = [
        "2026Q1",
        "2026q2",
        "2026-Q3",
        "2026年四季度",
        "2025年第1季度",
        "25 Q2",
        "FY25Q3",
        "Q4 2025",
        "4Q24",
        "２０２４Ｑ３",
    ]
    measures = [None, "金额", "Amount", "AMOUNT", "数量", "Count", *[None] * 4]
    table = pd.DataFrame({"quarter": said, "amount": 1, "measure": measures})
    read = book_of(targets=table).targets
    assert read["quarter"].tolist() == [
        "2026Q1", "2026Q2", "2026Q3", "2026Q4", "2025Q1", "2025Q2", "2025Q3", "2025Q4", "2024Q4", "2024Q3",
    ]  # fmt: skip
    assert read["measure"].tolist() == [None, *["amount"] * 3, *["count"] * 2, *[None] * 4]
    for other in ("2026/4", "2026-4", "2026-13", "2026-10-01", "2026年13月", "26", "2026年5季度", "2026Q12"):
        book = book_of(targets=table.assign(quarter=[*said[:-1], other]))
        assert aside(book) == [("targets", 10, None, NO_PERIOD, "quarter", other)]
    twice = book_of(targets=table.assign(quarter=[*said[:-1], "FY24 Q4"]))
    assert aside(twice) == [("targets", 10, None, "duplicate target", "quarter", "FY24 Q4")]


def test_targets_of_months_and_years_as_people_write_them():
    said = {
        "2026-10": "2026-10", "2026/09": "2026-09", "2026.08": "2026-08", "2026年7月": "2026-07",
        "2026年06月份": "2026-06", "２０２６－０５": "2026-05", "2026": "2026", "FY25": "2025", "2024年": "2024",
        "2023年度": "2023", "fy 2022": "2022", "2021年全年": "2021",
    }  # fmt: skip
    book = book_of(targets=pd.DataFrame({"quarter": list(said), "amount": 1}))
    assert book.targets["quarter"].tolist() == list(said.values())
    months = pd.period_range("2024-01", periods=2, freq="M")
    for as_given, read in ((months, ["2024-01", "2024-02"]), ([2024, 2025], ["2024", "2025"])):
        assert book_of(targets=pd.DataFrame({"quarter": as_given, "amount": 1})).targets["quarter"].tolist() == read
    twice = book_of(targets=pd.DataFrame({"quarter": ["2026-10", "2026年10月"], "amount": 1}))
    assert aside(twice) == [("targets", 2, None, "duplicate target", "quarter", "2026年10月")]


def test_targets_of_which_none_is_of_a_period_are_set_aside():
    """Nor does pandas have anything to warn of."""
    book = book_of(targets=pd.DataFrame({"quarter": ["next", "2026-4"], "amount": 1}))
    assert [row[3] for row in aside(book)] == [NO_PERIOD] * 2


@pytest.mark.parametrize("name", ["reps", "accounts", "targets"])
def test_small_tables_miss_their_columns_or_are_empty(name):
    key = {"reps": "rep_id", "accounts": "account_id", "targets": "quarter"}[name]
    refused(lambda: book_of(**{name: pd.DataFrame({"x": ["1"]})}), f"{name}: required column missing: {key}")
    empty = pd.DataFrame({"quarter": [], "amount": [], "rep_id": [], "account_id": []})
    assert getattr(book_of(**{name: empty}), name).empty


# The limit


def test_too_much_set_aside_is_refused_with_every_rule():
    deals = some_deals()
    for row, cell in ((1, "-1"), (2, "much"), (3, "many"), (4, "more"), (5, "most")):
        deals = put(deals, row, amount=cell)
    text = refused(
        lambda: book_of(deals, limit=0.2),
        "deals: 5 of 20 rows break the contract (25%, limit 20%)",
        "deals.amount: amount not a number, rows: 4", "D2, D3, D4", "'much', 'many', 'more'",
        "deals.amount: negative amount, rows: 1", "history: 10 of 40 rows", "deal set aside",
        "limit_set_aside",
    )  # fmt: skip
    assert "D5" not in text
    assert len(book_of(deals, limit=0.25).deals) == 15


def test_the_default_limit_is_a_tenth():
    good = put(put(some_deals(), 1, amount="-1"), 2, amount="-1")
    assert len(make_book(deals=good, history=some_history()).deals) == 18
    refused(lambda: make_book(deals=put(good, 3, amount="-1"), history=some_history()), "15%", "limit 10%")
    assert parse_settings({}).limit_set_aside == 0.1


# book.yaml


SETTING_FAULTS = {
    "extracted_on": ["soon", 5.5, ["2024-01-01"]],
    "currency": [5, "", ["CNY"]],
    "amount_unit": [True],
    "rates": [5, {"EUR": "8"}, {"EUR": -1}, {"EUR": True}, {"EUR": float("inf")}],
    "amount_is": ["latest", ["initial"]],
    "owner_is": [1],
    "attributes": ["product", [1], {"a": 1}],
    "won_on_entering": [8],
    "fiscal_year_start": [0, 13, "April", True, [1]],
    "date_format": [5, [], [5]],
    "decimal": [";", 5, ["."]],
    "timezone": [8],
    "limit_set_aside": [-0.1, 1.1, "10%", True, float("nan")],
    "tables": ["deals.csv", ["deals"]],
    "observed_from": ["2024-02-30"],
    "earliest_on": ["long ago"],
}
TABLE_FAULTS = {
    "file": [5],
    "sheet": [1],
    "encoding": [["utf-8"]],
    "shape": ["long", ["changes"]],
    "columns": ["deal_id", {"deal_id": ["a"]}],
    "values": [5, {"field": "stage"}, {"field": {"a": []}}],
    "dates": [["Signed"], "Signed"],
    "ignored": ["Planned", [5]],
    "ended_status": [
        {"column": "Status"},
        "Status",
        {"column": 5, "values": []},
        {"column": "S", "values": "x"},
    ],
}


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, vs in SETTING_FAULTS.items() for v in vs])
def test_a_setting_of_the_wrong_kind(key, value):
    text = refused(lambda: parse_settings({key: value}), f"book.yaml: {key} must be", ", got ")
    assert text.count("\n- ") == 1
    shown = text.rpartition(", got ")[2]
    assert repr(value) == shown or yaml.safe_load(shown) == value or value != value  # a text in quotes, or YAML


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, vs in TABLE_FAULTS.items() for v in vs])
def test_a_table_setting_of_the_wrong_kind(key, value):
    text = refused(lambda: parse_settings({"tables": {"history": {key: value}}}), f"tables.history: {key} must be")
    assert text.count("\n- ") == 1


def test_every_setting_has_a_check():
    assert set(SETTING_FAULTS) == set(BookSettings.__dataclass_fields__)


def test_all_faults_of_book_yaml_are_listed_at_once(tmp_path):
    sets = {"colour": 1, "decimal": ";", "amount_is": "x", "extracted_on": "y", "rates": {"EUR": 1}}
    sets["tables"] = {"deal": "deals.csv", "deals": {"shape": "wide_dates", "path": "x"}, "history": 5}
    text = refused(
        lambda: read_book(write_book(tmp_path, settings=sets)),
        "unknown setting 'colour'", "decimal must be", "amount_is must be", "extracted_on must be",
        "rates need `currency`", "tables.deal: unknown table", "unknown setting 'path'", "only a history",
        "tables.history must be a file name or a mapping, got 5", "known are",
    )  # fmt: skip
    assert text.count("\n- ") == 9


@pytest.mark.parametrize(
    "text", ["a: [1", "- a\n- b", "just words", "a: b: c", "false", "earliest_on: 2026-13-01", b"currency: \xff\xfe"]
)
def test_what_is_no_mapping_is_refused(tmp_path, text):
    (write_book(tmp_path) / "book.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(lambda: read_book(tmp_path), "book.yaml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "currency: null\n", "\ufeffcurrency: CNY\n"])
def test_an_empty_book_yaml_means_the_defaults(tmp_path, text):
    assert len(read_book(write_book(tmp_path, settings=text)).deals) == N


def test_settings_as_yaml_writes_them():
    table = "{columns: {value: 2024}, dates: {2024: S1}, values: {value: {1: S1}}}"
    raw = f"extracted_on: 2024-03-31\ntables: {{history: {table}}}"
    parsed = parse_settings(yaml.safe_load(raw))
    assert parsed.extracted_on == dt.date(2024, 3, 31)
    source = parsed.tables["history"]
    assert (source.columns, source.dates, source.values) == (
        {"value": "2024"},
        {"2024": "S1"},
        {"value": {"1": "S1"}},
    )
    assert parse_settings({"extracted_on": pd.Timestamp("2024-03-31 12:00")}).extracted_on == dt.date(2024, 3, 31)
    assert parse_settings({"tables": {"deals": "d.xlsx"}}).tables["deals"].file == "d.xlsx"


# Other shapes of a history


def only_changes():
    """Three deals; of each change of two fields the value before it too, as Salesforce keeps them."""
    rows = [
        ("D1", "2024-02-01", "StageName", "S3", "S4"),
        ("D1", "2024-03-01", "StageName", "S4", "Closed Won"),
        ("D1", "2024-02-05", "Amount", "70", "50"),
        ("D2", "2024-01-03", "created", None, None),
        ("D3", "2024-02-01", "StageName", "Prospect", "S2"),
    ]
    columns = {"deal_id": "Id", "changed_at": "CreatedDate", "field": "Field", "old_value": "OldValue"}
    values = {"field": {"StageName": "stage", "Amount": "amount"}, "value": {"Closed Won": "won", "Prospect": "S1"}}
    frame = pd.DataFrame(rows, columns=[*columns.values(), "NewValue"])
    return frame, {"columns": columns | {"value": "NewValue"}, "values": values}


def test_a_history_of_changes_only_begins_with_the_value_before_the_first():
    history, source = only_changes()
    book = make_book(
        deals=some_deals(4), history=history, settings={"limit_set_aside": 1, "tables": {"history": source}}
    )
    frame = book.history.assign(day=book.history["changed_at"].dt.strftime("%m-%d"))
    assert frame[["deal_id", "day", "field", "value"]].to_numpy().tolist()[:8] == [
        ["D1", "01-01", "stage", "S3"], ["D1", "02-01", "stage", "S4"],
        ["D1", "03-01", "stage", "won"],
        ["D1", "01-01", "amount", "70"], ["D1", "02-05", "amount", "50"],
        ["D2", "01-03", "created", None],
        ["D3", "01-03", "stage", "S1"], ["D3", "02-01", "stage", "S2"],
    ]  # fmt: skip
    counts = book.rows.set_index("table").loc["history"]
    assert (counts["read"], counts["kept"], len(book.set_aside)) == (8, 8, 0)
    assert "first values from old_value" in reported(book)
    first = events(book).query("field == 'stage' and deal == 0").iloc[0]
    assert (first["value"], first["known_day"] - first["day"]) == ("S3", 31)  # known from the change on
    assert not book.has_recorded_at


def test_a_value_before_a_change_breaks_the_rules_that_any_value_breaks():
    history, source = only_changes()
    del source["values"]["value"]["Prospect"]
    book = make_book(
        deals=some_deals(4), history=history, settings={"limit_set_aside": 1, "tables": {"history": source}}
    )
    assert aside(book) == [("history", 5, "D3", "unknown stage", "value", "Prospect")]
    counts = book.rows.set_index("table").loc["history"]
    assert (counts["read"], counts["kept"]) == (8, 7)


def test_the_first_value_of_a_history_is_the_same_in_a_file_written_before_a_late_row():
    rows = [
        ("D1", "2024-02-01", "stage", "S3", "S4", "2024-02-01"),
        ("D1", "2024-01-20", "stage", "S2", "S3", "2024-05-01"),
    ]
    history = pd.DataFrame(rows, columns=["deal_id", "changed_at", "field", "old_value", "value", "recorded_at"])
    books = [
        make_book(deals=some_deals(1), history=part, settings={"extracted_on": "2024-06-30"})
        for part in (history[:1], history)
    ]
    before, after = (events(book).query("known_day < 19800") for book in books)
    columns = ["day", "known_day", "value", "code"]
    assert after[columns].to_numpy().tolist() == before[columns].to_numpy().tolist()


def test_a_stage_table():
    history = some_history(2).drop(columns="field").rename(columns={"value": "stage", "changed_at": "entered"})
    source = {"shape": "stage_table", "columns": {"value": "stage", "changed_at": "entered"}}
    book = book_of(some_deals(2), history.assign(field="mine"), tables={"history": source})
    assert book.history["field"].eq("stage").all()
    assert book.history["value"].tolist() == ["S1", "S2", "S1", "S2"]
    text = refused(lambda: book_of(history=history, tables={"history": {"shape": "stage_table"}}), "changed_at, value")
    assert "field" not in text


WIDE = {
    "shape": "wide_dates",
    "columns": {"deal_id": "Nr"},
    "dates": {"Open": "S1", "Offer": "S5", "No": "lost", "Yes": "won"},
}


def wide(*rows):
    return pd.DataFrame(rows, columns=["Nr", "Open", "Offer", "No", "Yes", "Plan"], dtype=object)


def wide_book(frame, **sets):
    deals = pd.DataFrame({"deal_id": frame["Nr"].dropna().unique()})
    source = WIDE | sets.pop("source", {})
    return make_book(deals=deals, history=frame, settings={"limit_set_aside": 1, "tables": {"history": source}, **sets})


def test_wide_dates_are_one_row_a_filled_cell():
    frame = wide(
        ("1", "2024-01-01", "2024-02-01", None, "2024-02-01", "2030-01-01"),
        ("2", "2024-01-05", " ", "", None, None),
        ("3", None, None, "2024-03-01", None, None),
    )
    book = wide_book(frame, source={"ignored": ["Plan"]})
    balanced(book, deals=3, history=5)
    frame = events(book)
    got = list(zip(book.deals["deal_id"].iloc[frame["deal"]], frame["value"], strict=True))
    assert got == [("1", "S1"), ("2", "S1"), ("1", "S5"), ("1", "won"), ("3", "lost")]
    assert reported(book)["two stages at one instant"] == "1"


def test_a_dash_in_a_cell_of_wide_dates_fills_it_with_nothing():
    frame = wide(
        ("1", "2024-01-01", "-", "N/A", "2024-02-01", None),
        ("2", "2024-01-05", "无", "#N/A", "0000-00-00", None),
        ("3", "2024-01-06", "——", "", "?", None),
    )
    book = wide_book(frame)
    balanced(book, deals=3, history=5)
    assert aside(book) == [("history", 3, "3", "changed_at unreadable", "Yes", "?")]
    assert events(book)["value"].tolist() == ["S1", "S1", "S1", "won"]


def test_ties_of_wide_dates_are_in_the_order_of_dates():
    row = wide(("1", "2024-01-01", "2024-01-01", None, "2024-01-01", None))
    dates = {"Yes": "won", "Offer": "S5", "Open": "S1"}
    assert events(wide_book(row))["value"].tolist() == ["S1", "S5", "won"]
    assert events(wide_book(row, source={"dates": dates}))["value"].tolist() == ["won", "S5", "S1"]


def test_faults_of_wide_dates_name_row_and_column():
    frame = wide(
        ("1", "2024-01-01", "later", None, "1900-01-01", None),
        ("2", "2024-01-05", None, "2031-01-01", None, None),
        (None, "2024-01-05", None, None, None, None),
        ("2", "2024-01-05", None, None, None, None),
    )
    book = wide_book(frame, extracted_on="2024-12-31")
    balanced(book, deals=2, history=7)
    assert aside(book) == [
        ("history", 1, "1", "changed_at unreadable", "Offer", "later"),
        ("history", 1, "1", "implausible date", "Yes", "1900-01-01"),
        ("history", 2, "2", "scheduled, not an event", "No", "2031-01-01"),
        ("history", 3, None, "deal_id missing", "Open", None),
        ("history", 4, "2", "duplicate row", "Open", "2"),
    ]


def test_wide_date_columns_share_one_date_format():
    frame = wide(("1", "03/04/2024", "04/04/2024", None, "13/05/2024", None))
    refused(lambda: wide_book(frame), "'Open'", "date_format")
    book = wide_book(frame, date_format="%d/%m/%Y")
    assert book.history["changed_at"].dt.month.tolist() == [4, 4, 5]
    native = frame.assign(**{c: pd.to_datetime(frame[c], format="%d/%m/%Y") for c in ("Open", "Offer", "Yes")})
    same_book(wide_book(native, date_format="%d/%m/%Y"), book)


def test_a_mapping_of_wide_dates_that_cannot_be():
    frame = wide(("1", "2024-01-01", None, None, None, None))
    refused(
        lambda: wide_book(frame, source={"dates": {"Close": "won"}, "ignored": ["Due"]}),
        "Close, Due",
        "Columns found: Nr",
    )
    refused(lambda: wide_book(frame, source={"dates": {"Open": "signed"}}), "Open: signed", "S1, S2")
    refused(lambda: wide_book(frame, source={"dates": {}}), "`dates` names no column")
    assert wide_book(frame, source={"dates": {"Open": "OPEN THE PROJECT"}}).history["value"].tolist() == ["S1"]


def test_wide_dates_of_no_filled_cell():
    book = wide_book(wide(("1", None, " ", None, None, None)))
    balanced(book, deals=1, history=0)
    balanced(wide_book(wide()), deals=0, history=0)


@pytest.mark.parametrize("mapped", [False, True])
def test_deals_that_ended_without_a_usable_date(tmp_path, mapped):
    text = "Nr,Open,Offer,No,Yes,Plan,Status\n"
    text += "1,2024-01-01,,2024-02-01,,,Lost\n2,2024-01-01,,,,,LOST\n3,2024-01-01,,,,,open\n"
    text += "4,2024-01-01,,never,,,Won\n"
    text += "5,2024-01-01,2024-03-01,2024-02-01,,,Lost\n6,,,,,,\n"
    deals = {"columns": {"deal_id": "Nr"} | ({"phase": "Status"} if mapped else {}), "file": "history.csv"}
    deals["ended_status"] = {"column": "Status", "values": ["Lost", "won"]}
    sets = {"limit_set_aside": 0.99, "tables": {"deals": deals, "history": WIDE}}
    book = read_book(write_book(tmp_path, history=text, settings=sets))
    balanced(book, deals=6, history=9)
    rule = "ended without a usable date"
    assert aside(book, "deals") == [
        ("deals", 2, "2", rule, "Status", "LOST"),
        ("deals", 4, "4", rule, "Status", "Won"),
        ("deals", 5, "5", rule, "Status", "Lost"),
        ("deals", 6, "6", "neither creation nor history", "created_at", None),
    ]
    assert [(row[1], row[3]) for row in aside(book, "history")] == [
        (2, "deal set aside"), (4, "changed_at unreadable"), (4, "deal set aside"),
        (5, "deal set aside"), (5, "deal set aside"), (5, "deal set aside"),
    ]  # fmt: skip
    deals["ended_status"] = {"column": "State", "values": []}
    refused(lambda: read_book(write_book(tmp_path, history=text, settings=sets)), "'State'", "ended_status")


# Doors of memory


def native(kind, frame):
    if kind == "polars":
        return pl.from_pandas(frame)
    if kind == "polars lazy":
        return pl.from_pandas(frame).lazy()
    if kind == "arrow":
        return pa.Table.from_pandas(frame)
    return duckdb.connect().from_arrow(pa.Table.from_pandas(frame))


@pytest.mark.parametrize("typed", [False, True])
def test_other_frames_give_the_same_book(typed):
    deals, history = some_deals(region=["a", None] * 10), some_history(recorded_at="2024-03-01")
    deals, history = put(deals, 3, amount="-1"), put(history, 9, value="S9")
    if typed:
        deals["created_at"], deals["amount"] = pd.to_datetime(deals["created_at"]), deals["amount"].astype(float)
        history["changed_at"] = pd.to_datetime(history["changed_at"])
    expected = make_book(deals=deals, history=history)
    assert len(expected.set_aside) == 4
    for kind in ("polars", "polars lazy", "arrow", "duckdb"):
        same_book(make_book(deals=native(kind, deals), history=native(kind, history)), expected)


def test_the_frames_given_are_not_changed():
    deals = put(some_deals(currency="EUR", row="x"), 2, amount="-1").set_index(pd.Index(range(N, 0, -1)))
    history = add(some_history(recorded_at=None), deal_id="D1", field="stage", value="won")
    before = deals.copy(deep=True), history.copy(deep=True)
    book = book_of(deals, history, currency="CNY", rates={"EUR": 8})
    book.deals["amount"] = 0
    pd.testing.assert_frame_equal(deals, before[0])
    pd.testing.assert_frame_equal(history, before[1])


def test_columns_of_odd_kinds():
    deals = some_deals(3, product=[1, 2.0, "3"], region=[True, False, None], source=pd.Categorical(["a", "b", "a"]))
    deals["created_at"] = [dt.date(2024, 1, 1), dt.datetime(2024, 1, 2), "2024-01-03"]  # noqa: DTZ001
    deals["tags"], deals["odd"], deals[7] = [["a"], [], None], [{1}, object, 2.0], pd.Period("2024Q1")
    book = book_of(deals, some_history(3))
    assert book.set_aside.empty
    assert book.deals["product"].tolist() == ["1", "2", "3"]
    region = book.deals["region"].astype(object)
    assert region.where(region.notna(), None).tolist() == ["true", "false", None]
    assert book.deals["created_at"].dt.day.tolist() == [1, 2, 3]
    assert [name for name in book.deals if name in ("tags", "odd", "7")] == ["tags", "odd", "7"]
    targets = pd.DataFrame({"quarter": pd.period_range("2024Q1", periods=2, freq="Q"), "amount": [1, 2]})
    assert book_of(targets=targets).targets["quarter"].tolist() == ["2024Q1", "2024Q2"]


# Judged by itself and by rows recorded no later


STATES = ["S1", "S2", "S5", "on_hold", "won", "lost", "no such stage"]


def random_tables(seed, n_deals=300, n_rows=1500):
    """Deals and history with everything wrong that can be wrong."""
    rng = np.random.default_rng(seed)

    def dates(n, odd):
        days = [str(day) for day in np.datetime64("2024-01-01") + rng.integers(-3, 40, n)]
        return np.where(rng.random(n) < 0.85, days, rng.choice(np.array(odd, dtype=object), n))

    ids = np.array([f"D{i}" for i in range(n_deals)], dtype=object)
    created = dates(n_deals, [None, "1899-01-01", "2024-06-01", "2040-01-01", "soon"])
    deals = pd.DataFrame({"deal_id": ids, "created_at": created})
    deals["amount"] = rng.choice(np.array(["1"] * 15 + ["2", "-1", "x"], dtype=object), n_deals)
    again = deals.sample(10, random_state=seed), deals.sample(10, random_state=seed + 1).assign(amount="3")
    deals = pd.concat([deals, *again], ignore_index=True)
    field = rng.choice(np.array(["stage"] * 6 + ["amount", "activity", "close_date"], dtype=object), n_rows)
    value = rng.choice(np.array(STATES, dtype=object), n_rows)
    value = np.where(field == "amount", rng.choice(np.array(["1", "-1", "x"], dtype=object), n_rows), value)
    value = np.where(field == "close_date", rng.choice(np.array(["2024-01-05", "x"], dtype=object), n_rows), value)
    changed = dates(n_rows, [None, "1899-01-01", "2024-02-20", "2040-01-01", "soon"])
    recorded = dates(n_rows, [None, None, "1899-01-01", "2040-01-01", "later"])
    recorded = np.where(rng.random(n_rows) < 0.3, changed, recorded)
    known = np.append(ids, "unknown")[rng.integers(0, n_deals + 1, n_rows)]
    history = changes(*zip(known, changed, field, value, recorded, strict=True))
    history = pd.concat([history, history.sample(100, random_state=seed)], ignore_index=True)
    return deals.sample(frac=1, random_state=seed), history.sample(frac=1, random_state=seed)


def iso_dates(texts):
    return pd.to_datetime(texts, errors="coerce", format="%Y-%m-%d")


def known_from(history):
    """Day from which a row can be read, missing where it never can."""
    changed, recorded = (iso_dates(history[c]) for c in ("changed_at", "recorded_at"))
    return pd.concat([changed, recorded], axis=1).max(axis=1).where(changed.notna())


def verdicts(deals, history, extracted_on):
    """Index in the full source -> rule (None: kept), of deals and of history."""
    book = book_of(deals, history, extracted_on=extracted_on)
    rules = [{row[1]: row[3] for row in aside(book, name)} for name in ("deals", "history")]
    frames = zip((deals, history), rules, strict=True)
    return [pd.Series({i: rule.get(row) for row, i in enumerate(f.index, 1)}, dtype=object) for f, rule in frames]


@pytest.mark.parametrize("seed", range(4))
def test_a_verdict_never_depends_on_what_was_recorded_later(seed):
    deals, history = random_tables(seed)
    known = known_from(history)
    first = deals["deal_id"].map(known.groupby(history["deal_id"]).min())
    has_rows = deals["deal_id"].isin(history["deal_id"])
    created = iso_dates(deals["created_at"])
    full = verdicts(deals, history, "2039-12-31")
    assert len({*full[0].dropna(), *full[1].dropna()}) > 14
    for until in ("2024-01-05", "2024-01-20", "2024-02-04"):
        seen = first.where(has_rows, created) <= until
        then = verdicts(deals[seen], history[known <= until], until)
        for before, after in zip(then, full, strict=True):
            pd.testing.assert_series_equal(before, after[before.index])


def test_the_order_of_the_source_does_not_change_a_verdict():
    rows = [
        ("D1", "2023-12-01", "stage", "S1", "2023-12-05"),
        ("D1", "2023-12-04", "stage", "lost", "2023-12-05"),
    ]
    for history in (changes(*rows), changes(*rows[::-1])):
        assert book_of(some_deals(1), history).set_aside.empty


def test_messages_do_not_quote_sql():
    deals = some_deals(deal_id=[f'x"; DROP TABLE deals; --{i}' for i in range(N)], amount="?")
    text = refused(lambda: book_of(deals, some_history(0), limit=0.1), 'x"; DROP TABLE deals; --0')
    assert not re.search("SELECT|Parser|Binder", text)


def test_the_real_sample_still_reads():
    book = read_book(Path(__file__).parent.parent / "data" / "sample" / "repd")
    rows = book.rows.set_index("table")
    balanced(book, deals=6292, history=13286)
    assert rows["kept"].to_dict() == {"deals": 6085, "history": 13227}
