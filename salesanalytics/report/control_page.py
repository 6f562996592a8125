"""The page of deal control: where each deal really is, what is wrong, what to do next, what past deals teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from salesanalytics import plots
from salesanalytics.control.anomalies import Anomalies
from salesanalytics.control.review import DealReview
from salesanalytics.labels import label, number
from salesanalytics.labels.units import unit_for, unit_for_deals
from salesanalytics.process import Process
from salesanalytics.report.control_tables import (
    ahead_rows,
    alert_rows,
    amount_text,
    customer_rows,
    loss_rows,
    people_rows,
    rule_rows,
    silent_lines,
    similar_parts,
    task_rows,
)
from salesanalytics.report.html import png
from salesanalytics.report.page import written
from salesanalytics.report.review import no_work

SHOWN_ALERTS, SHOWN_TASKS, SHOWN_ROWS = 30, 30, 15
_WORDS = (
    "page_clocks", "page_clocks_text", "page_ahead", "page_alerts", "page_rules", "page_rules_text", "title_silent",
    "page_tasks", "page_similar", "page_similar_text", "page_losses", "page_people", "page_people_text",
    "page_customers",
)  # fmt: skip


def write_control_report(review: DealReview, path: str | Path, *, lang: str = "en") -> Path:
    """Write deal control as one self-contained HTML file: no network, every value escaped.

    Parameters
    ----------
    review : DealReview
        Of `review_deals`.
    path : str or Path
        Folders are made.
    lang : {"en", "zh"}

    Returns
    -------
    Path
        The file.
    """
    return written("control.html", _content(review, lang), Path(path))


def _content(review: DealReview, lang: str) -> dict[str, Any]:
    scale, unit = unit_for_deals(float(review.clocks["amount"].sum()), review.unit, lang)
    tasks = review.tasks
    return {
        "lang": "zh-CN" if lang == "zh" else "en",
        "title": label("title_control", lang, as_of=review.as_of),
        "words": {key: label(key, lang) for key in _WORDS},
        "tiles": _tiles(review, lang),
        "picture": _picture(review, lang),
        "ahead": ahead_rows(review, scale, unit, lang).head(SHOWN_ROWS),
        "ahead_text": label("nothing" if "n_behind" in _defined(review) else "none_defined", lang),
        "alerts": alert_rows(review, scale, unit, lang).head(SHOWN_ALERTS),
        "alerts_text": _alerts_text(review.anomalies, lang),
        "rules": rule_rows(review.record, lang),
        "silent": silent_lines(review.anomalies.rules, lang),
        "tasks": task_rows(review, scale, unit, lang).head(SHOWN_TASKS),
        "tasks_text": _tasks_text(tasks, review.process, lang),
        "similar": [similar_parts(one, review, scale, unit, lang) for one in review.similar],
        "losses": loss_rows(review, scale, unit, lang),
        "losses_why": review.losses.why(lang),
        "people": people_rows(review, scale, unit, lang).head(SHOWN_ROWS),
        "people_why": review.key_people.why(lang),
        "customers": customer_rows(review, scale, unit, lang).head(SHOWN_ROWS),
        "customers_why": review.customers.why(lang),
    }


def _tiles(review: DealReview, lang: str) -> list[dict[str, Any]]:
    scale, unit = unit_for(float(review.clocks["amount"].sum()), review.unit, lang)
    clocks, hits, tasks = review.clocks, review.anomalies.hits, review.tasks
    ahead = clocks[clocks["seller_rank"] > clocks["supported_rank"]]
    grave = hits[hits["severity"].eq("high")]
    money, of_deals = (
        label("amount", lang),
        grave[grave["deal_id"].notna()],
    )  # a rep's alert is about deals told already
    shown = (
        ("title_deals", clocks, clocks["amount"].sum()),
        ("n_behind", ahead, ahead["amount"].sum()),
        ("page_grave", grave, of_deals.drop_duplicates("deal_id")["value_at_stake"].sum()),
        ("n_tasks", tasks, tasks.drop_duplicates("deal_id")["value_at_stake"].sum()),
    )
    defined, tiles = _defined(review), []
    for key, rows, amount in shown:
        worth = label("part_of", lang, text=money, part=f"{amount_text(amount, scale)} {unit}".strip())
        value, more = (f"{len(rows):,}", worth) if key in defined else ("–", label("none_defined", lang))
        tiles.append({"name": label(key, lang), "value": value, "more": [more]})
    return tiles


def _defined(review: DealReview) -> set[str]:
    """The numbers of the page that the process file makes possible; where it defines nothing, 0 would say all is well.

    Tasks follow from milestones, conditions and roles; deals run ahead of milestones or of stages of the buyer.
    """
    process = review.process
    roles = any(stage.roles_reached_by_exit for stage in process.stages)
    made_from = {
        "title_deals": True,
        "n_behind": process.milestone_ids or process.buyer_stages,
        "page_grave": len(review.anomalies.rules),
        "n_tasks": process.milestone_ids or process.condition_ids or roles,
    }
    return {key for key, there in made_from.items() if there}


def _picture(review: DealReview, lang: str) -> str:
    """The table of clocks; empty where nobody states a buyer's stage."""
    if not len(review.cells) or not review.cells["n_open"].sum():
        return ""
    return png(lambda ax: plots.clock_table(review.cells, ax=ax, lang=lang), 5.4)


def _alerts_text(found: Anomalies, lang: str) -> str:
    if not len(found.rules):
        return label("no_rules", lang)
    return label("page_shown", lang, n=min(SHOWN_ALERTS, len(found.hits)), all=number(len(found.hits)))


def _tasks_text(tasks: pd.DataFrame, process: Process, lang: str) -> str:
    lacking = no_work(process, lang)
    if not len(tasks):
        return lacking or label("nothing", lang)
    lines = [
        label("page_shown", lang, n=min(SHOWN_TASKS, len(tasks)), all=number(len(tasks))),
        *([lacking] if lacking else []),
    ]
    if tasks["won_ratio"].notna().any():
        lines.append(label("warning_condition_effects", lang))
    return (" " if lang == "en" else "").join(lines)
