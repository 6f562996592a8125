"""Parts of the pack beside the forecast itself: what moved it, whether it can be trusted, months, groups, judgement."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from salesanalytics import plots
from salesanalytics.forecast import PipelineChange, QuarterForecast, explain_change, key_deals
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import amount_label, band, chance, decimals, label, number, percent, rounded, short
from salesanalytics.labels.units import unit_for, unit_for_deals
from salesanalytics.report.columns import numbers
from salesanalytics.report.disagreement_section import disagreement_section
from salesanalytics.report.judgement_section import judgement_section
from salesanalytics.report.largest import largest_rows
from salesanalytics.report.pacing_section import pacing_section
from salesanalytics.report.path_section import path_section
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
from salesanalytics.report.section import Section
from salesanalytics.report.tables import group_notes, group_rows, known_amounts

KEY_DEALS = 8


def sections(
    forecast: QuarterForecast,
    lang: str,
    *,
    before: QuarterForecast | None,
    groups: pd.DataFrame | None,
    outlook: pd.DataFrame | None,
    pacing: pd.DataFrame | None = None,
    pipeline: PipelineChange | None = None,
) -> list[Section]:
    """The parts that can be told, in the order in which a director asks."""
    found = [] if before is None else [_change(before, forecast, lang)]
    found += [] if pipeline is None else [_pipeline(pipeline, forecast.unit, lang)]
    covered = pacing_section(forecast, pacing, lang)
    found += [covered] if covered else []
    if forecast.p_target is not None:
        found += [_target(forecast, lang), path_section(forecast, lang)]
    found += [judgement_section(forecast, lang)] if forecast.unjudged is not None else []
    found += [_key_deals(forecast, lang)] if len(forecast.deals) and forecast.amounts_known else []
    apart = disagreement_section(forecast, lang)
    found += [apart] if apart else []
    if groups is not None:
        tables, below = ((group_rows(groups, forecast, lang), 1),), group_notes(groups, lang)
        found.append(Section(label("title_groups", lang), tables=tables, below=below))
    found += [] if outlook is None else [_outlook(outlook, forecast, lang)]
    return found + ([_trust(forecast, lang)] if forecast.record is not None else [])


def _change(before: QuarterForecast, after: QuarterForecast, lang: str) -> Section:
    change = explain_change(before, after)
    names = names_of(before, after)
    title = label("title_change", lang, quarter=after.period.name, before=before.as_of, after=after.as_of)
    lead, causes = tuple(change_ends(change, before, after, lang)), (cause_rows(change, after.unit, lang), 1)
    if not amounts_told(change):  # then neither a picture nor a deal has anything to show
        return Section(title, lead, (causes,))
    return Section(
        title,
        lead,
        (causes, (moved_deal_rows(change, names, after.unit, lang), 3)),
        lambda ax: plots.forecast_waterfall(change, unit=after.unit, ax=ax, lang=lang),
        4.4,
    )


def names_of(before: QuarterForecast, after: QuarterForecast) -> pd.Series:
    """Names of the deals open on either date, by deal."""
    names = pd.concat([f.deals.set_index("deal_id")["name"] for f in (after, before)])
    return names[~names.index.duplicated()]


def _pipeline(change: PipelineChange, unit: str, lang: str) -> Section:
    rows, deals = flow_rows(change, unit, lang), flow_deal_rows(change, unit, lang)
    return Section(
        label("title_pipeline", lang, before=change.before_on, after=change.after_on),
        (label("pipeline_note", lang),),
        ((rows, 1), (deals, 3)) if len(deals) else ((rows, 1),),
        None
        if change.before["amount"] is None
        else lambda ax: plots.pipeline_waterfall(change, unit=unit, ax=ax, lang=lang),
        4.4,
    )


def _target(forecast: QuarterForecast, lang: str) -> Section:
    return Section(
        label("title_target_curve", lang), draw=lambda ax: plots.target_curve(forecast, ax=ax, lang=lang), height=3.2
    )


def _key_deals(forecast: QuarterForecast, lang: str) -> Section:
    deals, n = key_deals(forecast), len(forecast.total())
    sure = forecast.target is not None and bool(reaches(forecast.amount["signed"].min(), forecast.target))
    top = deals.nlargest(KEY_DEALS, "variance_share")
    of_deals, unit_of_deals = unit_for_deals(forecast.total().mean(), forecast.unit, lang)
    columns = {
        label("deal_id", lang): top["deal_id"],
        label("name", lang): top["name"].fillna("–"),
        label("p_in_period", lang): [percent(p, 1) for p in top["p_in_period"]],
        amount_label("amount", unit_of_deals, lang): numbers(top["amount"] / of_deals),
        label("variance_share", lang): [percent(x) for x in top["variance_share"]],
    }
    for name in ("p_target_won", "p_target_lost"):
        columns |= {label(name, lang): [chance(p, n, certain=sure) for p in top[name]]} if name in top else {}
    return Section(
        label("title_key_deals", lang), tables=((largest_rows(forecast, lang), 1), (pd.DataFrame(columns), 2))
    )


def _outlook(outlook: pd.DataFrame, forecast: QuarterForecast, lang: str) -> Section:
    scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    outlook = known_amounts(outlook, forecast)
    digits = decimals(float(outlook["amount"].max()) / scale)
    rows = {
        label("of_period", lang): [
            label("with_unit", lang, text=period, unit=label(f"kind_{kind}", lang))
            for period, kind in outlook[["period", "kind"]].itertuples(index=False)
        ]
    }
    for measure, part, places in (("amount", scale, digits), ("count", 1.0, 0)):
        head = amount_label("amount", unit, lang) if measure == "amount" else label("count", lang)
        rows[head] = numbers(outlook[measure] / part).tolist()
        limits = outlook[[f"{measure}_q10", f"{measure}_q90"]].to_numpy() / part
        name = label("part_of", lang, text=label(measure, lang), part=label("band_80", lang))
        rows[name] = [band(low, high, places) for low, high in limits]
    rows[label("signed_so_far", lang)] = [rounded(x / scale, digits) for x in outlook["amount_signed"]]
    if outlook["target"].notna().any():
        rows[amount_label("target", unit, lang)] = numbers(outlook["target"] / scale).tolist()
    n, sure = len(forecast.total()), reaches(outlook["amount_signed"], outlook["target"])
    rows[label("p_target", lang)] = [
        chance(p, n, certain=reached) for p, reached in zip(outlook["p_target"], sure, strict=True)
    ]
    tables, below = ((pd.DataFrame(rows), 1),), outlook_notes(outlook, forecast, lang)
    return Section(label("title_outlook", lang), tables=tables, below=below)


def outlook_notes(outlook: pd.DataFrame, forecast: QuarterForecast, lang: str) -> tuple[str, ...]:
    """What is in the forecast and not in the next quarter and the year beside it, and which periods reach beyond what
    the book has watched: a sentence each, or none.
    """
    own = {
        "without_judgement_part": forecast.unjudged is not None,
        "without_widening_part": forecast.record is not None and forecast.record.stretch > 1,
        "without_extracts_part": any(key == "note_extracts" for key, _ in forecast.notes),
        "without_what_if_part": bool(forecast.decided),
    }
    parts = label("list_comma", lang).join(label(key, lang) for key, there in own.items() if there)
    notes = (label("outlook_without", lang, parts=parts),) if parts else ()
    watched = forecast.prepared.model.table_.watched_days_
    last = forecast.as_of + timedelta(days=watched)
    beyond = label("list_comma", lang).join(outlook.loc[outlook["end"] > last, "period"])
    if not beyond or forecast.deals.empty:
        return notes
    return (*notes, label("outlook_beyond_watched", lang, n=watched, day=last, periods=beyond))


def _trust(forecast: QuarterForecast, lang: str) -> Section:
    record = forecast.record
    assert record is not None
    measures = judged_measures(record)
    lead = [] if "amount" in measures else [label("no_amounts_judged", lang)]
    quarters = record.scores["quarter"].nunique()
    for measure in measures:
        (k80, n), (k50, _) = record.held(measure, 80), record.held(measure, 50)
        told = {"k80": k80, "k50": k50, "n": n, "quarters": quarters, "measure": label(measure, lang)}
        lead.append(label("trust_bands", lang, **told))
    lead.append(label("trust_stretch", lang, stretch=number(record.stretch, 2)))
    for measure in measures:
        lead += [use_text(record, measure, lang), *_recommended(forecast, measure, lang)]
    lead += [label("backtest_flatters", lang)] * record.one_extract
    lead.append(label("backtest_note", lang))
    return Section(
        label("title_trust", lang),
        tuple(lead),
        tuple((_of_measure(record_rows(record, measure, lang), measure, lang), 1) for measure in measures),
        lambda ax: plots.past_quarters(record, measure=measures[0], unit=forecast.unit, ax=ax, lang=lang),
    )


def _recommended(forecast: QuarterForecast, measure: str, lang: str) -> list[str]:
    """What the method to use says of the period, where it is not our forecast: a sentence, or none."""
    assert forecast.record is not None
    told = forecast.baselines.set_index("method").reindex([forecast.record.recommended(measure)]).iloc[0]
    if not np.isfinite(told[measure]) or not np.isfinite(told.get(f"{measure}_lower", np.nan)):
        return []
    scale, unit = 1.0, label("unit_deals", lang)
    if measure == "amount":
        scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    low, high = told[f"{measure}_lower"] / scale, told[f"{measure}_upper"] / scale
    target = ""
    if measure == "amount" and np.isfinite(told["p_target"]):
        n_past = forecast.record.scores["quarter"].nunique()  # so many errors tell the chance, and no more
        target = label("change_target", lang, p=chance(told["p_target"], n_past))
    text = {"quarter": forecast.period.name, "unit": unit, "target": target}
    value = short(told[measure] / scale)
    return [label("recommended_says", lang, value=value, band=band(low, high), **text)]


def _of_measure(rows: pd.DataFrame, measure: str, lang: str) -> pd.DataFrame:
    """The first column's head says which measure the table is about: two that look alike stand under one title."""
    method = label("method", lang)
    return rows.rename(columns={method: label("part_of", lang, text=label(measure, lang), part=method)})
