"""What a review shows of past forecasts and of change, as tables of texts: for the terminal, the page, the workbook."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.forecast import Change, QuarterForecast, TrackRecord
from salesanalytics.labels import amount_label, band, label, number, percent, short, signed
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.report.tables import p_target_text

TOP_CHANGES = 10


def judged_measures(record: TrackRecord) -> list[str]:
    """What past forecasts can be judged by: amount and count; count alone where no amount was ever known."""
    own = record.scores[record.scores["measure"].eq("amount")]
    return ["amount", "count"] if own[["forecast", "actual"]].fillna(0.0).any(axis=None) else ["count"]


def record_rows(record: TrackRecord, measure: str, lang: str) -> pd.DataFrame:
    """How each method did on past quarters, one row a method, best first."""
    table = record.summary().query("measure == @measure and n_forecasts > 0")
    held = {
        label(f"held_{level}", lang): [
            label("k_of_n", lang, k=k, n=n) if n else "–"
            for k, n in zip(table[f"held_{level}"], table["n_bands"], strict=True)
        ]
        for level in (50, 80)
    }
    return pd.DataFrame(
        {
            label("method", lang): [method_name(m, lang) for m in table["method"]],
            label("n_quarters", lang): [number(n) for n in table["n_quarters"]],
            label("wape", lang): [percent(x) for x in table["wape"]],
            label("bias", lang): [signed_percent(x) for x in table["bias"]],
            label("crps_of_mean", lang): [percent(x) for x in table["crps"]],
            **held,
        }
    )


def method_name(method: str, lang: str) -> str:
    """A method in words; ours by what it is."""
    return label("our_forecast" if method == "forecast" else method, lang)


def signed_percent(x: float) -> str:
    """A share with its sign."""
    return percent(x) if x != x or x == 0 else f"{'+' if x > 0 else '−'}{percent(abs(x))}"


def cause_rows(change: Change, unit: str, lang: str) -> pd.DataFrame:
    """What moved a forecast, one row a cause."""
    scale, unit, digits = _units(change, unit, lang)
    return pd.DataFrame(
        {
            label("cause", lang): [label(f"cause_{c}", lang) for c in change.causes["cause"]],
            amount_label("amount", unit, lang): [
                signed(x / scale, digits) if _known(change) else "–" for x in change.causes["amount"]
            ],
            label("count", lang): [signed(x, 1) for x in change.causes["count"]],
        }
    )


def moved_deal_rows(change: Change, names: pd.Series, unit: str, lang: str) -> pd.DataFrame:
    """The deals that moved a forecast most; ``names`` by deal."""
    scale, unit, digits = _units(change, unit, lang)
    top = change.deals.head(TOP_CHANGES)
    of_deal = top.drop(columns=["deal_id", "amount"])
    main = of_deal.abs().idxmax(axis=1) if len(top) else []
    return pd.DataFrame(
        {
            label("deal_id", lang): top["deal_id"],
            label("name", lang): names.reindex(top["deal_id"]).fillna("–").to_list(),
            label("main_cause", lang): [label(f"cause_{c}", lang) for c in main],
            amount_label("amount", unit, lang): [signed(x / scale, digits) for x in top["amount"]],
        }
    )


def change_ends(change: Change, before: QuarterForecast, after: QuarterForecast, lang: str) -> list[str]:
    """Mean, band and chance of the target, before and after: a line each."""
    scale, unit, _ = _units(change, after.unit, lang)
    ends = []
    for forecast, told in ((before, change.before), (after, change.after)):
        mean, low, high = (np.nan if (size := told[k]) is None else size / scale for k in ("mean", "q10", "q90"))
        line = label("change_end", lang, day=forecast.as_of, mean=short(mean), band=band(low, high), unit=unit)
        reached = "" if forecast.target is None else label("change_target", lang, p=p_target_text(forecast))
        ends.append(line + reached)
    return ends


def _known(change: Change) -> bool:
    """Whether there is any amount to speak of."""
    return not change.before["mean"] is change.after["mean"] is None


def _units(change: Change, unit: str, lang: str) -> tuple[float, str, int]:
    largest = max(float(told["mean"] or 0.0) for told in (change.before, change.after))
    scale, unit = unit_for_deals(largest, unit, lang)
    return scale, unit, 0 if abs(largest / scale) >= 1000 else 1
