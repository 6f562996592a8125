"""Versions of what is known of a deal: a replay of rows in the order of what happened, by when they became known.

A deal has one *version* for each day on which something about it became known, valid until the next such day. It
holds all rows known by then in the order in which they happened, also those typed in late. A *part* is the rows
that are replayed together: all rows of a deal, or those of one version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER

col = nw.col
Lazy = nw.LazyFrame[Any]
PACK = 4096  # base of the digits in which running counts share one number


def over(expr: nw.Expr) -> nw.Expr:
    """A running value in the order of what happened."""
    return expr.over("part", order_by="seq")


def sums(*terms: nw.Expr) -> nw.Expr:
    """Running sums in one pass: the k-th in the k-th digit to base PACK, the last of any size (`digit`, `rest`)."""
    packed = [term.cast(nw.Int64) * PACK**k for k, term in enumerate(terms)]
    return over(nw.sum_horizontal(*packed).cum_sum()).cast(nw.Int64)


# A digit is cut out by remainders and an exact division, since whole-number division costs engines far more.


def digit(name: str, k: int) -> nw.Expr:
    """The k-th running sum of a column, where it is not the last."""
    upto = col(name) % PACK ** (k + 1)
    return upto if k == 0 else ((upto - col(name) % PACK**k) / PACK**k).cast(nw.Int64)


def rest(name: str, k: int) -> nw.Expr:
    """The k-th running sum of a column, where it is the last."""
    return ((col(name) - col(name) % PACK**k) / PACK**k).cast(nw.Int64)


#: From which to which day all rows of a part up to this one are known and no later one. A replay adds these columns.
VALIDITY = {
    "valid_from": over(col("known_day").cum_max()),
    "valid_to": over(col("onward").shift(-1)).fill_null(FOREVER),
}


def steps(book: DealBook, name: str, rows: Lazy, *, of: str) -> Lazy:
    """Rows of deals, once a book, as a replay reads them (`_steps`); ``of`` is the column with the value."""
    return book.engine.once(f"steps_{name}", lambda: _steps(rows.with_columns(part=col("deal")), of))


def _steps(rows: Lazy, of: str) -> Lazy:
    """Adds ``before``, the value before it in its part, and ``onward``, from when it or a later row is known.

    One backward pass gives both.
    """
    backward: dict[str, Any] = {"order_by": "back"}
    surrounded = rows.with_columns(back=-1 * col("seq")).with_columns(
        before=col(of).shift(-1).over("part", **backward), onward=col("known_day").cum_min().over("part", **backward)
    )
    return surrounded.drop("back")


def versions(stepped: Lazy, *, of: str, replay: Callable[[Lazy], Lazy], columns: tuple[str, ...]) -> Lazy:
    """What a replay says at the last row of each version: one row a deal and version, with its days.

    On most days the known rows of a deal are all rows up to one and none after it: one replay of the whole history
    tells all these versions. On the other days a row is known and one that happened before it is not; these
    versions are spelled out, each a part of its own.
    """
    kept = ("deal", "valid_from", "valid_to", *columns)
    whole = replay(stepped).filter(col("valid_from") < col("valid_to"))
    spelled = replay(_steps(_spelled(stepped), of)).filter(col("valid_to") == FOREVER)
    spelled = spelled.with_columns(valid_to=col("version_to"))
    return nw.concat([whole.select(*kept), spelled.select(*kept)], how="vertical")


def _spelled(stepped: Lazy) -> Lazy:
    """The known rows of each version that misses a row which happened before a known one."""
    missing = stepped.filter(col("onward") < col("known_day"))
    missing = missing.select("deal", missing_from=col("onward"), missing_to=col("known_day"))
    rows = stepped.drop("part", "before", "onward").join(missing.select("deal").unique(), on="deal", how="semi")
    days = rows.select("deal", version=col("known_day")).unique()
    following = col("version").shift(-1).over("deal", order_by="version").fill_null(FOREVER)
    parts = days.with_columns(version_to=following).join(missing, on="deal")
    parts = parts.filter((col("missing_from") <= col("version")) & (col("version") < col("missing_to")))
    parts = parts.select("deal", "version", "version_to").unique()
    parts = parts.with_row_index("part", order_by=("deal", "version"))
    return parts.join(rows, on="deal").filter(col("known_day") <= col("version"))
