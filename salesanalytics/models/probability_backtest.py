"""Probability backtest: what each method would have promised at past dates, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.features import snapshots
from salesanalytics.models.calibration_by import expected_and_came
from salesanalytics.models.calibration_line import calibration_line
from salesanalytics.models.close_model import CloseModel
from salesanalytics.models.metrics import auc, brier, decompose, log_loss, log_losses
from salesanalytics.models.past import MIN_CLOSED
from salesanalytics.models.reliability import mean_difference
from salesanalytics.timeline.calendar import as_of_day, quarter_of, to_date, to_day, to_timestamps
from salesanalytics.timeline.spells import known_outcomes, recording_lag_days

HORIZONS = (30, 90, 180, 365)
QUARTER_END = "quarter end"
BASELINE = "stage_table"
LEARNED = ("stage_table", "logistic", "boosting", "blend")
STATED = ("nominal", "rep")
METHODS = (*STATED, *LEARNED, "in_use")
TOLD = ("origin", "deal_id", "horizon", "horizon_days", "won")
N_ORIGINS, STEP_DAYS, FIRST_YEAR = 8, 91, 365
CLIP = 0.001


@dataclass(frozen=True)
class ProbabilityBacktest:
    """What each method promised at past dates, and what came.

    Attributes
    ----------
    predictions : DataFrame
        One row a past date, open deal and horizon: ``origin``, ``deal_id``, ``horizon`` (days, or ``quarter end``),
        ``horizon_days``, ``won``, a column a method (NaN where it had nothing to say), and to group by, as known on the
        date: ``quarter`` (the fiscal one that it lies in front of, or in), ``state``, ``rep_id`` (the owner), and the
        attributes of the book under other names. Only horizons that were fully observed.
    scores : DataFrame
        One row a horizon and method, judged where all methods shown had a say: ``n``, ``n_deals``, ``expected``,
        ``won``, ``brier``, ``log_loss``, ``miscalibration``, ``discrimination``, ``uncertainty`` (of the log loss: the
        first less the second plus the third, see `decompose`), ``auc``, ``slope`` with ``slope_lower`` and
        ``slope_upper``, ``in_the_large`` (of the calibration line), and ``difference``, ``lower``, ``upper``: log loss
        against the stage table, below 0 is better. Intervals of 90 %, clustered by deal.
    rungs : DataFrame
        One row a past date: ``origin``, ``n_closed``, ``rung``, ``by_count``, ``by_test``.
    """

    predictions: pd.DataFrame
    scores: pd.DataFrame
    rungs: pd.DataFrame

    def __repr__(self) -> str:
        n_deals, n_told = self.predictions["deal_id"].nunique(), len(self.predictions)
        return f"<ProbabilityBacktest: {len(self.rungs)} past dates, {n_deals:,} deals, {n_told:,} chances>"

    def by(self, group: str, *, method: str = "in_use") -> pd.DataFrame:
        """How many wins a method expected, and how many came, by group: calibration in the large.

        Parameters
        ----------
        group : str
            ``state``, ``rep_id``, ``quarter`` or an attribute.
        method : str
            A column a method of ``predictions``.

        Returns
        -------
        DataFrame, one row a horizon and group
            ``horizon``, the group, ``n`` (chances), ``n_deals``, ``expected``, ``won``, ``won_lower``, ``won_upper``:
            90 % interval, clustered by deal. A group whose ``expected`` lies outside was told wrong, or was the one in
            ten that lies outside by accident.

        Raises
        ------
        SchemaError
            No such group or method.
        """
        known = [str(c) for c in self.predictions if c not in (*TOLD, *METHODS)]
        for name, given, names in (("group", group, known), ("method", method, METHODS)):
            if given not in names:
                raise SchemaError(f"{name} must be one of {', '.join(names)}, got {given!r}.")
        return expected_and_came(self.predictions, by=group, method=method)


def backtest_probabilities(
    book: DealBook, *, as_of: Any, origins: Sequence[Any] | int = N_ORIGINS, horizons: Sequence[int] = HORIZONS
) -> ProbabilityBacktest:
    """Fit at past dates, with what was known then; promise; look what came.

    Methods: ``nominal`` and ``rep`` (nominal rate of the stage, the rep's own probability: as in a weighted pipeline,
    counted if the expected signing date lies within the horizon or is not stated, else 0), ``stage_table``,
    ``logistic``, ``boosting``, ``blend``, and ``in_use`` (what the ladder had chosen on that date). Each learned one is
    recalibrated from its own predictions of dates before. Before 60 closed deals only the first three speak.

    Parameters
    ----------
    book : DealBook
    as_of : date
        Ends count as they were known at the end of that day.
    origins : sequence of dates, or int
        A number: up to so many, 91 days apart, the last one 91 days before ``as_of``, the first year left to learn.
    horizons : sequence of int
        Days; the end of the fiscal quarter is always added.

    Returns
    -------
    ProbabilityBacktest

    Raises
    ------
    SchemaError
        A horizon is not above 0.
    InsufficientDataError
        No past date with an open deal has a horizon behind it.
    AsOfError
        A date lies after the end of the book.
    """
    if not all(horizon > 0 for horizon in horizons):
        raise SchemaError(f"horizons must be > 0, got {min(horizons)}.")
    day = as_of_day(book, as_of)
    if isinstance(origins, int):
        days = _dates_back(book, day, origins)
    else:
        days = sorted({to_day(o, name="origins") for o in origins})
        as_of_day(book, to_date(max(days, default=day)))  # refused after the end of the book
    seen_to = day - recording_lag_days(book, as_of=to_date(day))
    ends = known_outcomes(book, day).set_index("deal_id")[["end", "end_day"]]
    parts, rungs = [], []
    for origin in (d for d in days if d < seen_to):
        found, rung = _promised(book, origin, [h for h in horizons if origin + h <= seen_to], seen_to)
        parts.append(found)
        rungs.append(rung)
    predictions = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if not len(predictions):
        raise InsufficientDataError(
            f"No past date has an open deal and a horizon that was fully observed by {to_date(seen_to)}; "
            f"origins asked: {len(days)}."
        )
    end, upto = ends.loc[predictions["deal_id"]], predictions.pop("upto").to_numpy()
    by_then = end["end_day"].to_numpy() <= upto
    predictions.insert(4, "won", end["end"].eq("won").to_numpy() & by_then)
    vanished = end["end"].eq("open").to_numpy() & (end["end_day"].to_numpy() < upto)
    predictions = predictions[~vanished].reset_index(drop=True)
    return ProbabilityBacktest(predictions, score_predictions(predictions), pd.DataFrame(rungs))


def _dates_back(book: DealBook, day: int, n: int) -> list[int]:
    begin = known_outcomes(book, day)["created_day"].min()
    if pd.isna(begin):
        return []
    days = [day - STEP_DAYS * k for k in range(n, 0, -1)]
    return [d for d in days if d >= begin + FIRST_YEAR]


def _promised(book: DealBook, origin: int, horizons: list[int], seen_to: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Promises of one date for every open deal, horizon and method."""
    on = to_date(origin)
    model = CloseModel().fit(book, as_of=on)
    chosen = model.rung_
    everything = model if chosen.name == chosen.by_count else CloseModel(rung=chosen.by_count).fit(book, as_of=on)
    snapshot = snapshots(book, as_of=on)
    quarter = quarter_of(origin + 1, fiscal_year_start=book.settings.fiscal_year_start)
    end = quarter.end_day
    groups = {"quarter": quarter.name, "state": snapshot["state"], "rep_id": snapshot["rep_id"]}
    groups |= {name: snapshot[name] for name in book.settings.attributes}
    asked = {str(h): h for h in horizons}
    if end <= seen_to:
        asked[QUARTER_END] = end - origin
    nominal = snapshot["stage"].map(dict(book.process.nominal_win_rates)).astype(float)
    parts = []
    for name, n_days in asked.items():
        columns = {
            "origin": to_timestamps(np.full(len(snapshot), origin)).to_numpy(),
            "deal_id": snapshot["deal_id"].to_numpy(),
            "horizon": name,
            "horizon_days": n_days,
            "upto": origin + n_days,
        }
        inside = ~(snapshot["days_to_close_date"] > n_days)
        columns |= {"nominal": nominal.where(inside | nominal.isna(), 0.0).to_numpy()}
        columns |= {"rep": snapshot["p_rep"].where(inside | snapshot["p_rep"].isna(), 0.0).to_numpy()}
        for rung in LEARNED:
            known = rung == BASELINE or everything.learners_ is not None
            known &= rung in (BASELINE, "logistic") or chosen.n_closed >= MIN_CLOSED["blend"]
            p = everything.curves(snapshot, days=[n_days], rung=rung)[0][:, 0] if known else np.nan
            columns[rung] = p
        columns["in_use"] = model.curves(snapshot, days=[n_days])[0][:, 0]
        of_deal = {name: values for name, values in groups.items() if name not in columns and name not in TOLD}
        parts.append(pd.DataFrame(columns | of_deal))
    stands = {"origin": on, "n_closed": chosen.n_closed, "rung": chosen.name}
    stands |= {"by_count": chosen.by_count, "by_test": chosen.by_test}
    return (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()), stands


def score_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """Scores of every method at every horizon, see `ProbabilityBacktest.scores`.

    Methods that speak on fewer than half of the rows are left out; the others are compared where all of them speak. If
    that is on fewer than half of the rows, the one that speaks least is left out as well.
    """
    rows = []
    for horizon, part in predictions.groupby("horizon", sort=False):
        shown = [m for m in METHODS if m in part and part[m].notna().mean() >= 0.5]
        while len(judged := part.dropna(subset=shown)) < 0.5 * len(part):
            shown.remove(part[shown].count().idxmin())
        won, deals = judged["won"].to_numpy(), judged["deal_id"]
        p_of = {m: np.clip(judged[m].to_numpy(dtype=float), CLIP, 1 - CLIP) for m in shown}
        baseline = log_losses(p_of[BASELINE], won)
        for method, p in p_of.items():
            line = calibration_line(p, won, cluster=deals).set_index("parameter")
            gap, parts = (
                mean_difference(log_losses(p, won), baseline, cluster=deals),
                decompose(p, won, score="log_loss"),
            )
            rows.append(
                {
                    "horizon": horizon,
                    "method": method,
                    "n": len(judged),
                    "n_deals": deals.nunique(),
                    "expected": float(p.sum()),
                    "won": int(won.sum()),
                    "brier": brier(p, won),
                    "log_loss": log_loss(p, won),
                    "miscalibration": parts.miscalibration,
                    "discrimination": parts.discrimination,
                    "uncertainty": parts.uncertainty,
                    "auc": auc(p, won),
                    "slope": line.at["slope", "estimate"],
                    "slope_lower": line.at["slope", "lower"],
                    "slope_upper": line.at["slope", "upper"],
                    "in_the_large": line.at["in_the_large", "estimate"],
                    "difference": gap.difference,
                    "lower": gap.lower,
                    "upper": gap.upper,
                }
            )
    return pd.DataFrame(rows)
