"""Which other end: lost, no decision or withdrawn, of deals that end without being won."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from salesanalytics.models.encoding import Encoder, fit_encoder

MIN_DEALS = 30
PRIOR_VARIANCE = 0.03
OPEN, WON = "open", "won"


@dataclass(frozen=True)
class OtherEnds:
    """Shares of the other ends, given that a deal ends in one of them.

    Attributes
    ----------
    ends : tuple of str
        Those with at least 30 deals, in alphabetical order, then ``other`` for the rest where there is one.
    encoder, centre, scale, learner
        The multinomial logistic regression behind them; ``learner`` is None where there is one end at most.
    """

    ends: tuple[str, ...]
    encoder: Encoder | None = None
    centre: np.ndarray | None = None
    scale: np.ndarray | None = None
    learner: LogisticRegression | None = None

    def shares(self, snapshot: pd.DataFrame) -> pd.DataFrame:
        """One row a deal, one column an end; rows sum to 1."""
        if self.learner is None or self.encoder is None or not len(snapshot):
            return pd.DataFrame(1.0, index=snapshot.index, columns=list(self.ends))
        x, _ = self.encoder.splines(snapshot)
        p = self.learner.predict_proba((x - self.centre) / self.scale)
        return pd.DataFrame(p, index=snapshot.index, columns=list(self.learner.classes_))[list(self.ends)]


def fit_other_ends(landmarks: pd.DataFrame) -> OtherEnds:
    """Multinomial ridge regression on the landmarks of deals that ended without being won, every deal counted once."""
    rows = landmarks[~landmarks["end"].isin([OPEN, WON])].reset_index(drop=True)
    deals = rows.groupby("end")["deal_id"].nunique()
    kept = sorted(deals[deals >= MIN_DEALS].index)
    end = rows["end"].where(rows["end"].isin(kept), "other")
    ends = tuple(kept) + (("other",) if len(kept) < len(deals) or not kept else ())
    if len(ends) < 2:
        return OtherEnds(ends)
    encoder = fit_encoder(rows)
    x, _ = encoder.splines(rows)
    centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    weight = np.full(len(rows), rows["deal_id"].nunique() / len(rows))
    learner = LogisticRegression(C=PRIOR_VARIANCE, max_iter=500)
    return OtherEnds(ends, encoder, centre, scale, learner.fit((x - centre) / scale, end, sample_weight=weight))
