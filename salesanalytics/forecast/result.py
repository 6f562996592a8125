"""The forecast of a period as it is handed on: draws of every component, bands, deals, what to know beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.forecast.draws import Signings
from salesanalytics.forecast.prepare import Prepared
from salesanalytics.forecast.track_record import TrackRecord
from salesanalytics.labels import short
from salesanalytics.labels.units import unit_for
from salesanalytics.models.bands import central_band
from salesanalytics.models.ladder import Rung
from salesanalytics.process import Process
from salesanalytics.timeline import Period

COMPONENTS = ("signed", "open", "reopened", "unrecorded", "new")
BANDS = (50, 80)
N_LEFT_OUT = 3
ROUNDING = 1e-9


def reaches(amount: Any, target: Any) -> Any:
    """Whether amounts reach a target; a sum that falls short by rounding alone does."""
    return np.asarray(amount) >= target * (1 - ROUNDING)


@dataclass(frozen=True)
class QuarterForecast:
    """Forecast of what will be signed in a period.

    Attributes
    ----------
    period : Period
    as_of : date
    count, amount : dict of ndarray (n_draws,)
        Draws of each component, `COMPONENTS`; ``unrecorded`` is missing where the book has no ``recorded_at``. Their
        sum, draw by draw, is the forecast. Amounts are in the book's currency or unit.
    signings : Signings
        Which open deals sign in which draw, by position in ``deals``: sums of them make up ``open``.
    deals : DataFrame
        Scored open deals (`score_open_deals`) with ``p_in_period``, owner, team, manager, attributes, and
        ``usual_amount``: what it brings in the mean if nobody knows its amount.
    signed : DataFrame
        Deals signed so far: ``deal_id``, ``amount``, and the same groupings.
    baselines : DataFrame
        What simple methods say: `simple_methods`, and with a record `with_record`.
    target : float or None
    unit : str
    process : Process
        The sales process, for the names of its states.
    rung : Rung
        The model in use and why (`salesanalytics.models.ladder`).
    half_life_days : float
        Half-life of the weights of past landmarks (inf: none).
    shock_spread : float
        Posterior mean spread of the common shock, on the logit scale, as drawn.
    prepared : Prepared
        What it was drawn from.
    ceiling : float
        Mean relative error that even perfect chances would have (`accuracy_ceiling`).
    record : TrackRecord or None
        How past forecasts did, where that was asked for.
    notes : tuple of (str, dict)
        What the reader has to know: a key of the label catalogue and what to fill in.
    seed : int
    judgements : tuple of Judgement
        What people put over the model (`with_judgement`); empty: nothing.
    unjudged : QuarterForecast or None
        The same forecast without it.
    decided : tuple of str
        Deals that a `what_if` decided; empty: this is no hypothesis.
    rep_names : dict
        Names of reps by id, of those that have one.
    group_targets : dict
        Targets of teams, reps and months of the period in the book: by ``team``, ``rep_id`` and ``month``, by name.
    elsewhere : dict of Signings
        Signings of ``reopened`` (by position in ``prepared.ended``), ``unrecorded`` and ``new`` (by that of the past
        win that lends the amount).
    """

    period: Period
    as_of: date
    count: dict[str, np.ndarray]
    amount: dict[str, np.ndarray]
    signings: Signings
    deals: pd.DataFrame
    signed: pd.DataFrame
    baselines: pd.DataFrame
    target: float | None
    unit: str
    process: Process
    rung: Rung
    half_life_days: float
    shock_spread: float
    prepared: Prepared
    ceiling: float
    record: TrackRecord | None
    notes: tuple[tuple[str, dict[str, Any]], ...]
    seed: int
    judgements: tuple[Any, ...] = ()
    unjudged: QuarterForecast | None = None
    decided: tuple[str, ...] = ()
    rep_names: dict[str, str] = field(default_factory=dict)
    group_targets: dict[str, dict[str, float]] = field(default_factory=dict)
    elsewhere: dict[str, Signings] = field(default_factory=dict)

    def __repr__(self) -> str:
        told = []
        for measure, unit in (("count", "signings"), ("amount", self.unit)):
            if measure == "count" or self.amounts_known:
                values = [self.total(measure).mean(), *self.bands(measure)["80"]]
                factor, unit = unit_for(values[0], unit, "en")
                mean, *ends = (short(value / factor) for value in values)
                told.append(f"{mean} {unit} (80 % band {' to '.join(ends)})")
        return f"<QuarterForecast of {self.period.name} as of {self.as_of}: {', '.join(told)}>"

    def total(self, measure: str = "amount") -> np.ndarray:
        """Draws of the sum of all components, ``measure`` = amount or count."""
        return np.sum(list(getattr(self, measure).values()), axis=0)

    @property
    def method(self) -> str:
        """Model in use, in one line."""
        return f"{self.rung.name} (half-life {self.half_life_days:g} days), common shock {self.shock_spread:.2f}"

    @property
    def amounts_known(self) -> bool:
        """Whether any deal that is expected has an amount; where none has one their sum is nothing, not 0."""
        return bool(self.total().any()) or not self.total("count").any()

    @property
    def p_target(self) -> float | None:
        """Chance that the amount reaches the target; None without one, or where no amount is known."""
        if self.target is None or not self.amounts_known:
            return None
        return float(reaches(self.total(), self.target).mean())

    @property
    def reached_80(self) -> float | None:
        """Amount reached with 80 % certainty: the largest that four draws in five reach; None where none is known."""
        return self._told(self.total())["reached_80"]

    @property
    def gap(self) -> float | None:
        """Target less mean: what is lacking, below 0 what is to spare; None without a target or amounts."""
        return self._told(self.total())["gap"]

    def without_largest(self) -> dict[str, Any]:
        """The forecast without the three open deals of the largest expected amount, all others as drawn.

        Returns
        -------
        dict
            ``deals`` (ids of those left out), ``mean``, ``median``, ``bands``, ``reached_80``, ``gap``, ``p_target``:
            as of the whole in `to_dict`.
        """
        largest = self.deals["expected_amount"].nlargest(N_LEFT_OUT).index
        place = np.full(len(self.deals), -1)
        place[largest] = 0
        rest = np.maximum(self.total() - self.signings.of(place, 1, by_value=True)[0], 0.0)
        return {"deals": self.deals.loc[largest, "deal_id"].tolist(), **self._told(rest)}

    def _told(self, total: np.ndarray) -> dict[str, Any]:
        """What is told of draws of a sum; None where no amount is known."""
        if not self.amounts_known:
            return dict.fromkeys(("mean", "median", "reached_80", "gap", "p_target")) | {
                "bands": {str(b): [None, None] for b in BANDS}
            }
        mean = float(total.mean())
        return {
            "mean": mean,
            "median": float(np.median(total)),
            "bands": {str(b): [*central_band(total, b / 100)] for b in BANDS},
            "reached_80": float(np.quantile(total, 0.2, method="inverted_cdf")),
            "gap": None if self.target is None else self.target - mean,
            "p_target": None if self.target is None else float(reaches(total, self.target).mean()),
        }

    def bands(self, measure: str = "amount") -> dict[str, list[float]]:
        """Central bands of the total that hold 50 % and 80 % of the draws (`central_band`), ends included."""
        total = self.total(measure)
        return {str(b): [*central_band(total, b / 100)] for b in BANDS}

    def components(self) -> pd.DataFrame:
        """One row a component and the total: mean and 80 % band of count and amount (NaN: cannot be known)."""
        rows = []
        for name in (*COMPONENTS, "total"):
            row: dict[str, Any] = {"component": name}
            for measure in ("count", "amount"):
                draws = self.total(measure) if name == "total" else getattr(self, measure).get(name)
                values = [np.nan] * 3 if draws is None else [draws.mean(), *central_band(draws, 0.8)]
                row |= dict(zip((measure, f"{measure}_lower", f"{measure}_upper"), values, strict=True))
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """The forecast for machines: what ``forecast --json`` prints; sums are None where no amount is known."""
        count, known = self.total("count"), self.amounts_known
        table = self.components().set_index("component")
        components = {
            name: None
            if name not in self.amount
            else {
                "mean": float(table.at[name, "amount"]) if known else None,
                "lower": float(table.at[name, "amount_lower"]) if known else None,
                "upper": float(table.at[name, "amount_upper"]) if known else None,
                "count": float(table.at[name, "count"]),
            }
            for name in COMPONENTS
        }
        simple = self.baselines.set_index("method").drop(columns="basis").astype(float)
        simple = simple if known else simple.assign(**{c: np.nan for c in simple if not c.startswith("count")})
        return {
            "as_of": self.as_of.isoformat(),
            "quarter": self.period.name,
            "unit": self.unit,
            **self._told(self.total()),
            "target": self.target,
            "without_largest": self.without_largest(),
            "count": {
                "mean": float(count.mean()),
                "median": float(np.median(count)),
                "bands": self.bands("count"),
            },
            "components": components,
            "baselines": {
                m: {k: None if np.isnan(v) else float(v) for k, v in row.items()} for m, row in simple.iterrows()
            },
            "method": self.method,
            "notes": [key for key, _ in self.notes],
            "seed": self.seed,
            "ceiling": self.ceiling if self.ceiling == self.ceiling else None,
            "stretch": None if self.record is None else self.record.stretch,
            "decided": list(self.decided),
            "without_judgement": None if self.unjudged is None else self.unjudged.to_dict(),
        }
