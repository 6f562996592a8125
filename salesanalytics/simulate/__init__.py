"""A simulated project-sales company with known truth."""

from salesanalytics.simulate.company import Truth, simulate_book
from salesanalytics.simulate.params import Company

__all__ = ["Company", "Truth", "simulate_book"]
