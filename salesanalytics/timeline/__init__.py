"""The as-of view: the only room that reads raw history."""

from salesanalytics.timeline.calendar import Period, parse_period, quarter_of
from salesanalytics.timeline.spells import clock_rows, known_outcomes, landmark_rows, life_table, outcomes, spells
from salesanalytics.timeline.values import amounts, owners, references, tallies

__all__ = [
    "Period", "amounts", "clock_rows", "known_outcomes", "landmark_rows", "life_table", "outcomes", "owners",
    "parse_period", "quarter_of", "references", "spells", "tallies",
]  # fmt: skip
