"""Evaluation of reps and effects of conditions on worlds whose truth is known.

Run: python benchmarks/reps.py [--seeds 100] [--parts skill planted passages conditions speed]
Minutes with 100 seeds. statsmodels, a peer that the product does without, is compared if it is installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import spearmanr

from salesanalytics import evaluate_reps, simulate_book
from salesanalytics.reps.averaging import EFFECTS, WIDTHS
from salesanalytics.reps.condition_effects import MEASURES, effects_of
from salesanalytics.reps.outcomes import case_mix, outcome_rows, passage_rows
from salesanalytics.reps.random_effects import RepFit, fit_rep_effects
from salesanalytics.simulate.params import Company, Reps

SD = 0.35
HARDER = 0.3  # correlation of a rep's skill with each of three facts that make deals hard
SOURCES = np.array([-0.7, -0.1, 0.4, 1.0])
FALSE_DISCOVERIES = 0.1


def world(seed: int, *, harder: float, n_planted: int = 0, n_reps: int = 40) -> dict[str, Any]:
    """Reps of known skill with 6-250 deals each (even on the log scale); some planted at 3 standard deviations."""
    rng = np.random.default_rng(seed)
    n = np.exp(rng.uniform(np.log(6), np.log(250), n_reps)).astype(int)
    z = rng.standard_normal(n_reps)
    planted = rng.choice(n_reps, n_planted, replace=False)
    skill = SD * z
    skill[planted] = rng.choice([-3, 3], n_planted) * SD
    rep = np.repeat(np.arange(n_reps), n)
    facts = -harder * z[rep] + np.sqrt(1 - harder**2) * rng.standard_normal((3, len(rep)))
    source, old = np.digitize(facts[1], [-0.8, 0.2, 1.0]), facts[2] > 0.3
    location = -1.2 + 0.6 * facts[0] + SOURCES[source] + 0.5 * old
    won = (rng.random(len(rep)) < expit(location + skill[rep])).astype(float)
    x = np.column_stack([facts[0], *(source == k for k in (1, 2, 3)), old]).astype(float)
    return {"x": x, "won": won, "rep": rep, "n": n, "skill": skill, "location": location, "planted": planted}


def oracle(w: dict[str, Any]) -> np.ndarray:
    """Posterior mean of each effect where case mix and spread are known exactly."""
    z = w["location"][:, None] + EFFECTS
    log_chance = np.where(w["won"][:, None] > 0, -np.log1p(np.exp(-z)), -np.log1p(np.exp(z)))
    starts = np.concatenate([[0], np.cumsum(w["n"])[:-1]])
    fit = np.add.reduceat(log_chance, starts, axis=0) + np.log(WIDTHS) - 0.5 * (EFFECTS / SD) ** 2
    weight = np.exp(fit - fit.max(axis=1, keepdims=True))
    return (weight @ EFFECTS) / weight.sum(axis=1)


def peer(w: dict[str, Any]) -> np.ndarray:
    """The variational joint model of statsmodels, with its own priors."""
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    n_reps = len(w["n"])
    columns = np.column_stack([np.ones(len(w["won"])), w["x"]])
    dummies = (w["rep"][:, None] == np.arange(n_reps)).astype(float)
    model = BinomialBayesMixedGLM(w["won"], columns, dummies, np.zeros(n_reps, dtype=int))
    np.random.seed(0)  # noqa: NPY002 - statsmodels draws its start from the global generator
    return np.asarray(model.fit_vb().vc_mean)


def flags(fit: RepFit) -> np.ndarray:
    return (fit.observed < fit.funnel_lower) | (fit.observed > fit.funnel_upper)


def skill(n_seeds: int) -> None:
    """Rank correlation with the truth, coverage, flags where nobody is planted."""
    methods: dict[str, Callable[[dict[str, Any]], np.ndarray]] = {"oracle": oracle}
    if find_spec("statsmodels"):
        methods["statsmodels VB"] = peer
    for name, harder in (("no confounding", 0.0), ("strong reps get harder deals", HARDER)):
        found = []
        for seed in range(n_seeds):
            w = world(seed, harder=harder)
            fit = fit_rep_effects(w["x"], w["won"], w["rep"])
            estimates = {"ours": fit.effect, "raw win rate": fit.observed / fit.n, "O/E": fit.observed / fit.expected}
            estimates |= {method: run(w) for method, run in methods.items()}
            row = {method: spearmanr(e, w["skill"])[0] for method, e in estimates.items()}
            covered = (fit.lower <= w["skill"]) & (w["skill"] <= fit.upper)
            row |= {"covered": covered.mean(), "flagged": flags(fit).mean(), "sd": fit.sd}
            found.append(row | {"rmse": np.sqrt(np.mean((fit.effect - w["skill"]) ** 2))})
        table = pd.DataFrame(found)
        mean = table.mean()
        print(f"\n{name}, {n_seeds} seeds, 40 reps, 6-250 deals, sd {SD}: Spearman with the truth, and more")
        print(mean.round(3).to_string())
        print(f"ours / oracle: {mean['ours'] / mean['oracle']:.3f} (at least .93)")
        for method in set(methods) - {"oracle"}:
            gap = table["ours"] - table[method]
            print(f"ours - {method}: {gap.mean():+.4f} (standard error {gap.std() / np.sqrt(n_seeds):.4f})")


def planted(n_seeds: int) -> None:
    """One, two or four reps of forty at three standard deviations: how many with 60 deals or more are flagged."""
    for n_planted, harder in ((1, 0.0), (2, 0.0), (4, 0.0), (4, HARDER)):
        hits, n = 0, 0
        for seed in range(n_seeds):
            w = world(10_000 + seed, harder=harder, n_planted=n_planted)
            big = w["planted"][w["n"][w["planted"]] >= 60]
            hits, n = hits + int(flags(fit_rep_effects(w["x"], w["won"], w["rep"]))[big].sum()), n + len(big)
        share = hits / n
        error = np.sqrt(share * (1 - share) / n)
        told = f"{share:.1%} (standard error {error:.1%}; at least 60 %)"
        print(f"\n{n_planted} planted of 40, harder {harder}: flagged {hits} of {n} with 60 deals or more, {told}")


def passages(n_seeds: int) -> None:
    """Won within a year or stage passed: which outcome finds the skill of simulated reps better."""
    for harder in (0.0, 0.4):
        found = []
        for seed in range(n_seeds):
            company = Company(reps=Reps(n=40, harder_for_strong=harder))
            book = simulate_book(n_deals=2500, seed=seed, company=company)
            truth = book.truth.reps.set_index("rep_id")["skill"]
            as_of = book.settings.extracted_on
            deals = outcome_rows(book, as_of=as_of)
            deals = deals[deals["use"].eq("judged")].reset_index(drop=True)
            rows = {"deals": deals, "passages": passage_rows(book, deals, as_of=as_of)}
            found.append({name: _correlation(part, truth) for name, part in rows.items()}
                         | {"raw": deals.groupby("rep_id")["won"].mean().corr(truth, method="spearman")})  # fmt: skip
        table = pd.DataFrame(found)
        print(f"\nstrong reps get harder deals: {harder}; Spearman with skill, mean of {n_seeds} books of 2,500 deals")
        print(table.mean().round(3).to_string())
        gap = table["passages"] - table["deals"]
        print(f"passages - deals: {gap.mean():+.3f} (standard error {gap.std() / np.sqrt(n_seeds):.3f})")


def _correlation(rows: pd.DataFrame, truth: pd.Series) -> float:
    ids, codes = np.unique(rows["rep_id"].to_numpy(dtype=str), return_inverse=True)
    fit = fit_rep_effects(case_mix(rows).x, rows["won"], codes)
    return float(spearmanr(fit.effect, truth[ids])[0])


def condition_world(seed: int, *, hidden: float, n: int = 700, n_reps: int = 14) -> tuple[pd.DataFrame, set[str]]:
    """Deals of three stages with eight conditions each, two of which help; what is done runs through recorded facts
    and the rep's discipline (which goes with his skill), and with ``hidden`` also through a quality nobody records.
    """
    rng = np.random.default_rng(seed)
    discipline = rng.normal(0, 0.5, n_reps)
    skill = 0.6 * discipline + rng.normal(0, 0.25, n_reps)
    parts, helpful = [], set()
    for stage in ("S1", "S2", "S3"):
        owner = rng.integers(0, n_reps, n)
        product, source, old = rng.integers(0, 4, n), rng.integers(0, 4, n), rng.random(n) < 0.4
        log_amount, quality = rng.normal(13, 1, n), rng.standard_normal(n)
        ease = 0.4 * (product - 1.5) + 0.3 * (source - 1.5) + 0.5 * old - 0.3 * (log_amount - 13)
        done = rng.random((n, 8)) < expit(0.6 * ease[:, None] + discipline[owner][:, None] + hidden * quality[:, None])
        helps = np.zeros(8)
        helps[:2] = 0.8
        helpful |= {f"{stage}.C1", f"{stage}.C2"}
        passed = rng.random(n) < expit(-0.9 + 0.8 * ease + skill[owner] + done @ helps + hidden * quality)
        won = passed & (rng.random(n) < expit(-0.2 + 0.5 * ease + skill[owner] + hidden * quality))
        deals = pd.DataFrame({
            "deal_id": [f"{stage}-{i}" for i in range(n)], "stage": stage, "owner": [f"R{o}" for o in owner],
            "product": product.astype(str), "source": source.astype(str), "route": "rfq", "buyer_stage": None,
            "customer": np.where(old, "old", "new"), "amount": np.exp(log_amount), "log_age": rng.normal(3, 1, n),
            "log_stay": rng.normal(3, 0.8, n), "passed": passed.astype(float), "won": won.astype(float),
            "days_to_sign": np.where(won, rng.lognormal(4, 0.6, n), np.nan),
        })  # fmt: skip
        parts += [deals.assign(condition=f"{stage}.C{k + 1}", status=np.where(done[:, k], "done", "missing"))
                  for k in range(8)]  # fmt: skip
    return pd.concat(parts, ignore_index=True), helpful


def conditions(n_seeds: int) -> None:
    """False discoveries of condition effects, where recorded facts carry everything, and where a hidden one helps."""
    for name, hidden in (("truth runs through recorded facts", 0.0), ("hidden quality", 0.6)):
        found = []
        for seed in range(n_seeds):
            rows, helpful = condition_world(seed, hidden=hidden)
            table = effects_of(rows, confidence=0.9)
            table["helps"] = table["condition"].isin(helpful)
            for measure in MEASURES:
                part = table[table["measure"].eq(measure)]
                called, null = part[part["q"] <= FALSE_DISCOVERIES], part[~part["helps"]]
                found.append({
                    "measure": measure, "called": len(called),
                    "false share": (~called["helps"]).sum() / max(len(called), 1),
                    "helpful found": called["helps"].sum() / 6, "p < .05 of no effect": (null["p"] < 0.05).mean(),
                })  # fmt: skip
        print(f"\n{name}, {n_seeds} worlds, 24 conditions of which 6 help passing (q <= {FALSE_DISCOVERIES})")
        print(pd.DataFrame(found).groupby("measure", sort=False).mean().round(3).to_string())


def speed(n_seeds: int) -> None:
    """Seconds for 200 reps."""
    book = simulate_book(n_deals=12_000, seed=1, company=Company(reps=Reps(n=200)))
    start, worked = time.perf_counter(), time.process_time()
    found = evaluate_reps(book, as_of=book.settings.extracted_on)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    told = f"{seconds:.1f} s, {worked:.1f} s of work (under 20)"
    print(f"\n{len(found.reps)} reps, {found.n_judged:,} deals judged of 12,000: {told}")


PARTS = {f.__name__: f for f in (skill, planted, passages, conditions, speed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    asked = parser.parse_args()
    for part in asked.parts:
        PARTS[part](min(asked.seeds, 20) if part == "passages" else asked.seeds)


if __name__ == "__main__":
    main()
