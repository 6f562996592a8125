"""How past forecasts did: errors, bands that held, and by how much bands have to be widened."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import norm

OURS, WITH_CALLS = "forecast", "with_calls"
NO_CALLS = pd.DataFrame(columns=["rep_id", "way", "measure", "called", "came", "quarter", "week", "as_of"])
PRIOR_QUARTERS = 8.0  # so many quarters with bands as wide as they should be, before any is seen
MIN_QUARTERS = 8
LEAST_PIT = 0.001


@dataclass(frozen=True)
class TrackRecord:
    """Forecasts of past quarters beside what was signed; see `backtest`.

    Attributes
    ----------
    scores : DataFrame
        One row a quarter, week, measure and method.
    calls : DataFrame
        One row a quarter, week, rep, ``way`` (`called_by_way`) and measure: what was ``called`` of open deals, and
        what ``came`` of them, quarters before the scored ones included. Empty where reps say nothing.
    one_extract : bool
        The book does not say when its rows were recorded: what was recorded late counts as known, and that flatters.
    """

    scores: pd.DataFrame
    calls: pd.DataFrame = field(default_factory=NO_CALLS.copy)
    one_extract: bool = False

    def __repr__(self) -> str:
        quarters = list(self.scores["quarter"].unique()) if len(self.scores) else []
        span = f", {quarters[0]} to {quarters[-1]}" if quarters else ""
        return f"<TrackRecord: {len(quarters)} quarters{span}; next bands {self.stretch:.2f} times as wide>"

    @property
    def stretch(self) -> float:
        """How many times as wide the bands of the next forecast have to be; see `stretch_of`."""
        return stretch_of(self.scores)

    def summary(self) -> pd.DataFrame:
        """How each method did.

        Returns
        -------
        DataFrame, one row a measure and method, best CRPS first
            ``measure``, ``method``, ``n_quarters``, ``n_forecasts``, ``wape`` (sum of absolute errors over the sum
            signed), ``bias`` (sum of errors over the sum signed: positive = too high), ``crps`` (mean over mean
            signed, over the comparable forecasts; NaN where it lacks one of these), ``interval_score`` (of the 80 %
            band, likewise), ``held_50``, ``held_80`` (bands that held) of ``n_bands``.
        """
        rows = []
        for (measure, method), part in self.scores.groupby(["measure", "method"], sort=False):
            told = part.dropna(subset=["forecast"])
            total = told["actual"].sum()
            error = told["forecast"] - told["actual"]
            scored = part[part["comparable"]]
            mean = scored["actual"].mean() if len(scored) else 0.0
            rows.append(
                {
                    "measure": measure,
                    "method": method,
                    "n_quarters": told["quarter"].nunique(),
                    "n_forecasts": len(told),
                    "wape": error.abs().sum() / total if total else np.nan,
                    "bias": error.sum() / total if total else np.nan,
                    "crps": scored["crps"].mean(skipna=False) / mean if mean else np.nan,
                    "interval_score": scored["interval_score"].mean(skipna=False) / mean if mean else np.nan,
                    "held_50": int(part["in_50"].sum()),
                    "held_80": int(part["in_80"].sum()),
                    "n_bands": int(part["in_80"].notna().sum()),
                }
            )
        found = pd.DataFrame(rows)
        return found.sort_values(["measure", "crps"], kind="stable", ignore_index=True)

    def n_compared(self, measure: str = "amount") -> int:
        """Quarters over which methods are compared: those for which every method that can be compared has a CRPS."""
        return int(self._compared(measure)["quarter"].nunique())

    def n_methods(self, measure: str = "amount") -> int:
        """Methods that are compared, ours among them: those with a CRPS in all these quarters."""
        return len(self._mean_crps(measure))

    def recommended(self, measure: str = "amount") -> str:
        """The method to use: ``forecast``, unless another one had the smaller mean CRPS over at least 8 quarters.

        Smaller by more than one standard error of the difference over the quarters: the best of a dozen methods is
        ahead by a hair where none is better (Breiman et al. 1984, Classification and Regression Trees, section 3.4).
        """
        if self.n_compared(measure) < MIN_QUARTERS:
            return OURS
        rows = self._compared(measure)
        by_quarter = rows[rows["method"].isin(self._mean_crps(measure).index)].pivot_table(
            index="quarter", columns="method", values="crps"
        )
        less = by_quarter.sub(by_quarter[OURS], axis=0)
        ahead = less.mean()[less.mean() < -less.std() / np.sqrt(len(less))]
        return str(ahead.idxmin()) if len(ahead) else OURS

    def _compared(self, measure: str) -> pd.DataFrame:
        return self.scores[self.scores["comparable"] & self.scores["measure"].eq(measure)]

    def _mean_crps(self, measure: str) -> pd.Series:
        return self._compared(measure).groupby("method")["crps"].agg(lambda x: x.mean(skipna=False)).dropna()

    def held(self, measure: str, band: int, *, week: int | None = None) -> tuple[int, int]:
        """In how many of how many forecasts the band of our method held what was signed."""
        own = self.scores[self.scores["method"].eq(OURS) & self.scores["measure"].eq(measure)]
        own = own if week is None else own[own["week"].eq(week)]
        return int(own[f"in_{band}"].sum()), len(own)


def stretch_of(scores: pd.DataFrame) -> float:
    """Widening of the bands: root mean square of past z-scores of our number of signings, never below 1.

    A z-score says where in the unstretched forecast the truth fell. Those of one quarter count as one (its weeks
    share their luck), and 8 quarters of bands as they should be are mixed in.

    Parameters
    ----------
    scores : DataFrame
        ``quarter``, ``measure``, ``method``, ``pit`` (share of the unstretched draws below the truth).
    """
    own = scores[scores["method"].eq(OURS) & scores["measure"].eq("count")]
    z2 = pd.Series(norm.ppf(own["pit"].clip(LEAST_PIT, 1 - LEAST_PIT).to_numpy(dtype=float)) ** 2)
    by_quarter = z2.groupby(own["quarter"].to_numpy()).mean()
    return float(max(1.0, np.sqrt((PRIOR_QUARTERS + by_quarter.sum()) / (PRIOR_QUARTERS + len(by_quarter)))))
