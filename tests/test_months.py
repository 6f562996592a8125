"""Months of a quarter: sums of its own draws, whatever else is done to them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from worlds import book_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.forecast.late_bookings import shares_before
from salesanalytics.forecast.months import months_of, open_by_month
from salesanalytics.forecast.prepare import prepare
from salesanalytics.labels import label
from salesanalytics.report.sections import sections
from salesanalytics.report.tables import group_notes, group_rows
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_day

pytestmark = pytest.mark.usefixtures("on_the_stage_table")
MEASURES = ("count", "amount")


def drawn_world(seed, *, days=1500, **settings):
    deals, history = simulate(seed, days=days, per_day=0.5)
    deals["amount"] = np.random.default_rng(seed).lognormal(3, 0.7, len(deals)).round(2)
    return book_of(deals, history, last=days - 1, **settings)


@pytest.fixture(scope="module")
def book():
    return drawn_world(3)


def adds_up(forecast):
    for measure in MEASURES:
        months = sa.draws_by(forecast, by="month", measure=measure)
        assert list(months) == [month.name for month in months_of(forecast.period)]
        np.testing.assert_allclose(months.sum(axis=1), forecast.total(measure), rtol=1e-9, atol=1e-6)
        assert (months >= 0).all(axis=None)


def test_in_every_draw_the_months_are_the_period(book):
    for asked in (("2013Q2", "2013-03-31"), ("2013Q2", "2013-05-20"), ("2013", "2013-05-20"), ("2013Q3", "2013-05-20"),
                  ("2013-06", "2013-05-20")):  # fmt: skip
        told = sa.forecast_quarter(book, quarter=asked[0], as_of=asked[1], draws=500)
        adds_up(told)
        signed = told.signed["end_day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]").astype(str)
        months = sa.draws_by(told, by="month", measure="count")
        for month in months:
            assert months[month].min() >= (signed == month).sum()
        table = sa.rollup(told, by="month")
        assert table["month"].tolist() == list(months)
        assert table["count"].sum() == pytest.approx(told.total("count").mean())


def test_a_fiscal_quarter_has_its_own_months():
    book = drawn_world(3, fiscal_year_start=2)
    told = sa.forecast_quarter(book, quarter="2013Q1", as_of="2012-03-20", draws=300)
    adds_up(told)
    ahead = sa.outlook(told, book=book)
    assert ahead["period"].tolist() == ["2012-02", "2012-03", "2012-04", "2013Q1", "2013Q2", "2013"]
    assert ahead.loc[ahead["kind"].eq("month"), "amount"].sum() == pytest.approx(told.total().mean())


def test_months_stand_beside_their_targets():
    targets = pd.DataFrame({"quarter": ["2013-04", "2013-05", "2013-06"], "amount": [150.0, 1e-6, 90.0]})
    book = drawn_world(3, targets=targets)
    told = sa.forecast_quarter(book, quarter="2013Q2", as_of="2013-05-20", draws=500)
    drawn, table = sa.draws_by(told, by="month"), sa.rollup(told, by="month").set_index("month")
    assert told.target == pytest.approx(240.0)
    expected = [(drawn[name] >= goal).mean() for name, goal in targets.itertuples(index=False)]
    assert expected[1] == 1 > expected[2] > 0
    ahead = sa.outlook(told, book=book).set_index("period")
    for found in (table, ahead.loc[table.index]):
        assert found["target"].tolist() == [150.0, 1e-6, 90.0]
        assert found["p_target"].tolist() == expected
    assert sa.forecast_quarter(book, quarter="2013-06", as_of="2013-05-20", draws=50).target == 90.0
    assert "target" not in sa.rollup(told, by="stage")
    plain = sa.forecast_quarter(drawn_world(3), quarter="2013Q2", as_of="2013-05-20", draws=50)
    assert "target" not in sa.rollup(plain, by="month")


def test_months_of_an_attribute_have_no_targets_of_the_calendar():
    targets = pd.DataFrame({"quarter": ["2013-04"], "amount": [5.0]})
    deals, history = simulate(3, days=1500, per_day=0.5)
    book = book_of(deals.assign(month="2013-04"), history, last=1499, targets=targets, attributes=["month"])
    told = sa.forecast_quarter(book, quarter="2013Q2", as_of="2013-03-31", draws=50)
    assert told.group_targets["month"] == {"2013-04": 5.0}
    assert "target" not in sa.rollup(told, by="month")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_show_the_targets_of_months(lang, tmp_path):
    targets = pd.DataFrame({"quarter": ["2013-05", "2013-06"], "amount": [1e-6, 100.0]})
    book = drawn_world(3, targets=targets)
    told = sa.forecast_quarter(book, quarter="2013Q2", as_of="2013-05-20", draws=200)
    parts, ahead = sa.rollup(told, by="month"), sa.outlook(told, book=book)
    rows = group_rows(parts, told, lang).set_index(label("kind_month", lang))
    assert rows[label("target", lang)].tolist() == ["–", "<0.1", "100.0"]
    assert rows[label("p_target", lang)].tolist()[:2] == ["–", "100 %"]  # reached by what is signed
    assert not group_notes(parts, lang)
    table = sections(told, lang, before=None, groups=None, outlook=ahead)[-1].tables[0][0]
    assert table[label("target", lang)].tolist() == ["–", "<0.1", "100.0", "–", "–", "–"]
    for name in ("f.html", "f.xlsx"):
        sa.write_report(told, tmp_path / name, lang=lang, groups=parts, outlook=ahead)
    none = sections(told, lang, before=None, groups=None, outlook=ahead.assign(target=np.nan))[-1].tables[0][0]
    assert label("target", lang) not in none


@pytest.mark.parametrize("as_of", ["2013-03-31", "2013-04-20", "2013-02-20"])
def test_a_month_holds_what_it_holds_when_it_is_asked_for_alone(book, as_of):
    told = sa.forecast_quarter(book, quarter="2013Q2", as_of=as_of, draws=20_000)
    for measure in MEASURES:
        months = sa.draws_by(told, by="month", measure=measure)
        for month in months:
            alone = sa.forecast_quarter(book, quarter=month, as_of=as_of, draws=20_000).total(measure)
            spread = alone.std()
            assert months[month].mean() == pytest.approx(alone.mean(), abs=0.06 * spread)
            assert months[month].std() == pytest.approx(spread, rel=0.12)


def test_chances_of_months_by_hand():
    """Two deals whose chances rise evenly: a month has as much of them as it has days."""
    book = tiny({"a": [("S1", 0)]}, last=1400)
    period, eve = parse_period("2013Q3"), to_day("2013-06-30")
    ids, state = pd.Series(["a", "b"]), pd.Series(["S1", "S1"])
    rising = np.outer([1.0, 0.5], np.arange(93) / 100)
    asked = {"day": eve, "deal_ids": ids, "state": state}
    found = open_by_month(book, period=period, **asked, p_won=rising, p_before=np.zeros(2))
    assert shares_before(book, period=period, day=eve).to_dict() == {"": 0.0}
    np.testing.assert_allclose(found.loc["a"], [0.31, 0.31, 0.30])
    np.testing.assert_allclose(found.loc["b"], [0.155, 0.155, 0.15])
    steady, before = np.outer([1.0, 0.5], np.arange(185) / 185), np.array([92.0, 46.0]) / 185
    ahead = open_by_month(book, period=parse_period("2013Q4"), **asked, p_won=steady, p_before=before)
    np.testing.assert_allclose(ahead.loc["a"] * 185, [31, 30, 31])


def test_deals_that_were_signed_in_a_month_that_is_over_stay_in_it():
    """Signings are typed in 40 days late: on the 10th of August deals that stand open were signed in July."""
    paths = {}
    for k in range(60):
        start = 12 * k
        signed = start + 60 + k % 7
        paths[f"w{k}"] = [("S1", start, start), ("S8", start + 20, start + 20), ("won", signed, signed + 40)]
    book = tiny(paths, last=720)
    told = sa.forecast_quarter(book, quarter="2011Q3", as_of="2011-08-10", draws=4000)
    adds_up(told)
    months, signed = told.prepared.months.sum(), (told.signed["end_day"] < to_day("2011-08-01")).sum()
    assert 1 < months["2011-07"] < 4  # two or three of a month are signed and wait
    drawn = sa.draws_by(told, by="month", measure="count").mean()
    assert drawn["2011-07"] - signed == pytest.approx(months["2011-07"], rel=0.3)
    assert drawn["2011-08"] > 0.5


def test_judgement_what_if_and_an_allowance_keep_the_months_together(book):
    told = sa.forecast_quarter(book, quarter="2013Q2", as_of="2013-04-20", draws=1000)
    deal, other = told.deals["deal_id"].iloc[[2, 4]]
    judged = sa.with_judgement(told, book=book, judgements=[
        sa.Judgement(deal, "Li", "contract is out", signs_on=date(2013, 6, 3)),
        sa.Judgement(other, "Li", "heard it", chance=1.0)])  # fmt: skip
    adds_up(judged)
    assert judged.prepared.months.loc[deal].to_dict() == {"2013-04": 0, "2013-05": 0, "2013-06": 1}
    assert told.prepared.months.loc[deal, "2013-06"] < 0.9
    alone = sa.what_if(judged, lost=[d for d in judged.deals["deal_id"] if d != deal])
    gone = sa.what_if(judged, lost=list(judged.deals["deal_id"]))
    adds_up(alone)
    moved = sa.draws_by(alone, by="month", measure="count") - sa.draws_by(gone, by="month", measure="count")
    assert moved["2013-06"].mean() == pytest.approx(judged.deals.set_index("deal_id").at[deal, "p_in_period"], abs=0.05)
    assert moved[["2013-04", "2013-05"]].eq(0).all(axis=None)
    for asked in ({"won": [deal]}, {"slipped": [other]}):
        adds_up(sa.what_if(judged, **asked))


def test_a_judged_date_that_has_passed_moves_no_month(book):
    told = sa.forecast_quarter(book, quarter="2013Q2", as_of="2013-05-20", draws=200)
    deal = told.deals["deal_id"].iloc[1]
    for day in (date(2013, 5, 10), date(2013, 4, 10), date(2013, 8, 1)):
        asked = [sa.Judgement(deal, "Li", "heard it", signs_on=day)]
        judged = sa.with_judgement(told, book=book, judgements=asked)
        assert judged.deals.set_index("deal_id").at[deal, "p_in_period"] == 0
        pd.testing.assert_frame_equal(judged.prepared.months, told.prepared.months)


def test_no_chance_of_a_month_stands_above_that_of_the_quarter(book):
    for day in ("2013-03-31", "2013-05-20"):
        prepared = prepare(book, period=parse_period("2013Q2"), day=to_day(day))
        open_deals = prepared.deals.set_index("deal_id")["p_in_period"]
        np.testing.assert_allclose(prepared.months.loc[open_deals.index].sum(axis=1), open_deals, atol=1e-12)
        ended = prepared.ended.set_index("deal_id")["p_in_period"]
        np.testing.assert_allclose(prepared.months.loc[ended.index].sum(axis=1), ended, atol=1e-12)
        assert (prepared.months >= 0).all(axis=None)
