"""The pages about reps: everything is there, in both languages, escaped, and adds up with what it is made of."""

from __future__ import annotations

import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import pandas as pd
import pytest

import salesanalytics as sa
from salesanalytics import plots
from salesanalytics.errors import SchemaError
from salesanalytics.labels import label
from salesanalytics.report.rep_page import page_names, write_rep_page, write_rep_report
from salesanalytics.report.review import reps_text
from salesanalytics.reps import (
    condition_gaps,
    open_gaps,
    rep_scorecard,
    review_reps,
    score_losses,
    stage_conversion,
    stated_odds,
)
from salesanalytics.simulate.params import Company, Reps

LANGUAGES = ("en", "zh")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def book():
    return sa.simulate_book(n_deals=400, seed=8, company=Company(reps=Reps(n=5)))


@pytest.fixture(scope="module")
def review(book):
    return review_reps(book, as_of=book.settings.extracted_on)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def hostile(review):
    """The same review with a rep whose name and id are markup."""

    def renamed(frame):
        return frame.assign(rep_id=frame["rep_id"].replace("R01", HOSTILE))

    reps = renamed(review.evaluation.reps)
    reps.loc[reps["rep_id"].eq(HOSTILE), ["name", "team"]] = HOSTILE
    evaluation = replace(review.evaluation, reps=reps, apart=renamed(review.evaluation.apart))
    compliance = replace(review.compliance, conditions=renamed(review.compliance.conditions))
    tables = {"odds": renamed(review.odds), "conversion": renamed(review.conversion)}
    return replace(review, evaluation=evaluation, compliance=compliance, **tables)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_folder_holds_a_page_a_rep_one_of_all_and_a_workbook(review, tmp_path, lang):
    index = write_rep_report(review, tmp_path, lang=lang)
    names = page_names(review)
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "reps.xlsx", *names.values()}
    text = index.read_text(encoding="utf-8")
    assert sorted(re.findall(r'href="([^"]+)"', text)) == sorted(names.values())
    assert text.count("<img") == 3
    for rep_id, name in names.items():
        page = (tmp_path / name).read_text(encoding="utf-8")
        found = rep_scorecard(
            review.evaluation, review.compliance, review.effects, process=review.process, rep_id=rep_id, lang=lang
        )
        assert all(line in page for line in (*found.verdict, *found.not_judged))
        assert (found.warning in page) == (len(found.coach) > 0)
        assert not re.search(r"\bnan\b|None|NA&gt;|https?://", re.sub(r"base64,[^\")]+", "", page))


@pytest.mark.parametrize(("lang", "brackets"), [("en", r" \(.+\)$"), ("zh", r"（.+）$")])
def test_intervals_stand_in_the_brackets_of_the_language_and_days_are_whole(review, tmp_path, lang, brackets):
    rep_id = review.evaluation.reps["rep_id"].iloc[0]
    known = (review.evaluation, review.compliance, review.effects)
    card = rep_scorecard(*known, process=review.process, rep_id=rep_id, lang=lang)
    measures = card.measures.set_index("measure")
    with_limits = measures.loc[measures["lower"].notna(), "text"]
    assert len(with_limits) > 3
    assert with_limits.str.contains(brackets).all()
    assert not measures.loc["cycle_days", ["text", "company_text"]].str.contains(r"\d\.\d").any()
    page = write_rep_page(review, tmp_path / "a.html", rep_id=rep_id, lang=lang).read_text(encoding="utf-8")
    value, limits = re.match(r"(.*?) ?[(（](.*)[)）]", measures.loc["cycle_days", "text"]).groups()
    assert f"<b>{value}</b><small>{limits}</small>" in page


def test_names_of_pages_keep_the_letters_of_any_script(review):
    reps = review.evaluation.reps.copy()
    reps["rep_id"] = ["李娜", "R/01 b", "Ö-2", *reps["rep_id"].iloc[3:]]
    names = page_names(replace(review, evaluation=replace(review.evaluation, reps=reps)))
    assert [names[rep] for rep in ("李娜", "R/01 b", "Ö-2")] == ["001_李娜.html", "002_R_01_b.html", "003_Ö-2.html"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_comes_from_the_book_is_escaped(review, tmp_path, lang):
    write_rep_report(hostile(review), tmp_path, lang=lang)
    pages = list(tmp_path.glob("*.html"))
    assert len(pages) == len(review.evaluation.reps) + 1
    texts = [path.read_text(encoding="utf-8") for path in pages]
    assert not any("<script" in text for text in texts)
    assert sum("&lt;script&gt;" in text for text in texts) == 2


def test_a_book_without_conditions_and_odds_has_pages_too(review, tmp_path):
    bare = replace(review, compliance=None, effects=None, odds=review.odds.iloc[:0])
    text = write_rep_report(bare, tmp_path).read_text(encoding="utf-8")
    assert text.count("<img") == 2
    page = next(tmp_path.glob("001*")).read_text(encoding="utf-8")
    assert "The book has no conditions." in page
    assert "<img" not in page
    assert openpyxl.load_workbook(tmp_path / "reps.xlsx").sheetnames == ["Reps"]


def test_there_is_no_page_of_an_unknown_rep(review, tmp_path):
    with pytest.raises(SchemaError, match="rep_id must be one of"):
        write_rep_page(review, tmp_path / "a.html", rep_id="nobody")


def test_the_workbook_holds_the_numbers(review, tmp_path):
    write_rep_report(review, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "reps.xlsx")
    sheet = book["Reps"]
    heads = [cell.value for cell in sheet[1]]
    assert "Signed in 365 days (CNY)" in heads
    won = [row[heads.index("Observed")] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert won == review.evaluation.reps["observed"].tolist()
    assert book["Points lost"].max_row == len(score_losses(review.compliance)) + 1
    assert book["Missing in open deals"].max_row == len(open_gaps(review.compliance)) + 1


# ---------------------------------------------------------------- what the pages are made of


def test_points_lost_and_the_raw_score_make_one(review):
    losses = score_losses(review.compliance)
    score = review.compliance.rates.set_index("rep_id")["score"]
    lost = losses.groupby("rep_id")["lost"].sum()
    assert (lost + score.loc[lost.index]).to_numpy() == pytest.approx(1)
    kinds = losses.filter(like="lost_").sum(axis=1)
    assert kinds.to_numpy() == pytest.approx(losses["lost"].to_numpy())
    assert (losses.groupby("rep_id")["lost"].diff().dropna() <= 0).all()


def test_gaps_of_a_stage_are_drawn_to_the_score_of_all(review):
    gaps = condition_gaps(review.compliance)
    raw = (gaps["company"] - gaps["score"]).to_numpy(float)
    shrunk = gaps["gap"].to_numpy(float)
    assert gaps.groupby("stage")["company"].nunique().eq(1).all()
    assert np.nanmean(np.abs(shrunk)) < np.nanmean(np.abs(raw))
    assert gaps["lower"].le(gaps["shrunk"]).all()
    assert gaps["shrunk"].le(gaps["upper"]).all()


def test_conversion_by_rep_adds_up_to_the_funnel(book, review):
    whole = sa.stage_flow(book, as_of=book.settings.extracted_on).set_index("stage")
    found = review.conversion.groupby("stage", sort=False)[["n_passed", "n_decided"]].sum()
    assert found["n_passed"].tolist() == whole.loc[found.index, "n_passed"].tolist()
    assert found["n_decided"].tolist() == (whole["n_entered"] - whole["n_undecided"]).loc[found.index].tolist()
    assert review.conversion["company"].to_numpy() == pytest.approx(
        (found["n_passed"] / found["n_decided"]).loc[review.conversion["stage"]].to_numpy()
    )
    shrunk = review.conversion["company"] - review.conversion["shrunk"]
    assert review.conversion["gap"].to_numpy() == pytest.approx(shrunk.to_numpy())


def said_book():
    """Two reps, deals of 400 days ago: A says 90 % and wins half, B says 10 % and wins half."""
    end = pd.Timestamp("2026-09-30")
    rows, deals = [], []
    for rep, said in (("A", 0.9), ("B", 0.1)):
        for k in range(20):
            deal = f"{rep}{k:02d}"
            deals.append((deal, end - pd.Timedelta(days=600), rep, 100.0))
            born = end - pd.Timedelta(days=600)
            ended = end - pd.Timedelta(days=300)
            rows += [(deal, born, "stage", "S1"), (deal, born, "probability", str(said))]
            rows.append((deal, ended, "stage", "won" if k % 2 else "lost"))
    history = pd.DataFrame(rows, columns=["deal_id", "changed_at", "field", "value"])
    table = pd.DataFrame(deals, columns=["deal_id", "created_at", "rep_id", "amount"])
    return sa.make_book(deals=table, history=history, settings={"extracted_on": end.date().isoformat()})


def test_stated_odds_by_hand():
    found = stated_odds(said_book(), as_of="2026-09-30")
    assert found["rep_id"].tolist() == ["A", "B"]
    assert found["said"].tolist() == pytest.approx([0.9, 0.1])
    assert found["won"].tolist() == [0.5, 0.5]
    assert found["n_deals"].tolist() == [20, 20]
    assert found["said_from"].tolist() == [0.8, 0.0]
    assert found["said_to"].tolist() == [1.0, 0.2]
    assert found["company"].tolist() == [0.5, 0.5]
    assert found["lower"].lt(0.5).all()
    assert found["upper"].gt(0.5).all()


def test_what_is_on_an_edge_belongs_to_the_class_below():
    book = said_book()
    rows = book.history.assign(value=book.history["value"].replace({"0.9": "0.8"}))
    edge = sa.make_book(deals=book.deals, history=rows, settings={"extracted_on": "2026-09-30"})
    assert stated_odds(edge, as_of="2026-09-30")["said_to"].tolist() == [0.8, 0.2]


def test_a_book_without_probabilities_has_no_odds():
    book = said_book()
    rows = book.history[book.history["field"].ne("probability")]
    bare = sa.make_book(deals=book.deals, history=rows, settings={"extracted_on": "2026-09-30"})
    assert stated_odds(bare, as_of="2026-09-30").empty


def test_odds_of_the_simulator_follow_its_optimists(book):
    found = stated_odds(book, as_of=book.settings.extracted_on)
    too_high = ((found["said"] - found["won"]) * found["n_deals"]).groupby(found["rep_id"]).sum()
    too_high = too_high / found.groupby("rep_id")["n_deals"].sum()
    assert too_high.corr(book.truth.reps.set_index("rep_id")["optimism"]) > 0.5


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pictures_show_what_the_tables_say(review, lang):
    odds = review.odds[review.odds["rep_id"].eq("R02")]
    ax = plots.rep_odds(odds, lang=lang)
    assert ax.lines[-1].get_ydata().tolist() == odds["shrunk"].tolist()
    for table, draw in (
        (condition_gaps(review.compliance), plots.rep_condition_gaps),
        (review.conversion, plots.rep_stage_conversion),
    ):
        ax = draw(table, lang=lang)
        stages, reps = table["stage"].nunique(), table["rep_id"].nunique()
        assert len(ax.texts) == len(table) + stages
        assert len(ax.get_yticks()) == reps + 1
        clear = ~((table["lower"] <= table["company"]) & (table["company"] <= table["upper"]))
        assert len(ax.patches) == clear.sum()


def test_reps_who_all_passed_everything_did_as_all_reps():
    reps = pd.DataFrame({"stage": "S1", "rep_id": ["R1", "R2"], "pass_rate": 1.0, "company": 1.0})
    cells = reps.assign(shrunk=0.97, lower=0.93, upper=0.9999, gap=0.03)
    ax = plots.rep_stage_conversion(cells)
    assert not ax.patches
    assert [text.get_text() for text in ax.texts] == ["100 %"] * 3
    assert not ax.images[0].get_array().any()


def test_odds_are_drawn_of_one_rep(review):
    with pytest.raises(SchemaError, match="draws one rep, got R01, R02"):
        plots.rep_odds(review.odds[review.odds["rep_id"].isin(["R01", "R02"])])


def test_stage_conversion_of_a_book_without_reps_is_empty():
    book = said_book()
    bare = sa.make_book(
        deals=book.deals.drop(columns="rep_id"), history=book.history, settings={"extracted_on": "2026-09-30"}
    )
    assert len(stage_conversion(bare, as_of="2026-09-30")) == 0


def test_a_rep_without_a_deal_has_no_empty_table_and_no_interval(book, tmp_path):
    new = {"rep_id": "R99", "name": "New", "team": "t", "region": None, "manager_id": None, "hired_at": "2026-09-01"}
    reps = pd.concat([book.reps[list(new)], pd.DataFrame([new])], ignore_index=True)
    more = sa.make_book(deals=book.deals, history=book.history.drop(columns="row"), reps=reps, accounts=book.accounts)
    found = review_reps(more, as_of=book.settings.extracted_on)
    told = reps_text(found.evaluation, "en", as_of=book.settings.extracted_on)
    line = next(line for line in told.splitlines() if line.startswith("R99"))
    assert line.split()[3:] == ["0", "0", "–", "–", "–", "–", "–", "–"]
    write_rep_report(found, tmp_path)
    page = next(tmp_path.glob("*R99*")).read_text(encoding="utf-8")
    assert "<table" not in page
    assert label("page_measures") not in page
