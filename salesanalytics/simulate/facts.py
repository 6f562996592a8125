"""What is settled when a project is opened: its facts, its owner, its hidden quality, the work its rep will do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.process import Process
from salesanalytics.simulate.params import Company, Facts
from salesanalytics.simulate.state import N_STAGES, OPEN, State, is_working_day, quarter_index

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = "伟芳敏静磊洋勇艳杰娟涛明超霞平刚丽强军玲"
NEW_DAYS = 366
TOWNS = ("江宁", "滨海", "临港", "长兴", "安平", "青山", "南湖", "东岭", "西河", "北川", "金沙", "龙泉")
TRADES = ("化工", "钢铁", "水泥", "造纸", "电力", "制药", "食品", "石化")


@dataclass(frozen=True)
class Reps:
    """The sales force, one element a rep.

    Attributes
    ----------
    table : DataFrame
        ``rep_id``, ``name``, ``team``, ``region``, ``manager_id``, ``hired_at``.
    skill : ndarray
        Lowers the log hazard of losing by ``skill_risk`` a unit.
    discipline : ndarray
        Chance that the rep does a condition.
    optimism : ndarray
        Shift of the rep's own probabilities on the logit scale.
    """

    table: pd.DataFrame
    skill: np.ndarray
    discipline: np.ndarray
    optimism: np.ndarray


def draw_reps(company: Company, rng: np.random.Generator) -> Reps:
    """Draw the sales force."""
    p, n = company.reps, company.reps.n
    team = np.arange(n) % len(p.teams)
    regions = list(company.facts.region)
    surname, given = rng.permutation(list(SURNAMES)), rng.permutation(list(GIVEN))
    managers = [f"M{t + 1:02d}" for t in range(len(p.teams))]
    hired = np.datetime64(company.start) - rng.integers(60, 2500, n)
    table = pd.DataFrame(
        {
            "rep_id": [f"R{i + 1:02d}" for i in range(n)],
            "name": [f"{surname[i % len(surname)]}{given[i % len(given)]}" for i in range(n)],
            "team": [p.teams[t] for t in team],
            "region": [regions[t % len(regions)] for t in team],
            "manager_id": [managers[t] for t in team],
            "hired_at": hired,
        }
    )
    discipline = np.clip(rng.normal(p.discipline_mean, p.discipline_spread, n), 0.2, 0.97)
    return Reps(table, rng.normal(0, p.skill_spread, n), discipline, rng.normal(0.1, p.optimism_spread, n))


def draw_creations(company: Company, n_deals: int, rng: np.random.Generator) -> np.ndarray:
    """Days of creation, ascending: growth, season, and quarters that are good or bad for new business.

    ``n_deals`` until the end of the book, and those of the year after at the same rate.
    """
    p = company.arrivals
    end = np.datetime64(company.end, "D").astype(int)
    days = np.arange(np.datetime64(company.start, "D").astype(int), end + NEW_DAYS + 1)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    quarters = np.array([quarter_index(int(d)) for d in days])
    level = {q: rng.normal(0, p.spread) for q in np.unique(quarters)}
    rate = np.asarray(p.season)[month] * (1 + p.growth_per_year) ** ((days - days[0]) / 365.25)
    rate = rate * np.exp([level[q] for q in quarters]) * is_working_day(days)
    past = days <= end
    n_new = rng.poisson(n_deals * rate[~past].sum() / rate[past].sum())
    drawn = [
        rng.choice(days[part], size=n, p=rate[part] / rate[part].sum()) for part, n in ((past, n_deals), (~past, n_new))
    ]
    return np.sort(np.concatenate(drawn))


def _draw(table: dict[str, tuple[float, float, float]], n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    names, values = list(table), np.array(list(table.values()))
    at = rng.choice(len(names), size=n, p=values[:, 0] / values[:, 0].sum())
    return np.array(names, dtype=object)[at], values[at, 1], values[at, 2]


def draw_deals(
    company: Company, reps: Reps, process: Process, n_deals: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, State, np.ndarray]:
    """Draw the deals.

    Returns
    -------
    deals : DataFrame
        One row a deal, as of creation: ids, facts, owner, first amount.
    state : State
        Where each of them starts, hidden facts included.
    done : ndarray of bool (n_deals, n_conditions)
        Which conditions the rep does, in the order of ``process.condition_ids``.
    """
    f = company.facts
    created = draw_creations(company, n_deals, rng)
    n_deals = len(created)
    drawn = {name: _draw(getattr(f, name), n_deals, rng) for name in ("product", "region", "source", "route")}
    first_deal = _first_deals(drawn["source"][0] == f.old_customer, rng)
    drawn["region"] = tuple(column[first_deal] for column in drawn["region"])
    names = {name: column[0] for name, column in drawn.items()}
    region_of_rep = reps.table["region"].to_numpy()
    rep = np.array([rng.choice(np.flatnonzero(region_of_rep == region)) for region in names["region"]])
    harder = company.reps.harder_for_strong
    skill_z = reps.skill[rep] / (company.reps.skill_spread or 1.0)
    quality = f.quality_spread * (-harder * skill_z + np.sqrt(1 - harder**2) * rng.standard_normal(n_deals))
    fast = rng.random(n_deals) < f.fast_track
    log_amount = rng.normal(f.log_amount_mean, f.log_amount_spread, n_deals) - f.fast_discount * fast
    log_amount += [f.product_amount.get(p, 0.0) for p in names["product"]]
    done = _draw_done(process, reps.discipline[rep], names["route"], rng)
    state = _start(f, created, fast, work_effects(company, process, done), rng)
    state.pace += sum(d[1] for d in drawn.values()) + company.walk.quality_pace * quality
    state.pace += f.size_pace * (log_amount - f.log_amount_mean)
    state.risk += sum(d[2] for d in drawn.values()) + company.walk.quality_risk * quality
    state.risk += company.walk.skill_risk * reps.skill[rep]
    state.eager += reps.optimism[rep]
    account = np.unique(first_deal, return_inverse=True)[1]
    deals = pd.DataFrame(
        {
            "deal_id": [f"P{i + 1:05d}" for i in range(n_deals)],
            "created_day": created,
            "name": [f"{account_name(a)} {p}" for a, p in zip(account, names["product"], strict=True)],
            "account_id": [f"A{a + 1:04d}" for a in account],
            "rep": rep,
            "amount": np.round(np.exp(log_amount), -3),
            **names,
            "deal_class": np.where(fast, "fast_track", "standard"),
            "quality": quality,
        }
    )
    return deals, state, done


def _first_deals(old: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Position of the first deal of each deal's customer: an old customer is that of an earlier deal, drawn evenly."""
    first = np.arange(len(old))
    for i in np.flatnonzero(old).tolist():
        first[i] = first[rng.integers(i or 1)]
    return first


def _draw_done(process: Process, discipline: np.ndarray, route: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which conditions are done, of those that apply to the deal's procurement route."""
    done = rng.random((len(route), len(process.condition_ids))) < discipline[:, None]
    conditions = [c for stage in process.stages for c in stage.conditions]
    return done & np.column_stack([np.isin(route, c.routes) | (not c.routes) for c in conditions])


def work_effects(company: Company, process: Process, done: np.ndarray) -> np.ndarray:
    """What the conditions done add to the log hazards in each stage, centred on a rep of mean discipline."""
    r = company.reps
    work = np.zeros((len(done), N_STAGES))
    for i, (condition, stage) in enumerate(condition_stages(process)):
        if condition in r.effective_conditions:
            work[:, stage - 1] += r.condition_effect * (done[:, i] - r.discipline_mean)
    return work


def condition_stages(process: Process) -> list[tuple[str, int]]:
    """Conditions in the order of ``process.condition_ids``, with the order of their stage."""
    return [(condition.id, stage.order) for stage in process.stages for condition in stage.conditions]


def _start(f: Facts, created: np.ndarray, fast: np.ndarray, work: np.ndarray, rng: np.random.Generator) -> State:
    """Neutral deals on the day they are opened; some are heard of late, when the customer is already further on."""
    n = len(created)
    late = ~fast & (rng.random(n) < f.late_entry)
    return State(
        created=created,
        pace=np.zeros(n),
        risk=np.zeros(n),
        work=work,
        eager=np.zeros(n),
        fast=fast,
        stage=np.where(fast, f.fast_entry_stage, 1),
        buyer=np.where(fast, f.fast_entry_stage + 1, np.where(late, rng.integers(3, 6, n), 1)),
        end=np.full(n, OPEN),
        end_day=np.zeros(n, dtype=int),
        hold=np.zeros(n, dtype=bool),
        dead=np.zeros(n, dtype=bool),
    )


def account_name(number: int) -> str:
    """Made-up name of a customer."""
    return f"{TOWNS[number % len(TOWNS)]}{TRADES[number // len(TOWNS) % len(TRADES)]}{number // 96 + 1}厂"
