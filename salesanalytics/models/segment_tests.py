"""Whether the segments of a stage differ at all: Gray's test, stage by stage."""

from __future__ import annotations

from typing import Any

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.models.gray import gray_test
from salesanalytics.models.stage_rows import MISSING, entry_rows, states_of


def segments_differ(book: DealBook, *, as_of: Any, by: str) -> pd.DataFrame:
    """Test in each stage whether deals of different segments sign equally often and equally soon (`gray_test`).

    The clock starts at the first entry, the other ends compete, open deals are censored; a segment is what was known
    at the entry (`stage_win_rates`). Stages share deals, so their tests are not independent of one another; of nine
    stages one falls below .1 by chance alone.

    Parameters
    ----------
    book : DealBook
    as_of : date
    by : str
        A grouping, as in `stage_win_rates`.

    Returns
    -------
    DataFrame, one row a state
        ``stage``, ``n_segments``, ``n_deals`` (with a segment and time at risk), ``n_missing`` (deals without one:
        left out), ``statistic``, ``df``, ``p_value`` (NaN where fewer than two segments, or no signing, can be
        compared).

    Raises
    ------
    SchemaError
        The book has no such grouping.
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    Gray (1988), Annals of Statistics 16, 1141-1154.
    """
    entered = entry_rows(book, as_of=as_of, by=by)
    rows = []
    for state in states_of(book, entered):
        here = entered[(entered["state"] == state) & ~entered["retrospective"]]
        named = here[here["segment"] != MISSING]
        test = gray_test(named["duration_days"], named["end"], named["segment"], entry_days=named["entry_days"])
        counts = (named["segment"].nunique(), len(named), len(here) - len(named))
        rows.append((state, *counts, test.statistic, test.df, test.p_value))
    columns = ["stage", "n_segments", "n_deals", "n_missing", "statistic", "df", "p_value"]
    return pd.DataFrame(rows, columns=columns)
