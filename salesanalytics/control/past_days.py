"""Past dates to learn from: those whose whole horizon has been seen."""

from __future__ import annotations

from typing import Any

from salesanalytics.book import DealBook
from salesanalytics.timeline import known_outcomes
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.spells import observed_from, recording_lag_days


def past_days(book: DealBook, *, as_of: Any, horizon_days: int, every_days: int) -> list[int]:
    """Days since 1970-01-01, ``every_days`` apart, ascending, from the first deal on.

    The last one lies as late as an end within ``horizon_days`` after it would be known, typed in late or not.
    """
    day = as_of_day(book, as_of)
    created = known_outcomes(book, day)["created_day"]
    last = day - recording_lag_days(book, as_of=as_of) - horizon_days
    first = max(int(created.min()), observed_from(book)) if len(created) else day
    return list(range(last, first - 1, -every_days))[::-1]
