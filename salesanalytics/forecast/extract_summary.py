"""What happened between two extracts, counted: every row and every deal once."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import beta

from salesanalytics.forecast.extract_rows import OF_AFTER, OF_BEFORE

CONFIDENCE = 0.9
DEALS_OF_BEFORE = ("both", "vanished", "set_aside_after")
DEALS_OF_AFTER = ("both", "late", "new", "set_aside_before")


def counts(rows: pd.DataFrame, deals: pd.DataFrame, facts: pd.DataFrame, before_on: date) -> pd.DataFrame:
    """The table that `Extracts.summary` gives."""
    found = [*_row_counts(rows), *_deal_counts(deals), *_fact_counts(facts), *_end_counts(deals, rows, before_on)]
    table = pd.DataFrame(found)
    table["share"] = table["n"] / table["of"].where(table["of"] > 0)
    tail = (1 - CONFIDENCE) / 2
    n, missed = table["n"] + 0.5, table["of"] - table["n"] + 0.5
    table["lower"] = np.where(table["n"] > 0, beta.ppf(tail, n, missed), 0.0)
    table["upper"] = np.where(table["n"] < table["of"], beta.ppf(1 - tail, n, missed), 1.0)
    table["confidence"] = CONFIDENCE
    columns = ["unit", "what", "n", "of", "share", "lower", "upper", "confidence", "median_days", "n_later"]
    return table[columns]


def _row_counts(rows: pd.DataFrame) -> list[dict[str, object]]:
    found = []
    for side, kinds in (("before", OF_BEFORE), ("after", OF_AFTER)):
        part = rows[rows[f"day_{side}"].notna()]
        for what in kinds:
            own = part[part["what"].eq(what)]
            moved = own["shift_days"] if what == "redated" else own["days_late"]
            found.append(_count(f"row_{side}", what, own, part, moved))
    return found


def _deal_counts(deals: pd.DataFrame) -> list[dict[str, object]]:
    found = []
    for side, kinds in (("before", DEALS_OF_BEFORE), ("after", DEALS_OF_AFTER)):
        part = deals[deals["what"].isin(kinds)]
        for what in kinds:
            own = part[part["what"].eq(what)]
            found.append(_count(f"deal_{side}", what, own, part, own["days_late"]))
    return found


def _fact_counts(facts: pd.DataFrame) -> list[dict[str, object]]:
    found = []
    for fact, part in facts.groupby("fact", sort=False):
        own = part[part["changed"].astype(bool)]
        found.append(_count(str(fact), "rewritten", own, part, own["shift_days"]))
    return found


def _end_counts(deals: pd.DataFrame, rows: pd.DataFrame, before_on: date) -> list[dict[str, object]]:
    """Ends taken back (the row is gone) or reopened, open deals that had ended or vanished, late signings."""
    last = pd.Timestamp(before_on)
    had = deals[deals["what"].isin(DEALS_OF_BEFORE) & deals["what"].ne("set_aside_after")]
    ended, is_open = had[had["end_before_on"].notna()], had[had["end_before_on"].isna()]
    again = ended[ended["what"].eq("both") & ended["end_after_on"].isna()]
    dropped = rows[rows["field"].eq("stage") & rows["what"].isin(["taken_back", "rewritten"])]
    gone = pd.MultiIndex.from_frame(dropped[["deal_id", "value_before"]])
    back = pd.MultiIndex.from_frame(again[["deal_id", "state_before"]]).isin(gone)
    other = ended[ended["end_after_on"].notna() & ended["state_after"].ne(ended["state_before"])]
    had_ended = is_open[is_open["end_after_on"] <= last]
    won = deals[deals["state_after"].eq("won") & (deals["end_after_on"] <= last) & deals["what"].ne("set_aside_before")]
    late = won[won["state_before"].ne("won")]
    days = (last - late["end_after_on"]).dt.days + 1
    return [
        _count("end_before", "taken_back", again[back], ended, again["days_late"]),
        _count("end_before", "reopened", again[~back], ended, again["days_late"]),
        _count("end_before", "other_end", other, ended, other["days_late"]),
        _count("end_before", "vanished", ended[ended["what"].eq("vanished")], ended, ended["days_late"]),
        _count("open_before", "vanished", is_open[is_open["what"].eq("vanished")], is_open, is_open["days_late"]),
        _count("open_before", "had_won", had_ended[had_ended["state_after"].eq("won")], is_open, is_open["days_late"]),
        _count(
            "open_before", "had_ended", had_ended[had_ended["state_after"].ne("won")], is_open, is_open["days_late"]
        ),
        _count("won_after", "late", late, won, days),
    ]


def _count(unit: str, what: str, own: pd.DataFrame, of: pd.DataFrame, days: pd.Series) -> dict[str, object]:
    known = days.dropna().to_numpy(dtype=float)
    size = float(np.median(np.abs(known))) if len(known) else np.nan
    later = float((known > 0).sum()) if unit == "created_at" or what == "redated" else np.nan
    return {"unit": unit, "what": what, "n": len(own), "of": len(of), "median_days": size, "n_later": later}
