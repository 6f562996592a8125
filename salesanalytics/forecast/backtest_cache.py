"""Backtests kept on disk: as long as the past stays as it was, it need not be forecast again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.forecast.data_hash import data_hash


def cache_file(folder: Path, book: DealBook, *, known_day: int, asked: Sequence[object]) -> Path:
    """Where a backtest is kept: named by what was known on a day, by what was asked, and by our code.

    A later extract of the same pipeline finds it as long as nothing that was known by that day reads differently.
    """
    said = json.dumps([data_hash(book, known_day=known_day), _our_code(), *map(str, asked)])
    return folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.parquet"


@cache
def _our_code() -> str:
    """Hash of our modules: a model that was changed since, released or not, is not what was tested."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def read_kept(path: Path) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Scores and calls that were kept; None where there are none, or a file is not whole."""
    try:
        scores, calls = (pd.read_parquet(io.BytesIO(file.read_bytes())) for file in (path, _beside(path)))
    except (OSError, pa.ArrowInvalid):
        return None
    return scores, calls


def keep(path: Path, scores: pd.DataFrame, calls: pd.DataFrame) -> None:
    """Write both, each whole or not at all, the scores last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for file, table in ((_beside(path), calls), (path, scores)):
        temporary = path.with_name(f".writing-{secrets.token_hex(8)}")
        try:
            table.to_parquet(temporary, index=False)
            os.replace(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_suffix(".calls.parquet")
