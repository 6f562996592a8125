"""The close model: chance that an open deal is won, or ends otherwise, by any day."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.features.landmarks import landmark_snapshots
from salesanalytics.models.chance_interval import around, chance_spread
from salesanalytics.models.curves import carried_on, without_dead_stock
from salesanalytics.models.discrimination import AucInterval, auc_interval
from salesanalytics.models.ladder import choose_rung
from salesanalytics.models.late_ends import fit_late_ends
from salesanalytics.models.learners import Learners
from salesanalytics.models.metrics import at_least_1, between_0_and_1
from salesanalytics.models.other_ends import OtherEnds, fit_other_ends
from salesanalytics.models.past import past_predictions
from salesanalytics.models.recalibration import Recalibration, recalibration_of
from salesanalytics.models.stage_rates import end_codes
from salesanalytics.models.supermodel import DEFAULT_EDGES, Bins, future_bins, last_supported
from salesanalytics.models.told import RUNGS, learners_at, learners_half_life, stage_table_at
from salesanalytics.timeline.calendar import as_of_day, to_date, to_day
from salesanalytics.timeline.spells import known_outcomes

MIN_ENDED = 30
_FITTED: WeakKeyDictionary[DealBook, dict[int, CloseModel]] = WeakKeyDictionary()


class CloseModel:
    """Landmark supermodel: snapshots x bins of their future, from the stage table up to a blend of two learners.

    Every open deal of the past, on landmarks every 28 days, meets the bins of its future that were watched to their
    end. A spline logistic regression, and from 300 closed deals its mean with strongly regularised boosting, give the
    hazards of being won and of ending otherwise in a bin; their product gives the chance by any day. Of the bins in
    which nothing happened at most 50,000 are learned from; they stand for the others. Recent landmarks weigh more (the
    half-life of the stage table, two years at least). While they are fitted every quarter of the calendar has an effect
    of its own, so that good and bad times are not laid to what the deals are like; what quarters of one season have in
    common, beyond what they differ by, is expected of the next one. The rung in use is the lower of what the number of
    closed deals allows and what predictions of past dates allow (`choose_rung`); those also recalibrate the hazards by
    two shrunk parameters. Beyond the last supported bin the stage table goes on.

    Parameters
    ----------
    edges : tuple of int
        Days that part the future into bins, from 0.
    every_days : int
        Distance of a deal's landmarks.
    rung : str, optional
        Fixes the rung: ``stage_table``, ``logistic`` or ``blend``. Default: the ladder decides.

    Attributes
    ----------
    rung_ : Rung
        Where the book stands on the ladder, and why.
    table_ : StageTable
    past_ : Past or None
        Predictions of past dates by every rung.
    recalibration_ : Recalibration
        Of the rung in use.
    other_ends_ : OtherEnds
        Which of the other ends, given that it is one.
    late_ends_ : LateEnds
        How many of the first ends had come already, to be recorded later.
    last_day_ : int
        End of the last bin that at least 50 past rows support.

    References
    ----------
    van Houwelingen & Putter (2012), Dynamic Prediction in Clinical Survival Analysis, chapters 7-10 (landmark
    supermodels); Tutz & Schmid (2016), Modeling Discrete Time-to-Event Data, chapter 8 (competing ends).
    """

    def __init__(
        self, *, edges: tuple[int, ...] = DEFAULT_EDGES, every_days: int = 28, rung: str | None = None
    ) -> None:
        self.edges = edges
        self.every_days = every_days
        self.rung = rung

    def fit(self, book: DealBook, *, as_of: Any) -> CloseModel:
        """Learn from everything known at ``as_of``.

        Raises
        ------
        AsOfError
            ``as_of`` lies after the end of the book.
        SchemaError
            ``edges``, ``every_days`` or ``rung`` cannot be.
        """
        self._check_asked()
        day = as_of_day(book, as_of)
        self.as_of_ = to_date(day)
        self.table_ = stage_table_at(book, day, every_days=self.every_days)
        rows = landmark_snapshots(book, as_of=self.as_of_, every_days=self.every_days)
        rows = rows.assign(code=end_codes(rows["end"]))
        self._fiscal_year_start = book.settings.fiscal_year_start
        n_closed = int(known_outcomes(book, day)["end"].ne("open").sum())
        self.past_ = past_predictions(
            book, as_of=self.as_of_, n_closed=n_closed, edges=self.edges, every_days=self.every_days
        )
        self.rung_ = choose_rung(self.past_, n_closed=n_closed, fixed=self.rung)
        self._recalibrations: dict[str, Recalibration] = {}
        self.recalibration_ = self._recalibration(self.rung_.name)
        self.last_day_ = last_supported(rows, self.edges)
        self.learners_ = self._learners(book, day, rows)
        self.late_ends_ = fit_late_ends(rows, within=self.edges[1])
        self._rows = rows
        self.__dict__.pop("other_ends_", None)  # of an earlier fit
        return self

    def _check_asked(self) -> None:
        at_least_1(self.every_days, "every_days")
        if len(self.edges) < 2 or self.edges[0] != 0 or not (np.diff(self.edges) > 0).all():
            raise SchemaError(f"edges must begin with 0 and rise, got {list(self.edges)}.")
        if self.rung not in (None, *RUNGS):
            raise SchemaError(f"rung must be one of {', '.join(RUNGS)}, got {self.rung!r}.")

    @cached_property
    def other_ends_(self) -> OtherEnds:
        """Fitted when it is first asked for: the chances themselves do not need it."""
        return fit_other_ends(self._rows)

    @property
    def half_life_days_(self) -> float:
        """Half-life of the weights of past landmarks, of the rung in use (inf: all count the same)."""
        return self.table_.half_life_days_ if self.learners_ is None else learners_half_life(self.table_)

    def _grid(self, edges: tuple[int, ...]) -> dict[str, Any]:
        return {"edges": edges, "fiscal_year_start": self._fiscal_year_start}

    def _learners(self, book: DealBook, day: int, rows: pd.DataFrame) -> Learners | None:
        if self.rung_.name == RUNGS[0] or not self.last_day_:  # a fixed rung on a book that supports no bin
            return None
        boosted = self.rung_.name == "blend"
        return learners_at(book, day, rows, edges=self.edges, every_days=self.every_days, boosted=boosted)

    def _recalibration(self, rung: str) -> Recalibration:
        """That of a rung, learned when it is first asked for."""
        if rung not in self._recalibrations:
            month = self._fiscal_year_start
            self._recalibrations[rung] = recalibration_of(self.past_, rung, fiscal_year_start=month)
        return self._recalibrations[rung]

    def curves(self, snapshot: pd.DataFrame, *, days: Any, rung: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Chance of having been won, and of having ended otherwise, by some days after each snapshot.

        Parameters
        ----------
        snapshot : DataFrame
            From `snapshots`.
        days : array of int, ascending
        rung : str, optional
            ``stage_table``, ``logistic``, ``boosting`` or ``blend`` instead of the one in use, to compare them, each
            recalibrated from its own past; only a model fitted on the blend has them all.

        Returns
        -------
        p_won, p_other : ndarray (n_deals, n_days)

        Raises
        ------
        SchemaError
            The model was not fitted on such a ``rung``.
        """
        held = RUNGS[:1] if self.learners_ is None else (*RUNGS[:1], *self.learners_.rungs)
        if rung not in (None, *held):
            raise SchemaError(f"rung must be one of {', '.join(held)}, got {rung!r}.")
        won, other, _, _ = self._curves(snapshot, np.atleast_1d(np.asarray(days, dtype="int64")), rung)
        return won, other

    def _curves(
        self, snapshot: pd.DataFrame, days: np.ndarray, rung: str | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
        """`curves`; what the stage table alone says of being won, and its pools."""
        grid = np.union1d(days, [self.last_day_])
        table_won, table_other, pool = self.table_.predict(snapshot, horizon_days=grid, confidence=None)
        asked, last = np.searchsorted(grid, days), np.searchsorted(grid, [self.last_day_])
        plain = table_won[:, asked]
        if self.learners_ is None or rung == RUNGS[0] or not len(snapshot) or not self.last_day_:
            return plain, table_other[:, asked], plain, pool
        bins, landmark = self._bins(snapshot)
        odds = self._log_odds(snapshot, bins, rung or self.rung_.name)
        near = days <= self.last_day_
        asked_near = np.append(days[near], self.last_day_)
        own = self.late_ends_.incidence(bins, odds, landmark, asked_near, state=snapshot["state"])
        far = asked[~near]
        later, at_last = ((table_won[:, place], table_other[:, place]) for place in (far, last))
        won, other = carried_on(own, later, at_last)
        return without_dead_stock(won, plain, pool), other, plain, pool

    def won_or_lost(self) -> AucInterval | None:
        """Whether the past could tell which deals would be won, of those that ended: area under the ROC curve.

        Told at past dates from what was known then, among deals that ended at about the same time (in the same bin): in
        months in which most are won all are likelier to be. Without signal (the interval holds one half) the chances of
        the model still say when deals end, and how many of them are won. None on the stage table, which tells deals
        apart by state and time alone, and without 30 ended deals of both kinds.
        """
        rung = self.rung_.name
        if self.past_ is None or rung not in self.past_.log_odds:
            return None
        ended = self.past_.won_or_lost(rung)
        deals = ended.groupby("won")["deal_id"].nunique()
        if len(deals) < 2 or deals.min() < MIN_ENDED:
            return None
        return auc_interval(ended["p"], ended["won"], cluster=ended["deal_id"], stratum=ended["from_day"])

    def past_within(self, horizon_days: int) -> pd.DataFrame:
        """Chances that the rung in use gave at past dates, and what happened; see `Past.within`. Empty without a past.

        Not recalibrated: it is from them that the recalibration was learned.
        """
        if self.past_ is None or self.rung_.name not in self.past_.p_won:  # a fixed rung that was not tried
            return pd.DataFrame({c: pd.Series(dtype=float) for c in ("origin_day", "p", "signed", "amount")})
        return self.past_.within(self.rung_.name, horizon_days)

    def predict(self, snapshot: pd.DataFrame, *, until: Any, confidence: float | None = 0.8) -> pd.DataFrame:
        """Chances of every deal of a snapshot by a date.

        The interval says how far the estimate itself may be off: the spread of the logistic coefficients (Laplace,
        every deal counted once), half the distance between the two learners, and the spread of the recalibrated
        level, added in squares on the logit scale. On the stage table it is that of its pool. On simulated books its
        80 % held the chance that large books give for 91 to 96 % of the deals (benchmarks/RESULTS.md): take it for one
        that holds about nine of ten. It is not narrowed to fit, for whole books err together: .80 to .99 each.

        Parameters
        ----------
        snapshot : DataFrame
            From `snapshots`, of one date or many.
        until : date
            Inclusive; after every date of the snapshot.
        confidence : float, optional
            None: the chances alone, without ``p_lower``, ``p_upper`` and ``p_end_<end>``, which cost more.

        Returns
        -------
        DataFrame on the index of ``snapshot``
            ``p_won_until``, ``p_lost_until`` (any other end), ``p_open_until`` (sum 1); ``p_end_<end>``: what
            ``p_lost_until`` consists of, for the other ends with at least 30 deals; ``p_lower``, ``p_upper`` of
            ``p_won_until``; ``p_stage_table`` (the stage table alone); ``n_pool``, ``older_than_any_win`` (of the
            stage table); ``method``: the rung, with ``+ stage_table`` where ``until`` lies beyond the last bin.

        Raises
        ------
        AsOfError
            ``until`` does not lie after the dates of the snapshot.
        SchemaError
            The level cannot be.
        """
        if confidence is not None:
            between_0_and_1(confidence, "confidence")
        last = to_day(until, name="until")
        taken = (snapshot["as_of"].to_numpy().astype("datetime64[D]")).astype("int64")
        if len(taken) and last <= taken.max():
            raise AsOfError(f"until must lie after as_of {to_date(int(taken.max()))}, got {to_date(last)}.")
        parts = []
        for day in np.unique(taken):
            part = snapshot[taken == day]
            parts.append(self.chances(part, horizon_days=int(last - day), confidence=confidence)[0])
        if not parts:
            parts = [self.chances(snapshot, horizon_days=1, confidence=confidence)[0]]
        return pd.concat(parts).reindex(snapshot.index)

    def chances(
        self, snapshot: pd.DataFrame, *, horizon_days: int, confidence: float | None, days: Any = ()
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """`predict` for a snapshot of one date, and its curve of being won on other days (n_deals, n_days), at once."""
        grid = np.union1d(np.asarray(days, dtype="int64"), [horizon_days])
        curve, curve_other, curve_plain, pool = self._curves(snapshot, grid)
        at = int(np.searchsorted(grid, horizon_days))
        won, other, plain = (x[:, at] for x in (curve, curve_other, curve_plain))
        method = RUNGS[0] if self.learners_ is None else self.rung_.name
        if self.learners_ is not None and len(snapshot) and horizon_days > self.last_day_:
            method += f" + {RUNGS[0]}"
        told = {"p_won_until": won, "p_lost_until": other, "p_open_until": np.clip(1 - won - other, 0.0, 1.0)}
        if confidence is not None:
            shares = self.other_ends_.shares(snapshot)
            told |= {f"p_end_{end}": other * shares[end].to_numpy() for end in shares}
            told |= self._interval(snapshot, won, horizon_days, confidence)
        found = pd.DataFrame(
            {
                **told,
                "p_stage_table": plain,
                "n_pool": pool["n_pool"].to_numpy(dtype="int64"),
                "older_than_any_win": pool["older_than_any_win"].to_numpy(dtype=bool),
                "method": method,
            },
            index=snapshot.index,
        )
        return found, curve[:, np.searchsorted(grid, days)]

    def _interval(
        self, snapshot: pd.DataFrame, won: np.ndarray, horizon: int, confidence: float
    ) -> dict[str, np.ndarray]:
        _, _, pool = self.table_.predict(snapshot, horizon_days=[horizon], confidence=confidence)
        lower, upper = pool["p_lower"].to_numpy(dtype=float), pool["p_upper"].to_numpy(dtype=float)
        if self.learners_ is not None and len(snapshot):
            near, level_se = min(horizon, self.last_day_), float(self.recalibration_.level_se[0])
            spread = chance_spread(self.learners_, snapshot, *self._bins(snapshot), horizon=near, level_se=level_se)
            dead, (low, high) = pool["older_than_any_win"].to_numpy(dtype=bool), around(won, spread, confidence)
            lower, upper = np.where(dead, lower, low), np.where(dead, upper, high)
        return {"p_lower": np.minimum(lower, won), "p_upper": np.maximum(upper, won)}

    def _bins(self, snapshot: pd.DataFrame) -> tuple[Bins, np.ndarray]:
        landmark = snapshot["as_of"].to_numpy().astype("datetime64[D]").astype("int64")
        edges = tuple(e for e in self.edges if e <= self.last_day_)
        return future_bins(landmark, **self._grid(edges)), landmark

    def _log_odds(self, snapshot: pd.DataFrame, bins: Bins, rung: str) -> np.ndarray:
        assert self.learners_ is not None
        return self._recalibration(rung).apply(self.learners_.log_odds(rung, snapshot, bins), bins)


def fitted_close_model(book: DealBook, *, as_of: Any) -> CloseModel:
    """The close model of a book and date, fitted once: scores, forecasts and reasons share it."""
    day = as_of_day(book, as_of)
    models = _FITTED.setdefault(book, {})
    if day not in models:
        models[day] = CloseModel().fit(book, as_of=to_date(day))
    return models[day]
