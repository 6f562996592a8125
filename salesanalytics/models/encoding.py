"""From the columns of a snapshot to the numbers a learner takes: splines and indicators, or plain values for trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NOT_FEATURES = (
    *("deal_id", "as_of", "stage", "rep_id", "amount"),
    *("landmark_day", "origin_day", "end", "code", "duration_days", "watched_days"),
)
BY_BIN = ("days_to_quarter_end", "days_to_close_date")  # told bin by bin instead (`bin_features`)
MAX_CATEGORIES = 12
MIN_CATEGORY = 30
KNOTS = (0.25, 0.5, 0.75)
CLOCKS = ("days_in_state", "age_days")
SIZE, TAIL_KNOT = "log_amount", 0.9  # a sum of amounts hangs on the largest deals
LONG_TAIL = 20.0
N_LEVELS = 40  # classes of a number for trees: 64 give too much room where deals are few


@dataclass(frozen=True)
class Numeric:
    """A numeric column: its fill for missing values, centre, scale, knots on the scaled values, and cuts for trees."""

    name: str
    logged: bool
    fill: float
    centre: float
    scale: float
    knots: np.ndarray
    with_missing: bool
    cuts: np.ndarray

    def values(self, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Scaled values and whether they were missing."""
        x = column.to_numpy(dtype=float, na_value=np.nan)
        missing = np.isnan(x)
        x = np.where(missing, self.fill, x)
        if self.logged:
            x = np.sign(x) * np.log1p(np.abs(x))
        return np.clip((x - self.centre) / self.scale, -4, 4), missing

    def levels(self, column: pd.Series) -> np.ndarray:
        """Number of the quantile class (-1: missing): few distinct values, which trees bin without sorting."""
        x = column.to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isnan(x), -1.0, np.searchsorted(self.cuts, x, side="right"))


@dataclass(frozen=True)
class Encoder:
    """What was learned about the columns: which are numeric, which are categories, and which values are known."""

    numeric: tuple[Numeric, ...]
    categories: dict[str, tuple[object, ...]]

    def splines(self, frame: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
        """Linear splines with knots at the quartiles (of the size also in its tail), indicators of categories and of
        missing values.

        Returns
        -------
        design : ndarray (n_rows, n_columns)
        sources : list of str
            The column of the snapshot each comes from.
        """
        columns, sources = [], []
        for spec in self.numeric:
            x, missing = spec.values(frame[spec.name])
            terms = [x, *(np.maximum(x - knot, 0.0) for knot in spec.knots)]
            terms += [missing.astype(float)] if spec.with_missing else []
            columns += terms
            sources += [spec.name] * len(terms)
        for name, known in self.categories.items():
            codes = pd.Index(known).get_indexer(frame[name].astype(object))
            columns += [(codes == k).astype(float) for k in range(len(known))]
            sources += [name] * len(known)
        return np.column_stack(columns) if columns else np.zeros((len(frame), 0)), sources

    def size_columns(self, sources: list[str]) -> list[int]:
        """Columns of the splines in which the size is linear, and linear beyond its last knot; none without amounts."""
        of_size = [spec for spec in self.numeric if spec.name == SIZE]
        return sorted({sources.index(SIZE), sources.index(SIZE) + len(of_size[0].knots)}) if of_size else []

    def kind_columns(self, sources: list[str]) -> tuple[list[int], list[int]]:
        """Columns of the splines that say of what kind a deal is (categories, but not the state), and those in which
        its clocks and its size are linear.
        """
        kinds = [k for k, source in enumerate(sources) if source in self.categories and source != "state"]
        return kinds, [sources.index(name) for name in (*CLOCKS, SIZE) if name in sources]

    def plain(self, frame: pd.DataFrame) -> np.ndarray:
        """Quantile classes of numbers (-1: missing), codes of categories (0: unknown)."""
        columns = [spec.levels(frame[spec.name]) for spec in self.numeric]
        for name, known in self.categories.items():
            columns.append(pd.Index(known).get_indexer(frame[name].astype(object)) + 1.0)
        return np.column_stack(columns) if columns else np.zeros((len(frame), 0))


def fit_encoder(frame: pd.DataFrame) -> Encoder:
    """Learn the encoding from landmark rows; columns that do not vary are dropped.

    Categories seen on fewer than 30 rows, and those beyond the 12 most frequent, share the zero row (their track
    record, a number, still tells them apart).
    """
    numeric, categories = [], {}
    for name in frame.columns.difference([*NOT_FEATURES, *BY_BIN], sort=False):
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            spec = _numeric(name, column)
            numeric += [spec] if spec is not None else []
            continue
        counts = column.value_counts()
        known = sorted(counts[counts >= min(MIN_CATEGORY, len(frame) / 20)].index[:MAX_CATEGORIES], key=str)
        if len(known) > 1 or (known and counts.sum() < len(frame)):
            categories[str(name)] = tuple(known)
    return Encoder(tuple(numeric), categories)


def _numeric(name: str, column: pd.Series) -> Numeric | None:
    x = column.to_numpy(dtype=float, na_value=np.nan)
    seen = x[~np.isnan(x)]
    if not len(seen):
        return None
    n_missing = len(x) - len(seen)
    logged = bool(np.abs(seen).max() > LONG_TAIL) and not name.startswith("log_")  # the unit of money moves nothing
    if logged:
        seen = np.sign(seen) * np.log1p(np.abs(seen))
    spread = float(seen.std())
    if spread < 1e-9 and not n_missing:
        return None
    centre, scale = float(seen.mean()), spread if spread > 1e-9 else 1.0
    scaled = (seen - centre) / scale
    at = (*KNOTS, TAIL_KNOT) if name == SIZE else KNOTS
    knots = np.unique(np.quantile(scaled, at)) if len(np.unique(scaled)) > 6 else np.zeros(0)
    knots = knots[(knots > scaled.min()) & (knots < scaled.max())]
    fill = float(np.median(x[~np.isnan(x)]))
    cuts = np.unique(np.quantile(x[~np.isnan(x)], np.linspace(0, 1, N_LEVELS + 1)[1:-1], method="lower"))
    return Numeric(str(name), logged, fill, centre, scale, knots, n_missing > 0, cuts)
