"""Texts of a review for a terminal: how past forecasts did, what moved one, what is wrong, what is due, how reps do."""

from __future__ import annotations

from datetime import date

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control import Anomalies
from salesanalytics.forecast import Change, PipelineChange, QuarterForecast, TrackRecord
from salesanalytics.labels import amount_label, label, number, percent
from salesanalytics.labels.units import unit_for
from salesanalytics.process import Process
from salesanalytics.report.columns import id_and_name, numbers, with_names
from salesanalytics.report.control_tables import deal_or_rep, silent_lines
from salesanalytics.report.pipeline_rows import flow_deal_rows, flow_rows
from salesanalytics.report.review_rows import (
    amounts_told,
    cause_rows,
    change_ends,
    judged_measures,
    moved_deal_rows,
    record_rows,
    use_text,
)
from salesanalytics.report.text import fold, text_table
from salesanalytics.reps.evaluate import RepEvaluation


def backtest_text(record: TrackRecord, lang: str, width: int | None = None, *, as_of: date) -> str:
    """Past forecasts beside what was signed, by method, and which of them to use (`backtest`)."""
    measures = judged_measures(record)
    parts = [] if "amount" in measures else ["\n".join([*fold(label("no_amounts_judged", lang), width), ""])]
    for measure in measures:
        title = label("title_backtest", lang, measure=label(measure, lang), as_of=as_of)
        parts.append(text_table(record_rows(record, measure, lang), title=title, n_text=1, lang=lang, width=width))
        parts.append("\n".join([*fold(use_text(record, measure, lang), width), ""]))
    told = [label("backtest_stretch", lang, stretch=number(record.stretch, 2)), label("backtest_note", lang)]
    told += [label("backtest_flatters", lang)] * record.one_extract
    return "\n".join([*parts, *(line for text in told for line in fold(text, width)), ""])


def change_text(
    change: Change,
    before: QuarterForecast,
    after: QuarterForecast,
    book: DealBook,
    lang: str,
    width: int | None = None,
) -> str:
    """What moved a forecast: causes that add up, and the deals behind them (`explain_change`)."""
    title = label("title_change", lang, quarter=after.period.name, before=before.as_of, after=after.as_of)
    lines = [line for text in change_ends(change, before, after, lang) for line in fold(text, width)]
    names = book.deals.set_index("deal_id")["name"]
    blocks = [
        text_table(cause_rows(change, after.unit, lang), title=title, n_text=1, lang=lang, width=width),
        "\n".join([*lines, ""]),
    ]
    if amounts_told(change):
        moved, title = moved_deal_rows(change, names, after.unit, lang), label("title_change_deals", lang)
        blocks.append(text_table(moved, title=title, n_text=3, lang=lang, width=width))
    return "\n".join(blocks)


def pipeline_text(change: PipelineChange, unit: str, lang: str, width: int | None = None) -> str:
    """What moved the open pipeline, and the deals behind it (`pipeline_change`)."""
    title = label("title_pipeline", lang, before=change.before_on, after=change.after_on)
    moved, note = flow_deal_rows(change, unit, lang), fold(label("pipeline_note", lang), width)
    parts = [text_table(flow_rows(change, unit, lang), title=title, n_text=1, lang=lang, width=width)]
    parts.append("\n".join([*note, ""]))
    if len(moved):
        title = label("title_change_deals", lang)
        parts.append(text_table(moved, title=title, n_text=3, lang=lang, width=width))
    return "\n".join(parts)


def alerts_text(found: Anomalies, book: DealBook, lang: str, width: int | None = None, *, as_of: date, top: int) -> str:
    """What is wrong with open deals (`find_anomalies`), the gravest first; rules that cannot speak are named."""
    hits = found.hits.head(top)
    names = found.rules.set_index("rule")[f"name_{lang}"]
    scale, unit = unit_for(float(hits["value_at_stake"].max() or 0.0), book.settings.unit, lang)
    rows = pd.DataFrame(
        {
            label("severity", lang): [label(f"severity_{s}", lang) for s in hits["severity"]],
            label("deal_or_rep", lang): deal_or_rep(hits, book.deal_names, book.rep_names),
            label("rule", lang): hits["rule"] + " " + hits["rule"].map(names),
            label("evidence", lang): hits[f"evidence_{lang}"],
            amount_label("value_at_stake", unit, lang): numbers(hits["value_at_stake"] / scale),
        }
    )
    title = label("title_alerts", lang, as_of=as_of, n=len(hits), all=number(len(found.hits)))
    lines = silent_lines(found.rules, lang)
    more = [label("title_silent", lang), "", *(line for text in lines for line in fold(text, width)), ""]
    blocks = [text_table(rows, title=title, n_text=4, lang=lang, width=width)]
    if not len(found.rules):
        return "\n".join([*blocks, *fold(label("no_rules", lang), width), ""])
    return "\n".join(blocks + ["\n".join(more)] * bool(lines))


def tasks_text(
    tasks: pd.DataFrame, book: DealBook, lang: str, width: int | None = None, *, as_of: date, top: int
) -> str:
    """What is due for the open deals (`next_tasks`), the most valuable first."""
    some = tasks.head(top)
    scale, unit = unit_for(float(some["value_at_stake"].max() if len(some) else 0.0), book.settings.unit, lang)
    rows = pd.DataFrame(
        {
            label("deal", lang): with_names(some["deal_id"], book.deal_names),
            label("rep_id", lang): with_names(some["rep_id"], book.rep_names),
            label("task", lang): some["item"].astype(str) + " " + some[f"task_{lang}"],
            label("why", lang): some[f"why_{lang}"],
            amount_label("value_at_stake", unit, lang): numbers(some["value_at_stake"] / scale),
        }
    )
    title = label("title_tasks", lang, as_of=as_of, n=len(some), all=number(len(tasks)))
    table, lacking = text_table(rows, title=title, n_text=4, lang=lang, width=width), no_work(book.process, lang)
    return "\n".join([table, *fold(lacking, width), ""]) if lacking else table


def no_work(process: Process, lang: str) -> str:
    """What the process file lacks for tasks to follow from it; empty where it has both."""
    names = [
        name for name, ids in (("conditions", process.condition_ids), ("milestone", process.milestone_ids)) if not ids
    ]
    return label("no_work", lang, names=label("list_comma", lang).join(names)) if names else ""


def reps_text(found: RepEvaluation, lang: str, width: int | None = None, *, as_of: date) -> str:
    """How reps do given the deals they were dealt (`evaluate_reps`); no rank where deals are few."""
    reps = found.reps.sort_values("effect", ascending=False, kind="stable")
    interval = label("part_of", lang, text=label("rep_effect", lang), part=percent(found.confidence))
    rows = pd.DataFrame(
        {
            label("rep_id", lang): [
                id_and_name(rep, name) for rep, name in zip(reps["rep_id"], reps["name"], strict=True)
            ],
            label("team", lang): reps["team"].fillna("–").astype(str),
            label("n_judged", lang): [number(n) for n in reps["n"]],
            label("observed", lang): [number(n) for n in reps["observed"]],
            label("expected", lang): [number(x, 1) for x in reps["expected"]],
            label("rep_effect", lang): [_effect(x) for x in reps["effect"]],
            interval: [
                f"{_effect(a)} – {_effect(b)}" if a == a else "–"
                for a, b in zip(reps["effect_lower"], reps["effect_upper"], strict=True)
            ],
            label("p_above_median", lang): [percent(p) for p in reps["p_above_median"]],
            label("rank", lang): [number(x) for x in reps["rank"].astype(float)],
            label("process_score", lang): [percent(x) for x in reps["process_score"].astype(float)],
        }
    )
    title = label("title_reps", lang, as_of=as_of, n=number(found.n_judged))
    table = text_table(rows, title=title, n_text=2, lang=lang, width=width)
    return "\n".join([table, *fold(label("reps_note", lang), width), ""])


def _effect(x: float) -> str:
    return "–" if x != x else f"{'−' if x < 0 else '+'}{abs(x):.2f}"


def scrub_text(
    found: pd.DataFrame,
    book: DealBook,
    lang: str,
    width: int | None = None,
    *,
    as_of: date,
    top: int,
    quarter: str | None = None,
) -> str:
    """What to mend in the open deals before a forecast, the largest amount first (`scrub_list`).

    ``quarter``: of the list; what the deals are expected to bring in it is shown.
    """
    some = found.head(top)
    largest = some["value_at_stake"].max() if len(some) else 0.0
    scale, unit = unit_for(float(largest if largest == largest else 0.0), book.settings.unit, lang)
    rows = pd.DataFrame(
        {
            label("deal_id", lang): some["deal_id"],
            label("name", lang): some["name"].fillna("–"),
            label("rep_id", lang): with_names(some["rep_id"], book.rep_names),
            label("evidence", lang): some[f"evidence_{lang}"],
            amount_label("value_at_stake", unit, lang): numbers(some["value_at_stake"] / scale),
        }
    )
    if quarter is not None:
        name = label("part_of", lang, text=quarter, part=amount_label("expected_amount", unit, lang))
        rows[name] = numbers(some["expected_amount"] / scale)
    title = label("title_scrub", lang, as_of=as_of, n=len(some), all=number(len(found)))
    return text_table(rows, title=title, n_text=4, lang=lang, width=width)
