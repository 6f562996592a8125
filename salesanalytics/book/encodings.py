"""From the bytes of a file to utf-8."""

from __future__ import annotations

import gzip
import re
import zlib
from itertools import islice
from pathlib import Path

import numpy as np

from salesanalytics.errors import SchemaError


def read_bytes(path: Path) -> bytes:
    """What a file holds, unpacked where it is gzipped."""
    raw = path.read_bytes()
    if not path.name.lower().endswith(".gz"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise SchemaError(f"{path}: not a whole gzip file ({error}). Copy or compress it again.") from error


def decode(raw: bytes, encoding: str | None, path: Path) -> tuple[bytes, str]:
    """Return the bytes as utf-8 without BOM, and the encoding they were in."""
    used = encoding or ("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    try:
        text = raw.decode(used)
    except LookupError as error:
        raise SchemaError(f"{path}: encoding {used!r} is unknown. Write for example utf-8 or cp1252.") from error
    except UnicodeDecodeError as error:
        if encoding or used == "utf-16":
            raise SchemaError(_undecodable(path, f"{used} ({error.reason} at byte {error.start})")) from error
        text, used = _decode_legacy(raw, path)
    if "\0" in text:
        raise SchemaError(_undecodable(path, f"text in {used}: it holds NUL characters"))
    if used == "utf-8":
        return raw.removeprefix(b"\xef\xbb\xbf"), used  # a second copy of a large file costs time
    return text.removeprefix("\ufeff").encode(), used


def _decode_legacy(raw: bytes, path: Path) -> tuple[str, str]:
    # Real Chinese text is almost all common characters (GB 2312 level 1) and Chinese punctuation, while
    # accented Latin letters read as gb18030 either fail or give rare characters: that share is the evidence.
    decoded: dict[str, str] = {}
    for name in ("gb18030", "cp1252"):
        try:
            decoded[name] = raw.decode(name)
        except UnicodeDecodeError:
            continue
    share = _common_chinese_share(decoded.get("gb18030", ""))
    if "cp1252" in decoded and share <= 0.05:
        return decoded["cp1252"], "cp1252"
    if "gb18030" in decoded and share > (0.5 if "cp1252" in decoded else 0.05):
        return decoded["gb18030"], "gb18030"
    if decoded.keys() == {"gb18030", "cp1252"}:
        raise SchemaError(_undecodable(path, "one encoding for certain: gb18030 and cp1252 both fit"))
    raise SchemaError(_undecodable(path, "utf-8, gb18030 or cp1252"))


def _common_chinese_share(text: str) -> float:
    foreign = "".join(m.group() for m in islice(re.finditer(r"[^\x00-\x7f]+", text), 100_000))
    lead = np.frombuffer(foreign.encode("gb2312", errors="ignore"), dtype=np.uint8)[::2]
    return float(((lead >= 0xB0) & (lead <= 0xD7) | (lead <= 0xA3)).sum() / max(len(foreign), 1))


def _undecodable(path: Path, what: str) -> str:
    return f"{path}: cannot be read as {what}. Save it as utf-8, or name its `encoding` in book.yaml."
