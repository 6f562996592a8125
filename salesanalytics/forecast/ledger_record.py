"""One published forecast as it is kept: what goes into its record, and what comes back."""

from __future__ import annotations

import io
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.data_hash import data_hash, plain_table
from salesanalytics.forecast.result import QuarterForecast
from salesanalytics.forecast.track_record import TrackRecord
from salesanalytics.timeline import Period, parse_period

DEALS, SCORES, CALLS = "deals.parquet", "track_record.parquet", "calls.parquet"
MEASURES = ("amount", "count")
LEVELS = np.linspace(0, 1, 201)
PACKAGES = (
    "salesanalytics", "numpy", "pandas", "scipy", "scikit-learn", "lifelines", "duckdb", "narwhals", "pyarrow",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LedgerRecord:
    """One forecast as it was published.

    Attributes
    ----------
    record_id : str
        Time and checksum; proves the content.
    recorded_at : datetime
        In UTC, by the clock of the disk that holds the ledger.
    period : Period
    as_of : date
    unit : str
    data_hash : str
        Of the book it was made from.
    versions : dict
        Package -> version it was made with.
    seed, draws : int
    target : float or None
    summary : dict
        `QuarterForecast.to_dict`.
    components : DataFrame
        `QuarterForecast.components`.
    quantiles : DataFrame
        Of the total, one row a level from 0 to 1 in steps of 0.005: ``level``, ``amount``, ``count``.
    deals : DataFrame
        `QuarterForecast.deals`: text, numbers and dates as they were.
    track_record : TrackRecord or None
        What the bands were widened for.
    note : str
    judgement : list
        What people put over the model, as it was given.
    n_applied : int
        The first so many of them are part of the numbers (`with_judgement`); the rest are remarks.
    with_extracts : bool
        Whether it was made with an allowance from two extracts.
    """

    record_id: str
    recorded_at: datetime
    period: Period
    as_of: date
    unit: str
    data_hash: str
    versions: dict[str, str]
    seed: int
    draws: int
    target: float | None
    summary: dict[str, Any]
    components: pd.DataFrame
    quantiles: pd.DataFrame
    deals: pd.DataFrame
    track_record: TrackRecord | None
    note: str
    judgement: list[Any]
    n_applied: int
    with_extracts: bool

    def __repr__(self) -> str:
        return f"<LedgerRecord {self.record_id}: {self.period.name} as of {self.as_of}>"


def summary_of(forecast: QuarterForecast, book: DealBook, *, note: str, judgement: Sequence[Any]) -> dict[str, Any]:
    """What a record says of a forecast, but for its tables.

    Raises
    ------
    SchemaError
        ``judgement`` holds something that JSON cannot.
    """
    total = {measure: forecast.total(measure) for measure in MEASURES}
    return {
        "as_of": forecast.as_of.isoformat(),
        "quarter": forecast.period.name,
        "fiscal_year_start": forecast.period.start_month,
        "unit": forecast.unit,
        "data_hash": data_hash(book),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "seed": forecast.seed,
        "draws": len(total["amount"]),
        "target": forecast.target,
        "summary": _for_json(forecast.to_dict()),
        "components": _for_json(forecast.components().to_dict("list")),
        "quantiles": {"level": LEVELS.tolist()} | {m: np.quantile(x, LEVELS).tolist() for m, x in total.items()},
        "note": note,
        "judgement": _for_json([*forecast.judgements, *judgement]),
        "n_applied": len(forecast.judgements),
        "with_extracts": any(key == "note_extracts" for key, _ in forecast.notes),
    }


def tables_of(forecast: QuarterForecast) -> dict[str, bytes]:
    """Tables of a record as Parquet, by file name."""
    tables = {DEALS: _parquet(forecast.deals)}
    record = forecast.record
    return tables if record is None else tables | {SCORES: _parquet(record.scores), CALLS: _parquet(record.calls)}


def as_record(record_id: str, summary: Mapping[str, Any], tables: Mapping[str, bytes]) -> LedgerRecord:
    """A record from what was read."""
    frames = {name: pq.read_table(io.BytesIO(content)).to_pandas() for name, content in tables.items()}
    components = pd.DataFrame(summary["components"])
    flatters = bool({"note_no_recorded_at", "note_extracts"} & set(summary["summary"]["notes"]))
    asis = ("unit", "data_hash", "versions", "seed", "draws", "target", "summary", "note", "judgement", "n_applied")
    return LedgerRecord(
        record_id=record_id,
        recorded_at=datetime.fromisoformat(summary["recorded_at"]),
        period=period_of(summary),
        as_of=date.fromisoformat(summary["as_of"]),
        components=components.astype({name: float for name in components.columns if name != "component"}),
        quantiles=pd.DataFrame(summary["quantiles"]),
        deals=frames[DEALS],
        with_extracts=bool(summary.get("with_extracts", False)),  # older records do not say
        track_record=TrackRecord(frames[SCORES], frames[CALLS], flatters) if SCORES in frames else None,
        **{name: summary[name] for name in asis},
    )


def period_of(summary: Mapping[str, Any]) -> Period:
    """The period that a record is about."""
    return parse_period(summary["quarter"], fiscal_year_start=summary["fiscal_year_start"])


def bands_of(summary: Mapping[str, Any], measure: str) -> dict[str, float]:
    """Ends of the bands and median of the total as they were published, named as by `band_columns`."""
    said = summary["summary"] if measure == "amount" else summary["summary"]["count"]
    (q10, q90), (q25, q75) = (said["bands"][band] for band in ("80", "50"))
    return {"q10": q10, "q25": q25, "q50": said["median"], "q75": q75, "q90": q90}


def _parquet(frame: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    pq.write_table(plain_table(frame), content)
    return content.getvalue()


def _for_json(value: Any) -> Any:
    """Dataclasses, mappings, sequences and dates in the forms of JSON; a number that is none becomes null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _for_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_for_json(item) for item in value]
    raise SchemaError(f"A record keeps texts, numbers, dates, mappings and lists of them, got {type(value).__name__}.")
