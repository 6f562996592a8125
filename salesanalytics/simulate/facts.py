"""What is settled when a project is opened: its facts, its owner, its hidden quality, the work its rep will do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.process import Process
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.walk import N_STAGES, OPEN, State, quarter_index

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = (
    "伟",
    "芳",
    "敏",
    "静",
    "磊",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "霞",
    "平",
    "刚",
    "丽",
    "强",
    "军",
    "玲",
)
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
    surname, given = rng.permutation(list(SURNAMES)), rng.permutation(GIVEN)
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
    """Days of creation, ascending: growth, season, and quarters that are good or bad for new business."""
    p = company.arrivals
    days = np.arange(np.datetime64(company.start), np.datetime64(company.end) + 1).astype("datetime64[D]").astype(int)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    quarters = np.array([quarter_index(int(d)) for d in days])
    level = {q: rng.normal(0, p.spread) for q in np.unique(quarters)}
    rate = np.asarray(p.season)[month] * (1 + p.growth_per_year) ** ((days - days[0]) / 365.25)
    rate = rate * np.exp([level[q] for q in quarters]) * (np.arange(len(days)) % 7 < 5)
    return np.sort(rng.choice(days, size=n_deals, p=rate / rate.sum()))


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
    f, r = company.facts, company.reps
    created = draw_creations(company, n_deals, rng)
    drawn = {name: _draw(getattr(f, name), n_deals, rng) for name in ("product", "region", "source", "route")}
    region_of_rep = reps.table["region"].to_numpy()
    rep = np.array([rng.choice(np.flatnonzero(region_of_rep == region)) for region in drawn["region"][0]])
    skill_z = reps.skill[rep] / r.skill_spread
    quality = f.quality_spread * (
        -r.harder_for_strong * skill_z + np.sqrt(1 - r.harder_for_strong**2) * rng.standard_normal(n_deals)
    )
    log_amount = rng.normal(f.log_amount_mean, f.log_amount_spread, n_deals)
    log_amount += np.array([f.product_amount.get(p, 0.0) for p in drawn["product"][0]])
    fast = rng.random(n_deals) < f.fast_track
    log_amount -= 0.8 * fast
    late = ~fast & (rng.random(n_deals) < f.late_entry)
    buyer = np.where(fast, f.fast_entry_stage + 1, np.where(late, rng.integers(3, 6, n_deals), 1))
    done = rng.random((n_deals, len(process.condition_ids))) < reps.discipline[rep][:, None]
    work = np.zeros((n_deals, N_STAGES))
    for i, condition in enumerate(process.condition_ids):
        if condition in r.effective_conditions:
            work[:, int(condition[1]) - 1] += r.condition_effect * (done[:, i] - r.discipline_mean)
    state = State(
        created=created,
        pace=sum(d[1] for d in drawn.values()) + company.walk.quality_pace * quality
        + f.size_pace * (log_amount - f.log_amount_mean),
        risk=sum(d[2] for d in drawn.values()) + company.walk.quality_risk * quality
        + company.walk.skill_risk * reps.skill[rep],
        work=work,
        fast=fast,
        stage=np.where(fast, f.fast_entry_stage, 1),
        buyer=buyer,
        end=np.full(n_deals, OPEN),
        end_day=np.zeros(n_deals, dtype=int),
        hold=np.zeros(n_deals, dtype=bool),
        dead=np.zeros(n_deals, dtype=bool),
    )  # fmt: skip
    n_accounts = max(n_deals // 4, 5)
    account = rng.integers(0, n_accounts, n_deals)
    deals = pd.DataFrame(
        {
            "deal_id": [f"P{i + 1:05d}" for i in range(n_deals)],
            "created_day": created,
            "name": [f"{account_name(a)} {p}" for a, p in zip(account, drawn["product"][0], strict=True)],
            "account_id": [f"A{a + 1:04d}" for a in account],
            "rep": rep,
            "amount": np.round(np.exp(log_amount), -3),
            "product": drawn["product"][0],
            "region": drawn["region"][0],
            "source": drawn["source"][0],
            "route": drawn["route"][0],
            "deal_class": np.where(fast, "fast_track", "standard"),
            "quality": quality,
        }
    )
    return deals, state, done


def account_name(number: int) -> str:
    """Made-up name of a customer."""
    return f"{TOWNS[number % len(TOWNS)]}{TRADES[number // len(TOWNS) % len(TRADES)]}{number // 96 + 1}厂"
