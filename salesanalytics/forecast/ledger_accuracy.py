"""Recorded forecasts beside what was signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.baselines import actual
from salesanalytics.forecast.ledger_record import MEASURES, bands_of, period_of
from salesanalytics.models.bands import interval_score
from salesanalytics.timeline.calendar import to_date, to_day

JUDGED = [
    "record_id", "quarter", "as_of", "days_left", "measure", "forecast", "q10", "q25", "q50", "q75", "q90",
    "actual", "error", "crps", "interval_score", "in_50", "in_80",
]  # fmt: skip


def judged(records: Sequence[tuple[str, Mapping[str, Any]]], book: DealBook, *, grace_days: int) -> pd.DataFrame:
    """Records (id, summary) of quarters that are over, see `Ledger.accuracy`; by count alone where it knew no amount.

    Raises
    ------
    SchemaError
        A record counts amounts in another unit or has another fiscal year than the book.
    """
    own = (book.settings.unit, book.settings.fiscal_year_start)
    strangers = [name for name, found in records if (found["unit"], found["fiscal_year_start"]) != own]
    if strangers:
        raise SchemaError(
            f"{len(strangers)} records are of another book (unit or fiscal year), e.g. {strangers[0]}. "
            "Keep one ledger a book."
        )
    known = {found["quarter"]: to_date(period_of(found).end_day + grace_days) for _, found in records}
    truth = {quarter: actual(book, quarter=quarter, known_at=day) for quarter, day in known.items()}
    rows = [
        _row(name, found, measure, truth[found["quarter"]][measure])
        for name, found in records
        for measure in MEASURES
        if measure == "count" or found["summary"]["mean"] is not None
    ]
    return pd.DataFrame(rows, columns=JUDGED)


def _row(record_id: str, found: Mapping[str, Any], measure: str, truth: float) -> dict[str, Any]:
    """One forecast beside what was signed."""
    said = found["summary"] if measure == "amount" else found["summary"]["count"]
    q = bands_of(found, measure)
    level, value = (np.array(found["quantiles"][name]) for name in ("level", measure))
    # CRPS = 2 x integral of the quantile loss over the levels (Gneiting & Ranjan 2011, JBES 29, 411-422)
    loss = (truth - value) * (level - (truth < value))
    score = interval_score([q["q10"]], [q["q90"]], [truth], level=0.8)
    return q | {
        "record_id": record_id,
        "quarter": found["quarter"],
        "as_of": date.fromisoformat(found["as_of"]),
        "days_left": period_of(found).end_day - to_day(found["as_of"]),
        "measure": measure,
        "forecast": said["mean"],
        "actual": truth,
        "error": said["mean"] - truth,
        "crps": float(2 * np.trapezoid(loss, level)),
        "interval_score": float(score[0]),
        "in_50": q["q25"] <= truth <= q["q75"],
        "in_80": q["q10"] <= truth <= q["q90"],
    }
