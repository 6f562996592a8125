"""What a user would pick instead of `CloseModel`: every method gets the same snapshots and gives the same chances.

A method is a function of a `Task` that returns the chance of being signed within each of ``task.days`` for every open
deal, shape (n_deals, n_days). Settings are the package's own unless the docstring says otherwise; a cap on rows is
named there too. ``pip install comprisk hazardous scikit-survival`` installs the peers that the product does without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import qr
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from salesanalytics import CloseModel, snapshots
from salesanalytics.book import DealBook
from salesanalytics.features.landmarks import landmark_snapshots
from salesanalytics.models import StageTable

OPEN, WON, OTHER = 0, 1, 2  # 0 is "censored" in every survival package
NOT_FEATURES = (
    *("deal_id", "as_of", "landmark_day", "end", "duration_days", "watched_days"),
    *("stage", "amount", "rep_id"),  # told by state, log_amount and rep_id_record
)
BOOST_CAP, FOREST_CAP = 5_000, 10_000
FIRST_COUNT = 0.1  # of every frequency of the naive Bayes
DAY_ZERO = 0.5  # an end dated before its landmark but recorded after it; survival packages want times above 0


@dataclass(frozen=True)
class Task:
    """One book on one date: what to learn from, and the deals to judge."""

    book: DealBook
    as_of: Any
    days: tuple[int, ...]

    @cached_property
    def rows(self) -> pd.DataFrame:
        return landmark_snapshots(self.book, as_of=self.as_of)

    @cached_property
    def asked(self) -> pd.DataFrame:
        return snapshots(self.book, as_of=self.as_of)

    @cached_property
    def code(self) -> np.ndarray:
        """How each landmark row ended (`OPEN`, `WON`, `OTHER`), ``duration`` days later."""
        return self.rows["end"].map({"open": OPEN, "won": WON}).fillna(OTHER).to_numpy(dtype="int64")

    @cached_property
    def duration(self) -> np.ndarray:
        return np.maximum(self.rows["duration_days"].to_numpy(dtype=float), DAY_ZERO)

    def won_within(self, days: int) -> np.ndarray:
        return (self.code == WON) & (self.duration <= days)

    def sample(self, cap: int) -> np.ndarray:
        """At most so many landmark rows, drawn at random."""
        return np.random.default_rng(0).permutation(len(self.rows))[:cap]

    @cached_property
    def encoded(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers with medians for what is missing, indicators of categories, all scaled: (rows, asked)."""
        names = [c for c in self.asked if c not in NOT_FEATURES]
        numeric = [c for c in names if pd.api.types.is_numeric_dtype(self.asked[c])]
        texts = [c for c in names if c not in numeric]
        columns = make_column_transformer(
            (SimpleImputer(strategy="median"), numeric),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        )
        encoder = make_pipeline(columns, VarianceThreshold(), StandardScaler())
        rows, asked = (
            frame[names]
            .astype(dict.fromkeys(numeric, float) | dict.fromkeys(texts, object))
            .fillna(dict.fromkeys(texts, ""))
            for frame in (self.rows, self.asked)
        )
        return encoder.fit_transform(rows), encoder.transform(asked)


def ours(task: Task) -> np.ndarray:
    model = CloseModel().fit(task.book, as_of=task.as_of)
    untils = [pd.Timestamp(task.as_of) + pd.Timedelta(days=d) for d in task.days]
    return np.column_stack([model.predict(task.asked, until=until)["p_won_until"] for until in untils])


def stage_table(task: Task) -> np.ndarray:
    table = StageTable().fit(task.book, as_of=task.as_of)
    return np.column_stack([table.predict(task.asked, horizon_days=days)[0] for days in task.days])


def naive_bayes(task: Task) -> np.ndarray:
    """Predictive lead scoring as Odoo describes it: P(won) times the frequency of each value among won deals, against
    the same for lost ones.

    A won deal counts in every stage, a lost one in those up to its last. Every frequency starts at 0.1; chances stay
    within .0001 to .9999. It names no date: the same chance for every horizon.
    """
    last = task.rows.assign(code=task.code).drop_duplicates("deal_id", keep="last")
    won, lost = last[last["code"].eq(WON)], last[last["code"].eq(OTHER)]
    n_won, n_lost = len(won) + FIRST_COUNT, len(lost) + FIRST_COUNT
    stayed = np.array([lost["stage_rank"].ge(rank).sum() for rank in task.asked["stage_rank"]]) + FIRST_COUNT
    log_odds = np.log(n_won / n_lost) - np.log(stayed / n_lost)  # every won deal was in every stage
    for name in task.book.settings.attributes:
        if name in task.asked:
            counts = [task.asked[name].map(deals[name].value_counts()).fillna(0) for deals in (won, lost)]
            in_won, in_lost = (count.to_numpy(dtype=float) + FIRST_COUNT for count in counts)
            log_odds += np.log(in_won / n_won) - np.log(in_lost / n_lost)
    p = np.clip(1 / (1 + np.exp(-log_odds)), 1e-4, 1 - 1e-4)
    return np.repeat(p[:, None], len(task.days), axis=1)


def logistic_closed(task: Task) -> np.ndarray:
    """Signed within the horizon, learned from deals that are over; open ones are left out."""
    return _by_horizon(task, LogisticRegression(max_iter=2_000), lambda days: task.code != OPEN)


def boosting(task: Task) -> np.ndarray:
    """Signed within the horizon, learned from landmarks at least that long ago."""
    watched = task.rows["watched_days"].to_numpy()
    return _by_horizon(task, HistGradientBoostingClassifier(random_state=0), lambda days: watched >= days)


def _by_horizon(task: Task, learner: Any, usable: Callable[[int], np.ndarray]) -> np.ndarray:
    rows, asked = task.encoded
    chances = []
    for days in task.days:
        use = usable(days)
        chances.append(learner.fit(rows[use], task.won_within(days)[use]).predict_proba(asked)[:, 1])
    return np.column_stack(chances)


def cox(task: Task) -> np.ndarray:
    """A Cox model for signing and one for the other ends (penalizer 0.1: below it they diverge), put together."""
    from lifelines import CoxPHFitter

    rows, asked = (pd.DataFrame(x).add_prefix("x") for x in task.encoded)
    hazards = []
    for end in (WON, OTHER):
        model = CoxPHFitter(penalizer=0.1).fit(rows.assign(days=task.duration, ended=task.code == end), "days", "ended")
        hazards.append(model.predict_cumulative_hazard(asked, times=_every_day(task)).to_numpy().T)
    return _incidence(task, *hazards)


def fine_gray(task: Task) -> np.ndarray:
    """Columns that others add up to are left out: it stops at a singular matrix."""
    from comprisk import FineGrayRegression

    rows, asked = task.encoded
    free = _independent(rows)
    model = FineGrayRegression(cause=WON).fit(rows[:, free], time=task.duration, event=task.code)
    return np.asarray(model.predict_cumulative_incidence(asked[:, free], times=np.array(task.days, dtype=float)))


def competing_forest(task: Task) -> np.ndarray:
    from comprisk import CompetingRiskForest

    rows, asked = task.encoded
    model = CompetingRiskForest(random_state=0, n_jobs=1).fit(rows, task.duration, task.code)
    return np.asarray(model.predict_cif(asked, times=np.array(task.days, dtype=float))[:, WON - 1])


def survival_boost(task: Task) -> np.ndarray:
    """From at most 5,000 landmarks: it is slow."""
    from hazardous import SurvivalBoost

    use = task.sample(BOOST_CAP)
    rows, asked = task.encoded
    outcome = pd.DataFrame({"event": task.code[use], "duration": task.duration[use]})
    model = SurvivalBoost(random_state=0, show_progressbar=False).fit(rows[use], outcome)
    return np.asarray(model.predict_cumulative_incidence(asked, times=np.array(task.days, dtype=float))[:, WON])


def survival_forest(task: Task) -> np.ndarray:
    """A forest for signing and one for the other ends, put together; times in weeks and at most 10,000 landmarks: every
    leaf keeps a curve over all distinct times.
    """
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    use = task.sample(FOREST_CAP)
    rows, asked = task.encoded
    weeks = np.ceil(task.duration[use] / 7) * 7
    hazards = []
    for end in (WON, OTHER):
        model = RandomSurvivalForest(random_state=0).fit(rows[use], Surv.from_arrays(task.code[use] == end, weeks))
        steps = model.predict_cumulative_hazard_function(asked, return_array=True)
        place = np.searchsorted(model.unique_times_, _every_day(task), side="right")
        hazards.append(np.hstack([np.zeros((len(asked), 1)), steps])[:, place])
    return _incidence(task, *hazards)


def _every_day(task: Task) -> np.ndarray:
    return np.arange(1, max(task.days) + 1)


def _incidence(task: Task, won: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Chance of signing from the two cumulative hazards on days 1, 2, ..., shape (n_deals, n_days)."""
    still_open = np.exp(-np.hstack([np.zeros((len(won), 1)), (won + other)[:, :-1]]))
    signed = np.cumsum(still_open * np.diff(won, prepend=0.0, axis=1), axis=1)
    return signed[:, np.array(task.days) - 1]


def _independent(x: np.ndarray) -> np.ndarray:
    """Columns of a largest set of which none is a sum of others."""
    _, r, order = qr(x, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    return np.sort(order[: int((size > 1e-6 * size[0]).sum())])


#: Name in the table -> (method, package beyond the product's own it needs).
METHODS: dict[str, tuple[Callable[[Task], np.ndarray], str | None]] = {
    "ours": (ours, None),
    "stage table": (stage_table, None),
    "naive Bayes (Odoo)": (naive_bayes, None),
    "logistic, closed deals": (logistic_closed, None),
    "HistGradientBoosting": (boosting, None),
    "Cox (lifelines)": (cox, None),
    "Fine-Gray (comprisk)": (fine_gray, "comprisk"),
    "forest (comprisk)": (competing_forest, "comprisk"),
    "SurvivalBoost (hazardous)": (survival_boost, "hazardous"),
    "forest (scikit-survival)": (survival_forest, "sksurv"),
}
