"""Records on disk: written whole or not at all, never changed, and proved by checksums when read.

A record is a folder ``<time>-<checksum>`` with ``record.json`` and tables beside it. The checksum in its name is that
of ``record.json``, which holds those of the tables: whoever keeps the name can prove the whole record.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FORMAT = 1
SUMMARY = "record.json"
RECORD_ID = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{16}")


class DamagedRecord(Exception):  # noqa: N818 - it is found, told and stepped over, not an error of the reader
    """A record that cannot be trusted.

    Attributes
    ----------
    damage : {"missing", "unreadable", "altered", "newer"}
    file : str
    """

    def __init__(self, damage: str, file: str) -> None:
        super().__init__(f"{file} {damage}")
        self.damage, self.file = damage, file


def write_record(folder: Path, summary: Mapping[str, Any], tables: Mapping[str, bytes]) -> str:
    """Write one record, its tables by file name, and give its id.

    All is written and forced to the disk under a temporary name, then renamed at once. A writer that is killed leaves
    a temporary folder that no reader looks at, or a whole record; one that fails takes its temporary folder away.
    The time is that of the disk which holds the ledger, so that writers on several machines agree.
    """
    folder.mkdir(parents=True, exist_ok=True)
    nonce = secrets.token_hex(8)
    temporary = folder / f".writing-{nonce}"
    temporary.mkdir()
    try:
        for name, content in tables.items():
            _write(temporary / name, content)
        recorded_at = datetime.fromtimestamp(temporary.stat().st_mtime, tz=UTC)
        sealed = {
            "format": FORMAT,
            "recorded_at": recorded_at.isoformat(),
            "nonce": nonce,  # two records of one moment and content have two names
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()},
            **summary,
        }
        text = json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False).encode()
        _write(temporary / SUMMARY, text)
        _settle(temporary)
        record_id = f"{recorded_at:%Y%m%dT%H%M%S%fZ}-{_short(text)}"
        temporary.rename(folder / record_id)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _settle(folder)
    return record_id


def record_ids(folder: Path) -> list[str]:
    """Names of all records, the oldest first; whatever else lies in the folder is left alone."""
    return sorted(p.name for p in folder.iterdir() if RECORD_ID.fullmatch(p.name)) if folder.is_dir() else []


def read_summary(folder: Path, record_id: str) -> dict[str, Any]:
    """What ``record.json`` says.

    Raises
    ------
    DamagedRecord
        The file is missing, cannot be read, or is not as it was written.
    """
    text = _read(folder / record_id / SUMMARY)
    if _short(text) != record_id.rpartition("-")[2]:
        raise DamagedRecord("altered", SUMMARY)
    summary: dict[str, Any] = json.loads(text)
    if summary["format"] != FORMAT:
        raise DamagedRecord("newer", SUMMARY)
    return summary


def read_tables(folder: Path, record_id: str, summary: Mapping[str, Any]) -> dict[str, bytes]:
    """Content of the tables, by file name.

    Raises
    ------
    DamagedRecord
        A file is missing, cannot be read, or is not as it was written.
    """
    tables = {}
    for name, checksum in summary["sha256"].items():
        tables[name] = _read(folder / record_id / name)
        if hashlib.sha256(tables[name]).hexdigest() != checksum:
            raise DamagedRecord("altered", name)
    return tables


def _short(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Force the names in a folder to the disk; Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DamagedRecord("missing", path.name) from error
    except OSError as error:
        raise DamagedRecord("unreadable", path.name) from error
