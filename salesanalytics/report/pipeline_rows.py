"""What moved the open pipeline, as tables: of texts for the terminal and the page, of numbers for the workbook."""

from __future__ import annotations

import pandas as pd

from salesanalytics.forecast import PipelineChange
from salesanalytics.forecast.pipeline import FLOWS, MEASURES, REPRICED
from salesanalytics.labels import amount_label, label
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.report.columns import differences, numbers
from salesanalytics.report.review_rows import TOP_CHANGES

MONEY = ("amount", "weighted")
ENDS = ("before", "after")


def flow_rows(change: PipelineChange, unit: str, lang: str) -> pd.DataFrame:
    """The pipeline before, one row a cause, and the pipeline after."""
    scale, unit = _units(change, unit, lang)
    table = _with_ends(change)
    found = {label("cause", lang): _names(change, lang)}
    for measure in MEASURES:
        values = table[measure].astype(float) / (scale if measure in MONEY else 1.0)
        ends = numbers(values).iloc[[0, -1]].tolist()
        steps = differences(values.iloc[1:-1])
        found[_head(measure, unit, lang)] = [ends[0], *steps, ends[1]]
    return pd.DataFrame(found)


def flow_deal_rows(change: PipelineChange, unit: str, lang: str) -> pd.DataFrame:
    """The deals that moved the pipeline most."""
    scale, unit = _units(change, unit, lang)
    top = change.deals.head(TOP_CHANGES)
    return pd.DataFrame(
        {
            label("deal_id", lang): top["deal_id"],
            label("name", lang): top["name"].fillna("–"),
            label("what_happened", lang): [_happened(deal, lang) for deal in top.to_dict("records")],
            **{_head(f"amount_{when}", unit, lang): numbers(top[f"amount_{when}"] / scale) for when in ENDS},
            _head("difference", unit, lang): differences(top["amount"] / scale),
        }
    )


def flow_table(change: PipelineChange, unit: str, lang: str) -> pd.DataFrame:
    """As `flow_rows`, in numbers."""
    table = _with_ends(change)
    measured = {_head(measure, unit, lang): table[measure].astype(float) for measure in MEASURES}
    return pd.DataFrame({label("cause", lang): _names(change, lang)} | measured)


def flow_deal_table(change: PipelineChange, unit: str, lang: str) -> pd.DataFrame:
    """Every deal that moved the pipeline, one column a cause that moves amounts."""
    deals = change.deals
    found = {label(key, lang): deals[key] for key in ("deal_id", "name")}
    for step in ("came", "left"):
        found[label(step, lang)] = [label(f"flow_{cause}", lang) if cause else None for cause in deals[step]]
    found |= {_head(f"amount_{when}", unit, lang): deals[f"amount_{when}"] for when in ENDS}
    found |= {_head("difference", unit, lang): deals["amount"]}
    found |= {label(f"flow_{cause}", lang): deals[cause] for cause in FLOWS if cause != "stage"}
    return pd.DataFrame(found)


def _with_ends(change: PipelineChange) -> pd.DataFrame:
    """The causes between the pipeline before and after."""
    ends = [pd.DataFrame([told])[list(MEASURES)].astype(float) for told in (change.before, change.after)]
    return pd.concat([ends[0], change.causes[list(MEASURES)], ends[1]], ignore_index=True)


def _names(change: PipelineChange, lang: str) -> list[str]:
    return [str(change.before_on), *(label(f"flow_{c}", lang) for c in change.causes["cause"]), str(change.after_on)]


def _happened(deal: dict[str, object], lang: str) -> str:
    """How a deal came, what became of its amount, how it left; else that it moved in the stages."""
    causes = [deal["came"], *(cause for cause in REPRICED if deal[cause]), deal["left"]]
    said = [label(f"flow_{cause}", lang) for cause in causes if cause] or [label("flow_stage", lang)]
    return label("list_comma", lang).join(said)


def _head(key: str, unit: str, lang: str) -> str:
    return label(key, lang) if key in ("count", "without_amount") else amount_label(key, unit, lang)


def _units(change: PipelineChange, unit: str, lang: str) -> tuple[float, str]:
    return unit_for_deals(max(float(told["amount"] or 0.0) for told in (change.before, change.after)), unit, lang)
