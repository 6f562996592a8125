"""The oracle of benchmarks/coverage.py says what the simulator itself would do."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import salesanalytics as sa
from salesanalytics.simulate.params import Arrivals, Company, Walk
from salesanalytics.timeline import parse_period

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from coverage_oracle import foreseen

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
