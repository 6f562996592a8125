"""What the door of a book saw, in the reader's language."""

from __future__ import annotations

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors.chinese import rule_in_chinese
from salesanalytics.labels import label, number


def said(text: str, lang: str) -> str:
    """A rule, note, table name or basis that comes in English with the data; one that is not known stays as it is."""
    return rule_in_chinese(text) if lang == "zh" else text


def row_counts(book: DealBook, lang: str) -> pd.DataFrame:
    """Rows read, kept and set aside, one row a table."""
    columns = {"table": [said(name, lang) for name in book.rows["table"]]}
    columns |= {name: [number(n) for n in book.rows[name]] for name in ("read", "kept", "set_aside")}
    return pd.DataFrame({label(name, lang): values for name, values in columns.items()})


def fault_rows(book: DealBook, lang: str) -> pd.DataFrame:
    """One row a rule that fired; a remark on a whole table counts no rows."""
    faults = book.faults
    columns = {
        "table": [said(text, lang) for text in faults["table"]],
        "rule": [said(text, lang) for text in faults["rule"]],
        "set_aside": [label("yes" if aside else "no", lang) for aside in faults["set_aside"]],
        "note": [said(text, lang) for text in faults["note"]],
        "examples": list(faults["examples"]),
        "n": [number(n) if n else "–" for n in faults["n"]],
    }
    return pd.DataFrame({label(name, lang): values for name, values in columns.items()})
