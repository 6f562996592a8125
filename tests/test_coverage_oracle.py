"""benchmarks/coverage.py: its oracle says what the simulator itself would do, its parts run, its shares are right."""

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

import salesanalytics as sa
from salesanalytics.simulate.params import Arrivals, Company, Walk
from salesanalytics.timeline import parse_period

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from coverage_oracle import foreseen

spec = spec_from_file_location("coverage_benchmark", Path(__file__).parents[1] / "benchmarks" / "coverage.py")
benchmark = module_from_spec(spec)  # by its path: a package of that name is installed
spec.loader.exec_module(benchmark)

AS_OF, QUARTER = "2023-09-30", parse_period("2023Q4", fiscal_year_start=1)
NONE_NEW = Arrivals(season=(1.0,) * 9 + (1e-9,) * 3)


def told(shock, arrivals=NONE_NEW, draws=600):
    company = Company(walk=Walk(shock=shock), arrivals=arrivals, start="2022-01-01", end="2023-12-31")
    truth = sa.simulate_book(n_deals=300, seed=3, company=company).truth
    return truth, foreseen(truth, QUARTER, rng=np.random.default_rng(0), draws=draws)


def test_without_new_deals_it_is_the_sum_of_true_chances():
    truth, found = told(0.0)
    wins = truth.deals["end"].eq("won") & (truth.deals["end_on"] <= AS_OF)
    p = truth.true_p(truth.deals.loc[~wins, "deal_id"], as_of=AS_OF, until=QUARTER.end, draws=400)
    spread = np.sqrt((p * (1 - p)).sum())
    assert found["count"].mean() == pytest.approx(p.sum(), abs=4 * spread / np.sqrt(400) + 0.1)
    assert found["count"].std() == pytest.approx(spread, rel=0.15)


def test_a_shock_widens_and_new_deals_add():
    calm, rough = (told(shock)[1]["count"] for shock in (0.0, 0.8))
    assert rough.std() > 1.5 * calm.std()
    more = told(0.0, arrivals=replace(NONE_NEW, season=(1.0,) * 12))[1]
    assert more["count"].mean() > calm.mean()
    assert (more["amount"][more["count"] == 0] == 0).all()


def test_the_draws_and_the_engine_of_the_benchmark_run():
    assert "300 deals x 300 draws, shock 0.3" in benchmark.large(0.3, n=300)
    row = benchmark.engine_quarter(np.random.default_rng(0), 40, 0.2, 8, 0)
    assert {row["80 % amount"], row["50 % count"]} <= {0.0, 1.0}
    assert 0 <= row["50 % count, a whole number in part"] <= 1


def test_of_whole_numbers_the_central_half_holds_a_half():
    """By hand: of 0, 1, 2, 3 equally likely 1 and 2 lie within the central half; 1 of a fair coin does by half."""
    assert [benchmark.share_within(np.arange(4), y, 0.5) for y in range(4)] == [0, 1, 1, 0]
    assert [benchmark.share_within(np.array([0, 1]), y, 0.5) for y in (0, 1, 2)] == [0.5, 0.5, 0]
    rng = np.random.default_rng(1)
    for share in (0.5, 0.8):
        for mean in (0.3, 2, 9):
            draws = rng.poisson(mean, 20_000)
            held = [benchmark.share_within(draws, y, share) for y in rng.poisson(mean, 4000)]
            assert np.mean(held) == pytest.approx(share, abs=0.03)
