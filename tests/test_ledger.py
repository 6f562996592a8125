"""The ledger: records come back as they went in, survive writers that are killed, and are judged by what was known."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import book_of, day_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.cli import main
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast.data_hash import data_hash, plain_table
from salesanalytics.forecast.draws import joined
from salesanalytics.forecast.track_record import TrackRecord
from salesanalytics.labels import label
from salesanalytics.models.bands import crps
from salesanalytics.report.ledger import accuracy_text, ledger_text
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_day

pytestmark = pytest.mark.usefixtures("on_the_stage_table")

AS_OF, QUARTER, LAST = "2012-06-30", "2012Q3", 1000
KILLS = int(os.environ.get("LEDGER_KILLS", "25"))


@pytest.fixture(scope="module")
def frames():
    deals, history = simulate(5, days=LAST + 1, per_day=0.2)
    return deals, history.assign(recorded_at=history["changed_at"])


@pytest.fixture(scope="module")
def book(frames):
    return book_of(*frames, last=LAST, currency="CNY")


@pytest.fixture(scope="module")
def forecast(book):
    return sa.forecast_quarter(book, quarter=QUARTER, as_of=AS_OF, draws=400, seed=3, target=500.0)


@pytest.fixture
def ledger(tmp_path):
    return sa.Ledger(tmp_path / "deep" / "ledger")


# ---------------------------------------------------------------- round trip


@dataclass(frozen=True)
class Call:
    deal_id: str
    p: float
    on: date


def test_a_record_comes_back_as_it_went_in(ledger, book, forecast):
    calls = [Call("D00001", 0.9, date(2012, 7, 1)), {"deal_id": "D00002", "who": "Łi 李", "p": np.float64("nan")}]
    name = ledger.record(forecast, book=book, note='said "so"\n', judgement=calls)
    found = sa.Ledger(str(ledger.path)).load(name)
    assert found.record_id == name
    assert name.startswith(f"{found.recorded_at:%Y%m%dT%H%M%S%f}Z-")
    assert found.recorded_at.utcoffset().total_seconds() == 0
    assert (found.period, found.as_of, found.unit) == (forecast.period, forecast.as_of, "CNY")
    assert (found.seed, found.draws, found.target, found.note) == (3, 400, 500.0, 'said "so"\n')
    assert found.summary == json.loads(json.dumps(forecast.to_dict()))
    assert found.judgement == [
        {"deal_id": "D00001", "p": 0.9, "on": "2012-07-01"}, {"deal_id": "D00002", "who": "Łi 李", "p": None},
    ]  # fmt: skip
    assert found.versions["salesanalytics"] == sa.__version__
    assert found.versions["pandas"] == pd.__version__
    assert found.data_hash == data_hash(book)
    assert found.track_record is None
    assert plain_table(found.deals).equals(plain_table(forecast.deals))  # whatever stands for a missing text
    typed = forecast.deals.select_dtypes(exclude="object").columns
    pd.testing.assert_frame_equal(found.deals[typed], forecast.deals[typed])
    pd.testing.assert_frame_equal(found.components, forecast.components())
    assert list(found.quantiles["level"].iloc[[0, 1, 100, 200]]) == [0.0, 0.005, 0.5, 1.0]
    for measure in ("amount", "count"):
        expected = np.quantile(forecast.total(measure), found.quantiles["level"])
        np.testing.assert_array_equal(found.quantiles[measure], expected)


def test_the_list_shows_every_record_in_the_order_of_time(ledger, book, forecast):
    assert len(ledger.list()) == 0  # and no folder is made by looking
    assert not ledger.path.exists()
    names = [ledger.record(replace(forecast, target=t), book=book, note=str(t)) for t in (None, 700.0)]
    ledger.path.joinpath("notes of mine").mkdir()
    ledger.path.joinpath("README.txt").write_text("mine")
    found = ledger.list()
    assert list(found["record_id"]) == sorted(names)
    assert set(found["note"]) == {"None", "700.0"}
    assert set(found["damage"]) == {""}
    one = found.set_index("note").loc["700.0"]
    assert (one["quarter"], one["as_of"], one["draws"], one["n_judgements"]) == (QUARTER, date(2012, 6, 30), 400, 0)
    assert (one["mean"], one["q50"]) == (forecast.total().mean(), np.median(forecast.total()))
    assert one["count_mean"] == forecast.total("count").mean()
    assert np.isnan(found.set_index("note").loc["None", "target"])
    assert repr(ledger).endswith("2 records>")


def test_a_target_that_is_reached_already_is_certain_in_the_list_too(ledger, book, forecast):
    some = replace(forecast, amount=forecast.amount | {"signed": np.full(400, 50.0), "reopened": np.full(400, 9.0)})
    for target in (50 * (1 + 1e-12), 20.0, 55.0):
        ledger.record(replace(some, target=target), book=book)
    found = ledger.list()
    assert found["signed"].tolist() == [50.0] * 3
    assert found["p_target"].tolist() == [1.0] * 3
    told = ledger_text(found, "en", path=ledger.path)
    assert [line.split("  ")[-1].strip() for line in told.splitlines()[-3:]] == ["100 %", "100 %", ">99 %"]


def test_columns_of_mixed_kinds_are_kept_as_text():
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "mixed": [1, "a"], "kind": pd.Categorical(["p", None])})
    found = plain_table(frame.assign(nothing=None)).to_pydict()
    assert found == {"n": [1, 2], "x": [0.5, None], "mixed": ["1", "a"], "kind": ["p", None], "nothing": [None, None]}


def test_what_json_cannot_hold_is_refused_before_anything_is_written(ledger, book, forecast):
    with pytest.raises(SchemaError, match="got object"):
        ledger.record(forecast, book=book, judgement=[{"deal_id": object()}])
    assert not ledger.path.exists()


@pytest.mark.parametrize("name", ["../ledger", "", "20120101T000000000000Z-0123456789abcdef", "/etc"])
def test_a_record_that_is_not_there_is_refused(ledger, name):
    with pytest.raises(SchemaError, match="has no record"):
        ledger.load(name)


# ---------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.rename"])
def test_a_writer_that_fails_leaves_nothing(ledger, book, forecast, monkeypatch, step):
    kept = ledger.record(forecast, book=book)

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(step, full)
    with pytest.raises(OSError, match="disk full"):
        ledger.record(forecast, book=book)
    assert [path.name for path in ledger.path.iterdir()] == [kept]


#: Makes a forecast once; then, on every line read, as many children as it names are born by fork. Each says its
#: number, records without end (or n times), and says the id after each record has returned.
WRITER = """
import os, sys
sys.path.insert(0, sys.argv[2])
from worlds import book_of, simulate
import salesanalytics as sa
from salesanalytics.forecast import ledger as module
from salesanalytics.models import past
for rung in ("logistic", "blend"):
    past.MIN_CLOSED[rung] = 10**9
book = book_of(*simulate(5, days=1001, per_day=0.2), last=1000)
forecast = sa.forecast_quarter(book, quarter="2012Q3", as_of="2012-06-30", draws=50)
# The engine of a book does not outlive a fork; and so nearly all of the time goes into writing.
summary, tables = module.summary_of(forecast, book, note="", judgement=()), module.tables_of(forecast)
module.summary_of, module.tables_of = lambda *_, **__: summary, lambda _: tables
ledger = sa.Ledger(sys.argv[1])
os.write(1, b"ready\\n")
for line in sys.stdin:
    children, n = map(int, line.split())
    born = []
    for _ in range(children):
        child = os.fork()
        if not child:
            os.write(1, b"pid %d\\n" % os.getpid())
            k = 0
            while k < n or not n:
                os.write(1, ledger.record(forecast, book=book).encode() + b"\\n")
                k += 1
            os._exit(0)
        born.append(child)
    for child in born:
        os.waitpid(child, 0)
    os.write(1, b"dead\\n")
"""


class Writer:
    def __init__(self, folder):
        argv = [sys.executable, "-c", WRITER, str(folder), str(Path(__file__).parent)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout.readline() == "ready\n"

    def start(self, children=1, n=0):
        self.process.stdin.write(f"{children} {n}\n")
        self.process.stdin.flush()

    def line(self):
        return self.process.stdout.readline().strip()

    def reported(self):
        return [line for line in iter(self.line, "dead") if not line.startswith("pid")]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)


@pytest.fixture
def writer(ledger):
    found = Writer(ledger.path)
    yield found
    found.close()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


@needs_fork
def test_a_writer_killed_at_any_moment_leaves_whole_records_and_loses_none_it_reported(ledger, writer):
    rng, reported = np.random.default_rng(1), []
    for k in range(KILLS):
        writer.start()
        child = int(writer.line().removeprefix("pid "))
        reported += [] if k % 3 else [writer.line()]
        time.sleep(rng.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        reported += writer.reported()
    found = ledger.list()
    assert set(found["damage"]) == {""}
    assert set(reported) <= set(found["record_id"])
    assert len(found) - len(reported) <= KILLS  # whole, but killed before it could say so
    assert [ledger.load(name).draws for name in reported] == [50] * len(reported)
    left = [path.name for path in ledger.path.iterdir() if path.name.startswith(".writing-")]
    assert 0 < len(left) <= KILLS  # some were killed in the middle
    assert len(left) + len(found) == len(list(ledger.path.iterdir()))


@needs_fork
def test_several_writers_at_once_do_not_meet(ledger, writer):
    writer.start(children=2, n=20)
    reported = writer.reported()
    found = ledger.list()
    assert len(set(reported)) == 40
    assert sorted(reported) == list(found["record_id"])
    assert set(found["damage"]) == {""}


# ---------------------------------------------------------------- damage


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-20])


def _emptied(path):
    path.write_bytes(b"")


def _one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def _more(path):
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("file", ["record.json", "deals.parquet", "track_record.parquet"])
@pytest.mark.parametrize(
    ("hurt", "damage"),
    [
        (_truncated, "altered"),
        (_emptied, "altered"),
        (_one_bit, "altered"),
        (_more, "altered"),
        (Path.unlink, "missing"),
    ],
)
def test_a_damaged_record_is_named_and_the_rest_stay_readable(ledger, book, forecast, file, hurt, damage):
    kept = [ledger.record(forecast, book=book, note="good") for _ in range(3)]
    hit = ledger.record(replace(forecast, record=_poor_record()), book=book)
    hurt(ledger.path / hit / file)
    found = ledger.list().set_index("record_id")
    assert (found.loc[hit, "damage"], found.loc[hit, "file"]) == (damage, file)
    assert pd.isna(found.loc[hit, "quarter"]) == (file == "record.json")
    assert set(found.loc[kept, "damage"]) == {""}
    assert set(found.loc[kept, "quarter"]) == {QUARTER}
    with pytest.raises(SchemaError, match=f"{hit} is damaged: {file} {damage}"):
        ledger.load(hit)
    assert [ledger.load(name).note for name in kept] == ["good"] * 3
    assert set(ledger.accuracy(book, as_of="2012-09-26", grace_days=0)["record_id"]) == set()


def test_no_byte_of_a_record_can_change_unseen(ledger, book, forecast):
    name = ledger.record(forecast, book=book)
    for file in ("record.json", "deals.parquet"):
        path = ledger.path / name / file
        content = path.read_bytes()
        for place in np.random.default_rng(0).choice(len(content), 60, replace=False):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x20]) + content[place + 1 :])
            assert ledger.list()["file"].tolist() == [file], place
        path.write_bytes(content)
    assert ledger.list()["damage"].tolist() == [""]


def test_a_record_of_a_later_version_is_named(ledger, book, forecast, monkeypatch):
    monkeypatch.setattr("salesanalytics.forecast.record_files.FORMAT", 2)
    ledger.record(forecast, book=book)
    monkeypatch.undo()
    assert ledger.list()["damage"].tolist() == ["newer"]


# ---------------------------------------------------------------- accuracy


def _signed_in_spring(**more):
    """100 signed in April, 60 in June but typed in on 15 July; 40 in June, typed in on 5 August; 1,000 in July."""
    days = {"a": (100, 100, 100), "b": (60, 160, 195), "c": (40, 170, 216), "d": (1000, 185, 185)}
    paths = {deal: [("S1", 10), ("won", won, typed)] for deal, (_, won, typed) in days.items()}
    return tiny(paths, last=more.pop("last", 400), deals={"amount": [a for a, _, _ in days.values()]}, **more)


def _uniform(forecast, **more):
    """A forecast whose amount is evenly spread over 0..200 and which is certain of 2 deals."""
    drawn = {"count": {"signed": np.full(2001, 2.0)}, "amount": {"signed": np.linspace(0, 200, 2001)}}
    head = {"period": parse_period("2010Q2"), "as_of": date(2010, 4, 30), "unit": "", "signings": joined([], 2001)}
    return replace(forecast, **(drawn | head | more))


def test_accuracy_by_hand(ledger, forecast):
    book = _signed_in_spring()
    ledger.record(_uniform(forecast), book=book)
    found = ledger.accuracy(book, as_of="2010-07-30").set_index("measure")
    amount, count = found.loc["amount"], found.loc["count"]
    assert (amount["quarter"], amount["as_of"], amount["days_left"]) == ("2010Q2", date(2010, 4, 30), 61)
    np.testing.assert_allclose(amount[["q10", "q25", "q50", "q75", "q90"]].astype(float), [20, 50, 100, 150, 180])
    assert amount["actual"] == 160  # c was typed in after 30 days of grace
    assert np.isclose(amount["forecast"], 100)
    assert np.isclose(amount["error"], -60)
    # uniform on 0..1 and truth y: (y^3 + (1 - y)^3) / 3
    assert np.isclose(amount["crps"], 200 * (0.8**3 + 0.2**3) / 3, rtol=1e-3)
    assert np.isclose(amount["interval_score"], 160)
    assert (amount["in_50"], amount["in_80"]) == (False, True)
    assert (count["actual"], count["error"], count["in_50"], count["in_80"]) == (2, 0, True, True)
    assert abs(count["crps"]) < 1e-12


def test_a_quarter_is_judged_once_it_is_over_and_known(ledger, forecast):
    book = _signed_in_spring()
    early = ledger.record(_uniform(forecast), book=book)
    ledger.record(_uniform(forecast, period=parse_period("2010Q3"), as_of=date(2010, 7, 15)), book=book)
    asked = {day: ledger.accuracy(book, as_of=day) for day in ("2010-07-29", "2010-07-30", "2010-10-29", "2010-10-30")}
    assert [len(found) for found in asked.values()] == [0, 2, 2, 4]
    assert list(asked["2010-07-29"].columns) == list(asked["2010-10-30"].columns)
    first = asked["2010-10-30"]
    first = first[first["record_id"].eq(early)]
    pd.testing.assert_frame_equal(first, asked["2010-07-30"])  # nothing that is typed in later moves it
    patient = ledger.accuracy(book, as_of="2010-10-30", grace_days=60).query("measure == 'amount'")
    assert patient["actual"].tolist() == [200]  # c is known by then; the third quarter is not
    with pytest.raises(AsOfError):
        ledger.accuracy(book, as_of="2020-01-01")


def test_the_score_from_stored_quantiles_is_that_of_the_draws(ledger, book, forecast):
    past_one = sa.forecast_quarter(book, quarter="2012-07", as_of=AS_OF, draws=5000)
    ledger.record(past_one, book=book)
    found = ledger.accuracy(book, as_of="2012-09-20").set_index("measure")
    for measure in ("amount", "count"):
        truth = sa.actual(book, quarter="2012-07", known_at="2012-08-30")[measure]
        assert found.loc[measure, "actual"] == truth
        assert np.isclose(found.loc[measure, "crps"], crps(past_one.total(measure), truth), rtol=0.01)


@pytest.mark.parametrize("other", [{"unit": "MW"}, {"period": parse_period("2010Q2", fiscal_year_start=4)}])
def test_records_of_another_book_are_not_judged(ledger, forecast, other):
    book = _signed_in_spring(last=900)
    ledger.record(_uniform(forecast, **other), book=book)
    with pytest.raises(SchemaError, match="Keep one ledger a book"):
        ledger.accuracy(book, as_of="2012-01-01")


# ---------------------------------------------------------------- two records


def test_two_records_deal_by_deal(ledger, book, forecast):
    def with_deals(rows):
        columns = ["deal_id", "state", "p_in_period", "amount", "expected_amount"]
        return replace(forecast, deals=pd.DataFrame(rows, columns=columns), signings=joined([], 400))

    before = with_deals([("a", "S1", 0.5, 100.0, 50.0), ("b", "S2", 0.2, 50.0, 10.0), ("gone", "S3", 1.0, 5.0, 5.0)])
    after = with_deals([("new", "S1", 0.1, 70.0, 7.0), ("a", "S2", 0.75, 200.0, 150.0), ("b", "S2", 0.2, 50.0, 10.0)])
    names = [ledger.record(one, book=book) for one in (before, after)]
    found = ledger.compare(*names).set_index("deal_id")
    assert list(found.index) == ["a", "new", "gone", "b"]
    assert found["change"].tolist() == [100.0, 7.0, -5.0, 0.0]
    assert found["status"].tolist() == ["both", "appeared", "left", "both"]
    assert found.loc["a", ["state_before", "state_after", "p_in_period_after", "amount_before"]].tolist() == [
        "S1", "S2", 0.75, 100.0,
    ]  # fmt: skip
    other = ledger.record(replace(forecast, period=parse_period("2012Q4")), book=book)
    with pytest.raises(SchemaError, match="2012Q3 and 2012Q4"):
        ledger.compare(names[0], other)


# ---------------------------------------------------------------- once more from the same book


def _poor_record():
    quarters = [f"{year}Q{q}" for year in (2010, 2011) for q in range(1, 5)]
    rows = {"quarter": quarters, "measure": "count", "method": "forecast", "pit": 0.999, "as_of": date(2010, 1, 1)}
    told = {"week": 0, "forecast": 1.0, "actual": 9.0, "crps": 8.0, "comparable": False}
    return TrackRecord(pd.DataFrame(rows).assign(**told), one_extract=True)


@pytest.mark.parametrize("record", [None, _poor_record()], ids=["alone", "widened"])
def test_a_record_made_again_gives_the_same_numbers(ledger, frames, book, record):
    first = sa.forecast_quarter(book, quarter=QUARTER, as_of=AS_OF, draws=300, seed=9, record=record)
    name = ledger.record(first, book=book)
    deals, history = frames
    again = book_of(deals.copy(), history.copy(), last=LAST, currency="CNY")
    found = ledger.rerun(name, book=again)
    for measure in ("amount", "count"):
        np.testing.assert_array_equal(found.total(measure), first.total(measure))
    assert found.to_dict() == first.to_dict()
    pd.testing.assert_frame_equal(found.deals, first.deals)
    kept = ledger.load(name).track_record
    assert kept is None if record is None else kept.stretch == record.stretch > 1
    assert record is None or kept.one_extract == (not book.has_recorded_at)


def test_a_hypothesis_is_not_recorded(ledger, book, forecast):
    decided = sa.what_if(forecast, lost=[forecast.deals["deal_id"][0]])
    with pytest.raises(SchemaError, match="A what_if is no forecast"):
        ledger.record(decided, book=book)
    assert len(ledger.list()) == 0


def test_a_record_made_with_extracts_asks_for_them(ledger, frames):
    deals, history = frames[0], frames[1].drop(columns="recorded_at")
    book = book_of(deals, history, last=LAST, currency="CNY")
    was = book_of(deals, history[history["changed_at"] <= day_of(LAST - 60)], last=LAST - 60, currency="CNY")
    extracts = sa.compare_extracts(was, book)
    asked = {"quarter": "2013Q2", "as_of": book.settings.extracted_on, "draws": 200}
    first = sa.forecast_quarter(book, **asked, extracts=extracts)
    name = ledger.record(first, book=book)
    with pytest.raises(SchemaError, match="was made with an allowance from two extracts"):
        ledger.rerun(name, book=book)
    again = ledger.rerun(name, book=book, extracts=extracts)
    np.testing.assert_array_equal(again.total(), first.total())
    plain = ledger.record(sa.forecast_quarter(book, **asked), book=book)
    with pytest.raises(SchemaError, match="was made without extracts"):
        ledger.rerun(plain, book=book, extracts=extracts)


def test_another_book_is_refused(ledger, frames, book, forecast):
    name = ledger.record(forecast, book=book)
    deals, history = frames
    other = book_of(deals.assign(amount=deals["amount"] + 0.1), history, last=LAST, currency="CNY")
    with pytest.raises(SchemaError, match="made from other data"):
        ledger.rerun(name, book=other)


# ---------------------------------------------------------------- the fingerprint


def _shuffled(frame, seed):
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def test_recording_dates_that_come_later_do_not_change_what_was_known_before():
    rows = pd.DataFrame({"deal_id": "a", "field": "stage", "value": ["S1", "S2"]})
    rows["changed_at"] = ["2026-01-05", "2026-03-05"]
    deals = pd.DataFrame({"deal_id": ["a"], "created_at": ["2026-01-05"]})
    day = to_day("2026-02-01")
    found = [
        data_hash(sa.make_book(deals=deals, history=history), known_day=known)
        for history in (rows[:1], rows.assign(recorded_at=[None, "2026-03-06"]))
        for known in (day, None)
    ]
    assert found[0] == found[2]
    assert found[1] != found[3]


def _hash(deals, history, **more):
    return data_hash(book_of(deals, history, **({"last": LAST, "currency": "CNY"} | more)))


def test_the_fingerprint_does_not_see_how_the_files_are_laid_out(frames, book, tmp_path):
    deals, history = frames
    assert not history.duplicated(["deal_id", "changed_at", "field"]).any()  # no ties: any order is the same book
    for seed in range(3):
        assert _hash(_shuffled(deals, seed)[deals.columns[::-1]], _shuffled(history, seed)) == data_hash(book)
    deals.to_csv(tmp_path / "deals.csv", index=False)
    history.to_csv(tmp_path / "history.csv", index=False)
    settings = f"currency: CNY\nextracted_on: {book.settings.extracted_on}\ndate_format: '%Y-%m-%d'\n"
    (tmp_path / "book.yaml").write_text(settings, encoding="utf-8")
    assert data_hash(sa.read_book(tmp_path)) == data_hash(book)


def _one(frame, column, value):
    changed = frame.copy()
    changed.loc[len(frame) // 2, column] = value
    return changed


def test_the_fingerprint_sees_every_change_that_could_matter(frames, book):
    deals, history = frames
    stage = history["field"].eq("stage")
    tie = history[stage].iloc[[0, 0]].assign(field="close_date", value=["2012-01-01", "2012-02-01"])
    tied = [pd.concat([history, rows], ignore_index=True) for rows in (tie, tie.iloc[::-1])]
    targets = pd.DataFrame({"quarter": ["2012Q3"], "amount": [5.0]})
    found = [
        data_hash(book),
        _hash(_one(deals, "amount", 1.5), history),
        _hash(_one(deals, "amount", np.nan), history),
        _hash(_one(deals, "created_at", deals["created_at"].iloc[0]), history),
        _hash(deals.assign(region="north"), history),
        _hash(deals, history.drop(columns="recorded_at")),
        _hash(deals, _one(history, "recorded_at", history["recorded_at"].max())),
        _hash(deals, history, last=LAST + 1),
        _hash(deals, history, currency="EUR"),
        _hash(deals, history, fiscal_year_start=4),
        _hash(deals, history, targets=targets),
        _hash(deals, history, targets=targets.assign(amount=6.0)),
        *(_hash(deals, rows) for rows in tied),  # the later row of the file counts as the later one
    ]
    assert len(set(found)) == len(found)
    nominal = replace(book.process, nominal_prior_strength=book.process.nominal_prior_strength + 1)
    assert data_hash(replace(book, process=nominal)) != data_hash(book)


# ---------------------------------------------------------------- command line


@pytest.fixture(scope="module")
def folder(frames, book, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli")
    for name, frame in zip(("deals", "history"), frames, strict=True):
        frame.to_csv(path / f"{name}.csv", index=False)
    (path / "book.yaml").write_text(f"currency: CNY\nextracted_on: {book.settings.extracted_on}\n", encoding="utf-8")
    out = path / "out"
    for quarter in (QUARTER, "2012-07"):
        argv = ["forecast", str(path), "--as-of", AS_OF, "--quarter", quarter, "--draws", "200", "--out", str(out)]
        assert main([*argv, "--json"]) == 0
    return path


def test_forecasts_of_the_command_line_are_recorded(folder, book):
    ledger = sa.Ledger(folder / "out" / "ledger")
    found = ledger.list()
    assert found["quarter"].tolist() == [QUARTER, "2012-07"]
    assert found["draws"].tolist() == [200, 200]
    again = ledger.rerun(found["record_id"][0], book=book)  # the same data, from frames
    assert ledger.load(found["record_id"][0]).summary["mean"] == pytest.approx(again.total().mean(), rel=1e-12)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_ledger_command_lists_and_judges(folder, capsys, lang, tmp_path):
    path = tmp_path / "ledger"
    shutil.copytree(folder / "out" / "ledger", path)
    quarter, month = sa.Ledger(path).list()["record_id"]
    argv = ["ledger", str(path), "--lang", lang]
    judge = ["--book", str(folder), "--as-of", "2012-09-20"]
    assert main(argv) == 0
    listed = capsys.readouterr().out
    assert quarter in listed
    assert month in listed
    _truncated(path / quarter / "deals.parquet")
    assert main([*argv, *judge]) == 0
    judged = capsys.readouterr().out
    damage = label("damage_altered", lang, file="deals.parquet")
    assert label("damaged_record", lang, record=quarter, damage=damage) in judged
    assert label("title_accuracy", lang, as_of="2012-09-20") in judged
    assert judged.count("2012-07 ") == 3  # once in the list, judged by amount and by count
    assert main([*argv, *judge, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["damage"] for row in found["records"]] == ["altered", ""]
    assert {row["record_id"] for row in found["accuracy"]} == {month}
    assert main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] is None


def test_a_terminal_shows_whole_ids(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    path = folder / "out" / "ledger"
    assert main(["ledger", str(path), "--lang", "en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[2:])) <= 60
    assert all(any(name in line for line in lines) for name in sa.Ledger(path).list()["record_id"])


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [(["NOWHERE"], 1, "is not a folder"), (["LEDGER", "--as-of", AS_OF], 2, "belong together")],
)
def test_the_ledger_command_says_what_is_wrong(folder, capsys, argv, status, said):
    places = {"NOWHERE": str(folder / "nowhere"), "LEDGER": str(folder / "out" / "ledger")}
    assert main(["ledger", *(places.get(word, word) for word in argv)]) == status
    assert said in capsys.readouterr().err


def test_an_empty_ledger_is_shown(folder, capsys, tmp_path):
    assert main(["ledger", str(tmp_path), "--book", str(folder), "--as-of", AS_OF]) == 0
    assert capsys.readouterr().out == label("ledger_empty", "en", path=tmp_path) + "\n"


def test_the_error_of_a_forecast_has_a_sign():
    judged = pd.DataFrame(
        {
            "quarter": "2026Q3", "as_of": "2026-07-01", "measure": ["amount", "count"], "forecast": [1500.4, 1.94],
            "q10": [1000.0, 1.0], "q90": [2000.0, 3.0], "actual": [2000.0, 1.0], "error": [-499.6, 0.94],
            "in_80": True, "in_50": False,
        }
    )  # fmt: skip
    told = accuracy_text(judged, "en", as_of=date(2026, 12, 31), unit="MW").splitlines()
    assert [line.split()[-2] for line in told if line.startswith("2026Q3")] == ["−499.6", "+0.94"]
