"""A simulated project-sales company with known truth."""

from salesanalytics.simulate.company import simulate_book
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.sample import write_sample
from salesanalytics.simulate.truth import Truth

__all__ = ["Company", "Truth", "simulate_book", "write_sample"]
