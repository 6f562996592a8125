"""What a review shows of past forecasts and of change, as tables of texts: for the terminal, the page, the workbook."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.forecast import Change, QuarterForecast, TrackRecord
from salesanalytics.forecast.track_record import MIN_QUARTERS
from salesanalytics.labels import amount_label, band, label, number, percent, short
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.report.columns import differences
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


def use_text(record: TrackRecord, measure: str, lang: str) -> str:
    """Which method to use by the record of past quarters, of how many; or that too few quarters can be compared."""
    told = {"measure": label(measure, lang), "quarters": record.n_compared(measure), "least": MIN_QUARTERS}
    if record.n_compared(measure) < MIN_QUARTERS:
        return label("too_few_compared", lang, **told)
    method = method_name(record.recommended(measure), lang)
    return label("use_by_record", lang, method=method, n=record.n_methods(measure), **told)


def method_name(method: str, lang: str) -> str:
    """A method in words; ours by what it is."""
    return label("our_forecast" if method == "forecast" else method, lang)


def signed_percent(x: float) -> str:
    """A share with its sign; what rounds to nothing reads 0 %.

    Examples
    --------
    >>> signed_percent(0.031), signed_percent(-0.002), signed_percent(float("nan"))
    ('+3 %', '0 %', '–')
    """
    if x != x or round(100 * x) == 0:
        return percent(x if x != x else 0.0)
    return f"{'+' if x > 0 else '−'}{percent(abs(x))}"


def cause_rows(change: Change, unit: str, lang: str) -> pd.DataFrame:
    """What moved a forecast, one row a cause."""
    scale, unit = _units(change, unit, lang)
    amounts = differences(change.causes["amount"] / scale) if amounts_told(change) else "–"
    return pd.DataFrame(
        {
            label("cause", lang): [label(f"cause_{c}", lang) for c in change.causes["cause"]],
            amount_label("amount", unit, lang): amounts,
            label("count", lang): differences(change.causes["count"]),
        }
    )


def moved_deal_rows(change: Change, names: pd.Series, unit: str, lang: str) -> pd.DataFrame:
    """The deals that moved a forecast most; ``names`` by deal."""
    scale, unit = _units(change, unit, lang)
    top = change.deals.head(TOP_CHANGES)
    of_deal = top.drop(columns=["deal_id", "amount"])
    main = of_deal.abs().idxmax(axis=1) if len(top) else []
    return pd.DataFrame(
        {
            label("deal_id", lang): top["deal_id"],
            label("name", lang): names.reindex(top["deal_id"]).fillna("–").to_list(),
            label("main_cause", lang): [label(f"cause_{c}", lang) for c in main],
            amount_label("amount", unit, lang): differences(top["amount"] / scale),
        }
    )


def change_ends(change: Change, before: QuarterForecast, after: QuarterForecast, lang: str) -> list[str]:
    """Mean, band and chance of the target, before and after: a line each; of deals where no amount is known."""
    if not amounts_told(change):
        counts = [_end(told, "count", 1.0, label("unit_deals", lang), lang) for told in (before, after)]
        return [label("no_amounts", lang), *counts]
    scale, unit = _units(change, after.unit, lang)
    return [_end(told, "amount", scale, unit, lang) for told in (before, after)]


def _end(forecast: QuarterForecast, measure: str, scale: float, unit: str, lang: str) -> str:
    mean, (low, high) = forecast.total(measure).mean() / scale, np.divide(forecast.bands(measure)["80"], scale)
    if measure == "amount" and not forecast.amounts_known:
        mean = low = high = np.nan
    line = label("change_end", lang, day=forecast.as_of, mean=short(mean), band=band(low, high), unit=unit)
    has_target = measure == "amount" and forecast.target is not None
    return line + (label("change_target", lang, p=p_target_text(forecast)) if has_target else "")


def amounts_told(change: Change) -> bool:
    """Whether there is any amount to speak of."""
    return not change.before["mean"] is change.after["mean"] is None


def _units(change: Change, unit: str, lang: str) -> tuple[float, str]:
    largest = max(float(told["mean"] or 0.0) for told in (change.before, change.after))
    return unit_for_deals(largest, unit, lang)
