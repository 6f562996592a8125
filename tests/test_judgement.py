"""Judgement: moves what it says and nothing else, is kept with who and why, and is told apart from the model."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from worlds import book_of, simulate

import salesanalytics as sa
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast import read_judgements
from salesanalytics.labels import label
from salesanalytics.report.text import forecast_text

pytestmark = pytest.mark.usefixtures("on_the_stage_table")
DAYS = 1500
QUARTER, AS_OF = "2013Q2", "2013-04-20"


@cache
def book():
    deals, history = simulate(3, days=DAYS, per_day=0.5)
    deals["amount"] = np.random.default_rng(0).lognormal(3, 0.7, len(deals)).round(2)
    return book_of(deals, history, last=DAYS - 1)


@cache
def plain():
    return sa.forecast_quarter(book(), quarter=QUARTER, as_of=AS_OF, draws=2000, target=400.0)


def judged(**said):
    deal = plain().deals["deal_id"].iloc[3]
    return deal, sa.with_judgement(plain(), book=book(), judgements=[sa.Judgement(deal, "Li", "heard it", **said)])


def of(forecast, deal):
    place = forecast.deals.index[forecast.deals["deal_id"].eq(deal)][0]
    mine = forecast.signings.deal == place
    return forecast.signings.draw[mine], forecast.signings.value[mine]


@pytest.mark.parametrize(("said", "p"), [({"chance": 1.0}, 1), ({"excluded": True}, 0), ({"chance": 0.25}, 0.25),
                                         ({"signs_on": date(2013, 9, 1)}, 0)])  # fmt: skip
def test_a_judged_deal_signs_as_often_as_people_say_and_no_other_moves(said, p):
    deal, told = judged(**said)
    assert told.deals.set_index("deal_id").at[deal, "p_in_period"] == p
    assert len(of(told, deal)[0]) / 2000 == pytest.approx(p, abs=0.03)
    for other in plain().deals["deal_id"].drop(3).head(20):
        for mine, before in zip(of(told, other), of(plain(), other), strict=True):
            np.testing.assert_array_equal(mine, before)
    assert told.unjudged is plain()
    assert [one.deal_id for one in told.judgements] == [deal]


def test_a_date_within_the_period_gives_the_whole_chance_of_signing():
    deal, told = judged(signs_on=date(2013, 5, 2))
    row = told.deals.set_index("deal_id").loc[deal]
    assert row["p_in_period"] == row["p_won"] > plain().deals.set_index("deal_id").at[deal, "p_in_period"]


def test_what_is_said_of_a_judged_deal_goes_with_its_chance():
    deal, told = judged(chance=0.999)
    before, row = (f.deals.set_index("deal_id").loc[deal] for f in (plain(), told))
    assert before["p_won"] < 0.999 == row["p_won"]  # not less likely in two years than in this quarter
    assert row[["sign_q10", "sign_q50", "sign_q90"]].isna().all()  # the model's date belongs to its own chance
    deal, told = judged(signs_on=date(2013, 9, 1))
    row = told.deals.set_index("deal_id").loc[deal]
    assert row["sign_q50"] == pd.Timestamp("2013-09-01")
    assert row["p_won"] == before["p_won"]
    deal, told = judged(amount=500.0)
    assert told.deals.set_index("deal_id").at[deal, "sign_q50"] == before["sign_q50"]


def test_what_judgement_moves_is_told_apart_and_adds_up():
    deal, told = judged(chance=0.9, amount=500.0)
    change = sa.explain_change(plain(), told)
    causes = change.causes.set_index("cause")
    moved = told.total().mean() - plain().total().mean()
    assert causes["amount"].sum() == pytest.approx(moved, rel=1e-9)
    assert (causes.drop(["judgement", "amounts", "draws"]) == 0).all(axis=None)
    p, amount = plain().deals.loc[3, ["p_in_period", "amount"]]
    assert causes.at["judgement", "count"] == pytest.approx(0.9 - p)
    ratio = causes.at["amounts", "amount"] / (p * (500.0 - amount))
    assert causes.at["judgement", "amount"] == pytest.approx((0.9 - p) * 500.0 * ratio)
    assert change.deals["deal_id"].tolist() == [deal]
    back = sa.explain_change(told, plain()).causes.set_index("cause")
    assert back.at["judgement", "count"] == pytest.approx(-(0.9 - p))


def test_a_deal_decided_by_what_if_is_judgement_too():
    deal = plain().deals["deal_id"].iloc[0]
    change = sa.explain_change(plain(), sa.what_if(plain(), lost=[deal])).causes.set_index("cause")
    assert change.at["judgement", "count"] == pytest.approx(-plain().deals["p_in_period"].iloc[0])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_workbook_says_who_and_why_with_judgement_and_without(tmp_path, lang):
    deal, told = judged(chance=0.9)
    sheet = load_workbook(sa.write_report(told, tmp_path / "f.xlsx", lang=lang))[label("sheet_judgement", lang)]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    model = plain().deals["p_in_period"].iloc[3]
    assert rows[1][:5] == [deal, "Li", "heard it", pytest.approx(model), pytest.approx(0.9)]
    for row, key, one in ((4, "with_judgement", told), (5, "without_judgement", plain())):
        values = [one.total().mean(), *one.bands()["80"], one.p_target]
        assert rows[row][:5] == [label(key, lang), *(pytest.approx(value) for value in values)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_what_if_is_nowhere_taken_for_a_forecast(tmp_path, lang):
    won, lost = plain().deals["deal_id"].head(2)
    told = sa.what_if(plain(), won=[won], lost=[lost])
    said = label("hypothesis", lang, won=won, lost=lost)
    assert forecast_text(told, lang).startswith(said)
    assert load_workbook(sa.write_report(told, tmp_path / "f.xlsx", lang=lang)).worksheets[0]["A2"].value == said
    assert said in sa.write_report(told, tmp_path / "f.html", lang=lang).read_text(encoding="utf-8")
    assert told.to_dict()["decided"] == sorted([won, lost])
    plainly = sa.write_report(plain(), tmp_path / "g.html", lang=lang).read_text(encoding="utf-8")
    assert 'class="if"' not in plainly
    only = sa.what_if(plain(), lost=[lost])
    assert label("hypothesis", lang, won=label("nothing", lang), lost=lost) in forecast_text(only, lang)


def test_a_second_judgement_replaces_the_first():
    deal, told = judged(chance=0.9)
    again = sa.with_judgement(told, book=book(), judgements=[sa.Judgement(deal, "Wang", "no", chance=0.5)])
    assert again.unjudged is plain()
    assert again.deals.set_index("deal_id").at[deal, "p_in_period"] == 0.5


def test_the_ledger_keeps_both_and_makes_them_again(tmp_path):
    _, told = judged(chance=0.9)
    ledger = sa.Ledger(tmp_path)
    name = ledger.record(told, book=book(), judgement=[{"deal_id": "any", "remark": "a talk"}])
    found = ledger.load(name)
    assert found.judgement[0]["who"] == "Li"
    assert (found.n_applied, len(found.judgement)) == (1, 2)
    assert found.summary["without_judgement"]["mean"] == pytest.approx(plain().total().mean())
    again = ledger.rerun(name, book=book())
    np.testing.assert_array_equal(again.total(), told.total())
    assert again.judgements == told.judgements


@pytest.mark.parametrize(
    ("bad", "rule"),
    [({"deal_id": "nobody", "chance": 0.5}, "not open"), ({"who": " ", "chance": 0.5}, "who or why"),
     ({"chance": 1.2}, "within 0 and 1"), ({"chance": 0.5, "excluded": True}, "must say one"), ({}, "must say one"),
     ({"amount": -1.0}, "above 0")],
)  # fmt: skip
def test_what_cannot_be_is_refused(bad, rule):
    one = {"deal_id": plain().deals["deal_id"].iloc[0], "who": "Li", "why": "so"} | bad
    with pytest.raises(SchemaError, match=rule):
        sa.with_judgement(plain(), book=book(), judgements=[sa.Judgement(**one)])


def test_judgements_are_read_from_a_table():
    table = pd.DataFrame(
        {"deal_id": ["a", "b", "c"], "who": "Li", "why": "so", "chance": [0.5, None, None],
         "signs_on": [None, "2013-05-02", None], "excluded": [None, "no", "是"]}
    )  # fmt: skip
    assert read_judgements(table) == (
        sa.Judgement("a", "Li", "so", chance=0.5),
        sa.Judgement("b", "Li", "so", signs_on=date(2013, 5, 2)),
        sa.Judgement("c", "Li", "so", excluded=True),
    )
    with pytest.raises(SchemaError, match="missing: why; unknown: p"):
        read_judgements(table.drop(columns="why").assign(p=1))
    with pytest.raises(SchemaError, match="row 2: signs_on must be a date such as 2026-09-30, got 'soon'"):
        read_judgements(table.assign(signs_on=["", "soon", ""]))


def test_chances_and_amounts_as_people_write_them():
    table = pd.DataFrame({"deal_id": ["a", "b"], "who": "Li", "why": "so"})
    told = read_judgements(table.assign(chance=["90%", " 0.25"], amount=["120万", "1,500"]))
    assert [(one.chance, one.amount) for one in told] == [(0.9, 1_200_000.0), (0.25, 1500.0)]
    with pytest.raises(SchemaError, match="row 2: chance must be a chance") as error:
        read_judgements(table.assign(chance=[0.5, "high"]))
    assert error.value.__notes__ == ["人工判断：第 2 行：chance 必须是 0.9 或 90% 这样的概率，得到的是 'high'。"]
    with pytest.raises(SchemaError, match="row 1: excluded must be yes or no, got 'maybe'"):
        read_judgements(table.assign(excluded=["maybe", "no"]))


def test_the_day_and_the_month_of_a_signing_are_never_guessed():
    table = pd.DataFrame({"deal_id": ["a", "b"], "who": "Li", "why": "so"})
    for said in (["05/12/2026", "25/12/2026"], ["2026年12月5日", "2026/12/25"], ["5 Dec 2026", "25 Dec 2026"]):
        told = read_judgements(table.assign(signs_on=said))
        assert [one.signs_on for one in told] == [date(2026, 12, 5), date(2026, 12, 25)]
    for unclear in ("05/12/2026", "2026-12", "2026"):
        with pytest.raises(SchemaError, match=f"row 2: signs_on must be a date such as 2026-09-30, got '{unclear}'"):
            read_judgements(table.assign(signs_on=[None, unclear]))


def test_an_outlook_is_made_of_forecasts_that_fit_together():
    whole = sa.forecast_quarter(book(), quarter=QUARTER, as_of=AS_OF, draws=4000)
    told = sa.outlook(whole, book=book()).set_index("period")
    assert told["kind"].to_dict() == {
        "2013-04": "month", "2013-05": "month", "2013-06": "month", "2013Q2": "quarter", "2013Q3": "next",
        "2013": "year",
    }  # fmt: skip
    months = told[told["kind"].eq("month")]
    for measure in ("count", "amount"):
        assert months[measure].sum() == pytest.approx(told.at["2013Q2", measure], rel=1e-9)
        assert months[f"{measure}_signed"].sum() == told.at["2013Q2", f"{measure}_signed"]
        assert told.at["2013", measure] > told.at["2013Q2", measure] + told.at["2013Q3", measure]
    assert told.at["2013Q2", "count"] == whole.total("count").mean()
    with pytest.raises(AsOfError, match="starts from a quarter"):
        sa.outlook(sa.forecast_quarter(book(), quarter="2013", as_of=AS_OF, draws=20), book=book())


def test_a_judgement_may_come_as_text_and_is_refused_when_it_is_nonsense():
    told = sa.Judgement("D1", "Li", "heard it", signs_on="2013-05-01")
    assert told.signs_on == sa.Judgement("D1", "Li", "heard it", signs_on=pd.Timestamp("2013-05-01")).signs_on
    assert told.signs_on == date(2013, 5, 1)
    for wrong in ({"chance": "0.5"}, {"amount": "5"}, {"who": None}):
        with pytest.raises(SchemaError, match="deal_id, who, why are texts, chance and amount numbers"):
            sa.Judgement(**{"deal_id": "D1", "who": "Li", "why": "heard it", **wrong})


def test_a_judged_deal_stands_where_its_expected_amount_puts_it_and_no_what_if_is_judged():
    small = plain().deals["deal_id"].iloc[-1]
    big = sa.Judgement(small, "Li", "heard it", chance=0.95, amount=5e4)
    found = sa.with_judgement(plain(), book=book(), judgements=[big])
    assert found.deals["deal_id"].iloc[0] == small
    assert found.deals["expected_amount"].is_monotonic_decreasing
    assert found.prepared.snapshot["deal_id"].tolist() == found.deals["deal_id"].tolist()
    assert sa.key_deals(found)["deal_id"].iloc[0] == small
    again = sa.with_judgement(found, book=book(), judgements=[sa.Judgement(small, "Li", "no", excluded=True)])
    assert [one.why for one in again.judgements] == ["no"]
    with pytest.raises(SchemaError, match="decided by what_if already"):
        sa.with_judgement(sa.what_if(plain(), won=[small]), book=book(), judgements=[big])
