"""Pages about reps: a scorecard each, and one of all, as self-contained HTML files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from salesanalytics import plots
from salesanalytics.labels import amount_label, label, number, percent, short
from salesanalytics.labels.units import unit_for
from salesanalytics.report.columns import id_and_name
from salesanalytics.report.html import png
from salesanalytics.report.page import written
from salesanalytics.report.rep_workbook import write_rep_workbook
from salesanalytics.reps import RepReview, Scorecard, condition_gaps, rep_scorecard, score_losses
from salesanalytics.reps.condition_gaps import LOSSES

SHOWN_LOSSES = 8
INDEX = "index.html"
UNSAFE = re.compile(r"[^\w-]")  # in the name of a file
LIMITS = re.compile(r" ?[(（]|[)）]$")  # around the interval of a measure


def write_rep_report(review: RepReview, folder: str | Path, *, lang: str = "en") -> Path:
    """Write a page of all reps (``index.html``), a page about each, and a workbook (``reps.xlsx``) into a folder.

    Parameters
    ----------
    review : RepReview
        Of `review_reps`.
    folder : str or Path
        Made where it is missing.
    lang : {"en", "zh"}

    Returns
    -------
    Path
        The page of all reps.
    """
    folder = Path(folder)
    for rep_id, name in page_names(review).items():
        write_rep_page(review, folder / name, rep_id=rep_id, lang=lang)
    write_rep_workbook(review, folder / "reps.xlsx", lang=lang)
    return written("reps.html", _all_reps(review, lang), folder / INDEX)


def write_rep_page(review: RepReview, path: str | Path, *, rep_id: str, lang: str = "en") -> Path:
    """Write the scorecard of one rep as one self-contained HTML file: no network, every value escaped.

    Parameters
    ----------
    review : RepReview
        Of `review_reps`.
    path : str or Path
    rep_id : str
    lang : {"en", "zh"}

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SchemaError
        There is no such rep.
    """
    return written("rep.html", _one_rep(review, rep_id, lang), Path(path))


def page_names(review: RepReview) -> dict[str, str]:
    """File name of each rep's page: what is safe in a name of his id, with a number so that none meets another."""
    reps = review.evaluation.reps["rep_id"]
    return {rep: f"{at:03d}_{UNSAFE.sub('_', rep)[:40]}.html" for at, rep in enumerate(reps, start=1)}


def _words(keys: tuple[str, ...], lang: str) -> dict[str, str]:
    return {key: label(f"page_{key}", lang) for key in keys}


# ---------------------------------------------------------------- one rep


def _one_rep(review: RepReview, rep_id: str, lang: str) -> dict[str, Any]:
    known = (review.evaluation, review.compliance, review.effects)
    card = rep_scorecard(*known, process=review.process, rep_id=rep_id, lang=lang)
    odds = review.odds[review.odds["rep_id"].eq(rep_id)]
    row = review.evaluation.reps.set_index("rep_id").loc[rep_id]
    draw: Callable[[Axes], Axes] = partial(_odds, odds, lang)
    keys = ("outcome", "strengths", "coach", "measures", "odds", "why_score", "not_judged", "no_strength", "all_reps")
    return {
        "lang": "zh-CN" if lang == "zh" else "en",
        "title": label("page_title_rep", lang, title=card.title, as_of=review.as_of),
        "words": _words(keys, lang),
        "index": INDEX,
        "tiles": _tiles(card, row, review, lang),
        "card": card,
        "measures": _measure_rows(card, review, lang),
        "odds_text": label("page_odds_text", lang),
        "picture": png(draw, 4.2) if len(odds) else "",
        **_losses(review, rep_id, lang),
    }


def _odds(odds: pd.DataFrame, lang: str, ax: Axes) -> Axes:
    return plots.rep_odds(odds, ax=ax, lang=lang)


def _tiles(card: Scorecard, row: pd.Series, review: RepReview, lang: str) -> list[dict[str, Any]]:
    measures = card.measures.set_index("measure")
    tiles: list[dict[str, Any]] = []
    if row["n"]:
        expected = label("page_expected", lang, expected=number(row["expected"], 1), n=number(row["n"]))
        name = label("observed" if review.evaluation.outcome == "won" else "page_passed", lang)
        tiles.append({"name": name, "value": number(row["observed"]), "more": [expected]})
        rank = review.evaluation.reps["rank"]
        place = label("page_rank", lang, rank=row["rank"], n=rank.notna().sum()) if row["rank"] is not pd.NA else None
        more = [place or label("rep_no_rank", lang)]
        tiles.append({"name": label("page_above_median", lang), "value": percent(row["p_above_median"]), "more": more})
    shown = [m for m in ("process_score", "cycle_days", "p_bias") if m in measures.index]
    return tiles + [_measure_tile(measures.loc[measure], lang) for measure in shown]


def _measure_tile(measure: pd.Series, lang: str) -> dict[str, Any]:
    value, *limits = LIMITS.split(measure["text"])
    middle = label("page_middle", lang, value=measure["company_text"])
    return {"name": measure["name"], "value": value, "more": [limits[0] if limits else "", middle]}


def _measure_rows(card: Scorecard, review: RepReview, lang: str) -> pd.DataFrame:
    measures = card.measures.set_index("measure")
    names = measures["name"].copy()
    if "volume" in measures.index:
        scale, unit = unit_for(float(review.evaluation.reps["volume"].max()), review.unit, lang)
        names["volume"] = amount_label("rep_volume", unit, lang)
        said = [short(round(measures.loc["volume", c] / scale, 2)) for c in ("value", "company")]
        measures.loc["volume", ["text", "company_text"]] = said
    level = percent(review.evaluation.confidence)
    return pd.DataFrame(
        {
            label("page_measure", lang): names,
            label("page_his", lang, level=level): measures["text"],
            label("page_middle_rep", lang): measures["company_text"],
            label("page_behind", lang): [number(n) for n in measures["n"]],
        }
    )


def _losses(review: RepReview, rep_id: str, lang: str) -> dict[str, Any]:
    """Why the process score is what it is: all points lost by kind in a sentence, the dearest conditions in a table."""
    if review.compliance is None:
        return {"score_text": label("page_no_conditions", lang), "losses": None}
    table = score_losses(review.compliance)
    table = table[table["rep_id"].eq(rep_id)]
    if table.empty:
        return {"score_text": label("page_no_stage_passed", lang), "losses": None}
    lost = {kind: percent(table[f"lost_{kind}"].sum()) for kind in LOSSES}
    score = percent(1 - table["lost"].sum())
    dearest = table.head(SHOWN_LOSSES)
    columns: dict[str, Any] = {label("page_condition", lang): [_item(c, review, lang) for c in dearest["condition"]]}
    columns[label("page_due", lang)] = dearest["n"].map(number)
    columns |= {label(f"loss_{kind}", lang): dearest[f"n_{kind}"].map(number) for kind in LOSSES}
    columns[label("page_points", lang)] = [number(100 * x, 1) for x in dearest["lost"]]
    return {"score_text": label("page_score_text", lang, score=score, **lost), "losses": pd.DataFrame(columns)}


def _item(condition: str, review: RepReview, lang: str) -> str:
    return f"{condition} {review.process.label(condition, lang)}"


# ---------------------------------------------------------------- all reps


def _all_reps(review: RepReview, lang: str) -> dict[str, Any]:
    found = review.evaluation
    pictures = {"funnel": png(lambda ax: plots.rep_funnel(found, ax=ax, lang=lang), 4.6)}
    height = 0.34 * len(found.reps) + 1.2
    names = found.reps.set_index("rep_id")["name"]
    names = names.where(names.notna(), names.index.to_series())
    if review.compliance is not None:
        gaps = condition_gaps(review.compliance)
        gaps["name"] = gaps["rep_id"].map(names)
        pictures["gaps"] = png(lambda ax: plots.rep_condition_gaps(gaps, ax=ax, lang=lang), height)
    conversion = review.conversion.assign(name=review.conversion["rep_id"].map(names))
    pictures["conversion"] = png(lambda ax: plots.rep_stage_conversion(conversion, ax=ax, lang=lang), height)
    lines = {"funnel": "page_funnel_text", "gaps": "page_gaps_text", "conversion": "page_conversion_text"}
    titles = {"funnel": "title_rep_funnel", "gaps": "title_rep_gaps", "conversion": "title_rep_conversion"}
    return {
        "lang": "zh-CN" if lang == "zh" else "en",
        "title": label("title_reps", lang, as_of=review.as_of, n=number(found.n_judged)),
        "words": _words(("all_reps", "how_to_read"), lang),
        "reps": _rep_rows(review, lang),
        "pictures": [
            {"title": label(titles[key], lang), "text": label(lines[key], lang), "png": drawn}
            for key, drawn in pictures.items()
        ],
        "notes": [label(f"page_note_{k}", lang) for k in range(1, 5)],
    }


def _rep_rows(review: RepReview, lang: str) -> pd.DataFrame:
    """One row a rep, the ranked ones first; each name leads to the rep's page."""
    found = review.evaluation
    reps = found.reps.assign(page=found.reps["rep_id"].map(page_names(review)))
    reps = reps.sort_values(["rank", "rep_id"], na_position="last", kind="stable")
    cards = [
        rep_scorecard(found, None, None, process=review.process, rep_id=rep, lang=lang).measures.set_index("measure")
        for rep in reps["rep_id"]
    ]

    def said(measure: str, column: str = "text") -> list[str]:
        return [card[column].get(measure, "–") for card in cards]

    return pd.DataFrame(
        {
            label("page_rep", lang): [_link(r) for r in reps.itertuples()],
            label("team", lang): reps["team"].fillna("–").astype(str),
            label("rank", lang): [number(x) for x in reps["rank"].astype(float)],
            label("n_judged", lang): reps["n"].map(number),
            label("observed" if found.outcome == "won" else "page_passed", lang): reps["observed"].map(number),
            label("page_expected_short", lang): [number(x, 1) for x in reps["expected"]],
            label(f"rep_chance_{found.outcome}", lang): said("effect"),
            label("page_average", lang): said("effect", "company_text"),
            label("page_above_median", lang): [percent(p) for p in reps["p_above_median"]],
            label("rep_process_score", lang): said("process_score"),
            label("rep_p_bias", lang): said("p_bias"),
        }
    )


def _link(rep: Any) -> Markup:
    return Markup('<a href="{}">{}</a>').format(rep.page, id_and_name(rep.rep_id, rep.name))
