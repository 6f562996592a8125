"""The quarter as a distribution: signed + open + reopened + unrecorded + new, drawn together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast.arrivals import Arrivals, fit_arrivals, won_amounts
from salesanalytics.forecast.baselines import baselines, signed_deals
from salesanalytics.forecast.draws import deal_keys, draw_deals
from salesanalytics.forecast.score import fit_scorer
from salesanalytics.models import StageTable
from salesanalytics.models.hindsight import fit_shock
from salesanalytics.process import Process
from salesanalytics.timeline import Period, amounts, parse_period
from salesanalytics.timeline.calendar import as_of_day, to_date
from salesanalytics.timeline.replay import collect, ended_states
from salesanalytics.timeline.spells import open_deals, states
from salesanalytics.timeline.values import fields_in

COMPONENTS = ("signed", "open", "reopened", "unrecorded", "new")
BANDS = (50, 80)
RATIO_LANDMARKS = 8
MIN_RATIOS = 30


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
    deals : DataFrame
        Scored open deals (`score_open_deals`) with ``p_in_period``.
    baselines : DataFrame
        What simple methods say.
    target : float or None
    unit : str
    process : Process
        The sales process, for the names of its states.
    half_life_days : float
        Half-life of the weights of past landmarks in the stage table (inf: none).
    size_counts : bool
        Whether deal size moves the chances (only where it did better on past landmarks).
    shock_spread : float
        Posterior mean spread of the common shock, on the logit scale.
    notes : tuple of (str, dict)
        What the reader has to know: a key of the label catalogue and what to fill in.
    seed : int
    """

    period: Period
    as_of: date
    count: dict[str, np.ndarray]
    amount: dict[str, np.ndarray]
    deals: pd.DataFrame
    baselines: pd.DataFrame
    target: float | None
    unit: str
    process: Process
    half_life_days: float
    size_counts: bool
    shock_spread: float
    notes: tuple[tuple[str, dict[str, Any]], ...]
    seed: int

    def total(self, measure: str = "amount") -> np.ndarray:
        """Draws of the sum of all components, ``measure`` = amount or count."""
        return np.sum(list(getattr(self, measure).values()), axis=0)

    @property
    def method(self) -> str:
        """Model in use, in one line."""
        size = "size counts" if self.size_counts else "size does not count"
        return f"stage table (half-life {self.half_life_days:g} days), {size}, common shock {self.shock_spread:.2f}"

    @property
    def p_target(self) -> float | None:
        """Chance that the amount reaches the target; None without one."""
        return None if self.target is None else float((self.total() >= self.target).mean())

    def bands(self, measure: str = "amount") -> dict[str, list[float]]:
        """Central bands of the total that hold 50 % and 80 % of the draws."""
        total = self.total(measure)
        return {str(b): [float(q) for q in np.quantile(total, [0.5 - b / 200, 0.5 + b / 200])] for b in BANDS}

    def components(self) -> pd.DataFrame:
        """One row a component and the total: mean and 80 % band of count and amount (NaN: cannot be known)."""
        rows = []
        for name in (*COMPONENTS, "total"):
            row: dict[str, Any] = {"component": name}
            for measure in ("count", "amount"):
                draws = self.total(measure) if name == "total" else getattr(self, measure).get(name)
                values = [np.nan] * 3 if draws is None else [draws.mean(), *np.quantile(draws, [0.1, 0.9])]
                row |= dict(zip((measure, f"{measure}_lower", f"{measure}_upper"), values, strict=True))
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """The forecast for machines: what ``forecast --json`` prints."""
        total, count = self.total(), self.total("count")
        table = self.components().set_index("component")
        components = {
            name: None
            if name not in self.amount
            else {
                "mean": float(table.at[name, "amount"]),
                "lower": float(table.at[name, "amount_lower"]),
                "upper": float(table.at[name, "amount_upper"]),
                "count": float(table.at[name, "count"]),
            }
            for name in COMPONENTS
        }
        simple = self.baselines.set_index("method")[["count", "amount"]]
        return {
            "as_of": self.as_of.isoformat(),
            "quarter": self.period.name,
            "unit": self.unit,
            "mean": float(total.mean()),
            "median": float(np.median(total)),
            "bands": self.bands(),
            "target": self.target,
            "p_target": self.p_target,
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
        }


def forecast_quarter(
    book: DealBook,
    *,
    quarter: str,
    as_of: Any,
    target: float | None = None,
    draws: int = 10_000,
    seed: int = 0,
) -> QuarterForecast:
    """Forecast what will be signed in a quarter, from what was known at a date.

    Parameters
    ----------
    book : DealBook
    quarter : str
        ``2026Q4``, a month ``2026-11`` or a fiscal year ``2026``; it may have begun, or lie ahead.
    as_of : date
        End of that day, inclusive.
    target : float, optional
        Amount to reach. Without it the company's row of ``book.targets`` for the quarter, else the sum of its teams,
        else of its reps.
    draws : int
    seed : int
        Same book, date and seed: same numbers.

    Returns
    -------
    QuarterForecast

    Raises
    ------
    AsOfError
        The quarter is over at ``as_of``, or a date or period cannot be.
    """
    day = as_of_day(book, as_of)
    period = parse_period(quarter, fiscal_year_start=book.settings.fiscal_year_start)
    if period.end_day <= day:
        raise AsOfError(f"{period.name} ended on {period.end}, as_of is {to_date(day)}: there is nothing to forecast.")
    if draws < 1:
        raise SchemaError(f"draws must be at least 1, got {draws}.")
    shock_rng, new_rng, unrecorded_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    horizon, before = period.end_day - day, period.start_day - 1 - day
    scorer = fit_scorer(book, as_of=to_date(day), horizon_days=horizon)
    scores = scorer.score(book)
    shock = fit_shock(scorer.past)
    shift = shock.draw(shock_rng, draws)
    # signed by now and not typed in yet: of this period if it has begun, else a late booking of an earlier one
    p = scores.p_won[:, -1] - (scores.p_won[:, before] if before >= 0 else 0.0)
    now = amounts(book, [day])
    pool = won_amounts(book, now, as_of=to_date(day))
    deals = scores.deals.assign(p_in_period=p)
    deals["expected_amount"] = deals["p_in_period"] * deals["amount"].fillna(pool.mean() if len(pool) else 0.0)
    ratios = amount_ratios(book, day)
    count: dict[str, np.ndarray] = {}
    amount: dict[str, np.ndarray] = {}
    signed = signed_deals(book, period=period, day=day)
    count["signed"] = np.full(draws, float(len(signed)))
    amount["signed"] = np.full(draws, float(signed["amount"].sum()))
    count["open"], amount["open"] = _draw_open(deals, ratios, seed=seed, shift=shift, pool=pool)
    count["reopened"], amount["reopened"] = _draw_reopened(
        book, day, horizon, before, now, seed=seed, shift=shift, pool=pool
    )
    arrivals = fit_arrivals(book, as_of=to_date(day))
    if book.has_recorded_at:
        count["unrecorded"], amount["unrecorded"] = _draw_unrecorded(arrivals, period, day, unrecorded_rng, pool, shift)
    count["new"], amount["new"] = _draw_new(arrivals, period, day, new_rng, pool, shift)
    return QuarterForecast(
        period=period,
        as_of=to_date(day),
        count={name: count[name] for name in COMPONENTS if name in count},
        amount={name: amount[name] for name in COMPONENTS if name in amount},
        deals=deals.sort_values(["expected_amount", "p_in_period"], ascending=False, kind="stable", ignore_index=True),
        baselines=baselines(book, period=period, day=day),
        target=target if target is not None else stated_target(book, period),
        unit=book.settings.unit,
        process=book.process,
        half_life_days=scorer.table.half_life_days_,
        size_counts=scorer.size.is_used,
        shock_spread=shock.spread,
        notes=_notes(book, deals, signed, len(shock.shifts)),
        seed=seed,
    )


def stated_target(book: DealBook, period: Period) -> float | None:
    """Target of the period from ``book.targets``: the company's row, else the sum of teams, else of reps."""
    targets = book.targets
    if not len(targets):
        return None
    rows = targets[targets["quarter"].astype(str).eq(period.name)]
    if "measure" in rows:
        rows = rows[rows["measure"].isna() | rows["measure"].eq("amount")]
    team, rep = (rows[c].notna() if c in rows else pd.Series(data=False, index=rows.index) for c in ("team", "rep_id"))
    for level in (~team & ~rep, team & ~rep, rep):
        if level.any():
            return float(rows.loc[level, "amount"].sum())
    return None


def amount_ratios(book: DealBook, day: int) -> dict[str, np.ndarray]:
    """Past log(final amount / amount at the time) of deals won since, by the state they stood in; empty if none moved.

    From up to 8 dates 91 days apart; a state with fewer than 30 of them uses all states, and where those are fewer
    than 30, deals that did not change fill them up.
    """
    if "amount" not in fields_in(book):
        return {}
    dates = [day - 91 * k for k in range(1, RATIO_LANDMARKS + 1)]
    then = collect(book, open_deals(book, days=dates)).merge(amounts(book, dates), on=["deal_id", "as_of_day"])
    final = collect(book, states(book, [day]))
    won = final.loc[final["state"] == "won", "deal_id"]
    final_amount = amounts(book, [day]).set_index("deal_id")["amount"].reindex(won)
    then["log_ratio"] = np.log(then["deal_id"].map(final_amount) / then["amount"])
    known = then.dropna(subset=["log_ratio"]).sort_values(["state", "as_of_day", "deal_id"])
    everything = np.append(known["log_ratio"].to_numpy(), np.zeros(max(MIN_RATIOS - len(known), 0)))
    by_state = {str(state): part["log_ratio"].to_numpy() for state, part in known.groupby("state")}
    return {state: r if len(r) >= MIN_RATIOS else everything for state, r in by_state.items()} | {"": everything}


def _draw_open(
    deals: pd.DataFrame, ratios: dict[str, np.ndarray], *, seed: int, shift: np.ndarray, pool: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    count, total = np.zeros(len(shift)), np.zeros(len(shift))
    for state, part in deals.groupby("state", sort=True):
        some = draw_deals(
            part["p_in_period"].to_numpy(),
            part["amount"].to_numpy(),
            deal_keys(part["deal_id"], seed),
            shock=shift,
            amount_pool=pool,
            log_ratio=ratios.get(str(state), ratios.get("")),
        )
        count, total = count + some[0], total + some[1]
    return count, total


def _draw_reopened(
    book: DealBook,
    day: int,
    horizon: int,
    before: int,
    now: pd.DataFrame,
    *,
    seed: int,
    shift: np.ndarray,
    pool: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Deals that ended otherwise and may come back and sign."""
    ended = collect(book, states(book, [day]).filter(nw.col("state").is_in(ended_states(book))))
    ended = ended[ended["state"] != "won"].sort_values("deal_id", ignore_index=True)
    if not len(ended):
        return np.zeros(len(shift)), np.zeros(len(shift))
    ended["days_in_state"] = ended["as_of_day"] - ended["since_day"]
    table = StageTable(ended=True).fit(book, as_of=to_date(day))
    p_won, _, _ = table.predict(ended, horizon_days=np.array([before, horizon]))
    p = p_won[:, 1] - p_won[:, 0]
    amount = ended["deal_id"].map(now.set_index("deal_id")["amount"]).to_numpy(dtype=float)
    return draw_deals(p, amount, deal_keys(ended["deal_id"], seed), shock=shift, amount_pool=pool)


def _draw_new(
    arrivals: Arrivals,
    period: Period,
    day: int,
    rng: np.random.Generator,
    pool: np.ndarray,
    shift: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Deals created after the date and signed in the period."""
    created = np.arange(day + 1, period.end_day + 1)
    share = arrivals.signing_share(period.start_day - 1 - created, period.end_day - created)
    return _draw_poisson(arrivals.per_day * share.sum(), arrivals, rng, pool, shift)


def _draw_unrecorded(
    arrivals: Arrivals,
    period: Period,
    day: int,
    rng: np.random.Generator,
    pool: np.ndarray,
    shift: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Deals created by the date but not recorded yet, signed in the period."""
    ages = np.arange(len(arrivals.recorded_share))
    hidden = arrivals.per_day * (1 - arrivals.recorded_share)
    created = day - ages
    share = arrivals.signing_share(period.start_day - 1 - created, period.end_day - created)
    return _draw_poisson(float((hidden * share).sum()), arrivals, rng, pool, shift)


def _draw_poisson(
    mean: float, arrivals: Arrivals, rng: np.random.Generator, pool: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Negative binomial counts (the rate itself is uncertain) under the common shock, amounts from past wins."""
    n = len(shift)
    variance = arrivals.rate_variance + 1 / max(arrivals.n, 1)
    rate = mean * rng.gamma(1 / variance, variance, n)
    factor = np.exp(shift)
    count = rng.poisson(rate * factor / factor.mean())
    draw = np.repeat(np.arange(n), count)
    value = rng.choice(pool, size=len(draw)) if len(pool) else np.zeros(len(draw))
    return count.astype(float), np.bincount(draw, weights=value, minlength=n)


def _notes(
    book: DealBook, deals: pd.DataFrame, signed: pd.DataFrame, n_origins: int
) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What has to be said beside the number."""
    notes: list[tuple[str, dict[str, Any]]] = []
    old, without = int(deals["older_than_any_win"].sum()), int(deals["amount"].isna().sum())
    if not book.has_recorded_at:
        notes.append(("note_no_recorded_at", {}))
    if book.settings.amount_is == "current":
        notes.append(("note_amount_current", {}))
    if old:
        notes.append(("note_dead_stock", {"n": old}))
    if without:
        notes.append(("note_amount_drawn", {"n": without}))
    if signed["amount"].isna().any():
        notes.append(("note_signed_without_amount", {"n": int(signed["amount"].isna().sum())}))
    if n_origins < 4:
        notes.append(("note_few_origins", {"n": n_origins}))
    return tuple(notes)
