"""How late things are recorded, from two extracts of which neither says when anything was typed in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

LONGEST_DAYS = 730  # what is recorded later than that is a correction, not a delay


def lag_curve(age_days: np.ndarray, in_before: np.ndarray, *, gap_days: int) -> pd.DataFrame:
    """Share recorded within 0, 1, 2, ... days, from what the later of two extracts has and the earlier one had not.

    Of what the later extract dates a days before the earlier one, the lag is known to be at most a + gap (right
    truncation); the earlier extract holds it if the lag was at most a. With G the share recorded within some days,
    r(a) = G(a) / G(a + gap) is the share that the earlier one holds, so G(a) = r(a) r(a + gap) r(a + 2 gap) ... :
    the estimate in reverse time (`salesanalytics.forecast.arrivals.recorded_share`) with steps as long as the gap.
    r rises with a wherever longer lags are rarer, so it is made to (isotonic regression).

    Parameters
    ----------
    age_days : array of int, shape (n,)
        Days from the event to the end of the earlier extract, >= 0, of all that the later one dates up to there.
    in_before : array of bool, shape (n,)
        Whether the earlier extract holds it.
    gap_days : int
        Days from the earlier extract to the later one, > 0.

    Returns
    -------
    DataFrame, one row a day 0 .. 730
        ``days``, ``n`` events of that age, ``n_in_before``, ``p_in_before`` (r), ``recorded_share`` (G, of all
        that is recorded within 730 days; 1 throughout where there is no event).

    References
    ----------
    Lagakos, Barraj & De Gruttola (1988), Biometrika 75, 515-523.
    """
    days = np.arange(LONGEST_DAYS + 1)
    near = age_days <= LONGEST_DAYS
    n = np.bincount(age_days[near], minlength=len(days))
    seen = np.bincount(age_days[near], weights=in_before[near], minlength=len(days))
    share = np.ones(len(days))
    if n.any():
        some = n > 0
        fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        share = fit.fit(days[some], seen[some] / n[some], sample_weight=n[some]).predict(days)
    recorded = share.copy()
    for k in range(1, LONGEST_DAYS // gap_days + 1):
        recorded[: len(days) - k * gap_days] *= share[k * gap_days :]
    recorded /= max(float(recorded[-1]), 1e-12)
    return pd.DataFrame(
        {
            "days": days,
            "n": n,
            "n_in_before": seen.astype("int64"),
            "p_in_before": share,
            "recorded_share": recorded,
        }
    )


def lag_quantile(recorded_share: np.ndarray, share: float) -> int:
    """First whole day by which a share is recorded; the last one of the curve where it never is."""
    first = int(np.searchsorted(recorded_share, share - 1e-12, side="left"))
    return min(first, len(recorded_share) - 1)
