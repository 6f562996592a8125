"""Recorded judgement: what people put over the model, deal by deal, with who and why; the model's number is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.book.dates import parse_dates
from salesanalytics.book.numbers import parse_numbers
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.lent_amounts import known_or_usual
from salesanalytics.forecast.quarter import drawn
from salesanalytics.forecast.result import QuarterForecast
from salesanalytics.forecast.score import QUANTILES
from salesanalytics.timeline.calendar import to_date, to_day

FIELDS = ("deal_id", "who", "why", "chance", "signs_on", "amount", "excluded")
YES = dict.fromkeys(("yes", "true", "1", "1.0", "是"), True)
NO = dict.fromkeys(("no", "false", "0", "0.0", "否"), False)
WANTED = {
    "chance": "a chance such as 0.9 or 90%",
    "signs_on": "a date such as 2026-09-30",
    "amount": "an amount such as 1200000 or 1,200,000",
    "excluded": "yes or no",
}


@dataclass(frozen=True)
class Judgement:
    """What somebody knows of an open deal that the model does not.

    Attributes
    ----------
    deal_id, who, why : str
    chance : float, optional
        Of signing in the period.
    signs_on : date, optional
        If it signs at all, then on that day: in the period it has its whole chance of signing, outside none.
    amount : float, optional
        What it stands at; how amounts changed until the signing is drawn upon it, as for every deal.
    excluded : bool
        It counts with no chance.
    """

    deal_id: str
    who: str
    why: str
    chance: float | None = None
    signs_on: date | None = None
    amount: float | None = None
    excluded: bool = False

    def __post_init__(self) -> None:
        """Dates may be text or timestamps; whatever is neither text, number nor date is a `SchemaError`."""
        texts = all(isinstance(text, str) for text in (self.deal_id, self.who, self.why))
        numbers = all(x is None or isinstance(x, int | float | np.number) for x in (self.chance, self.amount))
        if not (texts and numbers):
            raise SchemaError(f"judgement of {self.deal_id}: deal_id, who, why are texts, chance and amount numbers.")
        if self.signs_on is not None:
            object.__setattr__(self, "signs_on", to_date(to_day(self.signs_on, name="signs_on")))


def with_judgement(forecast: QuarterForecast, *, book: DealBook, judgements: Sequence[Judgement]) -> QuarterForecast:
    """The forecast with the judged deals as people see them; nothing is fitted again.

    Draws of all other deals stay as they are, as long as the bands are not widened by a track record. The forecast
    without judgement is kept beside it (`QuarterForecast.unjudged`), and `explain_change` between the two tells what
    judgement moves. Of a deal whose chance or date is judged ``p_won`` is not below the chance in the period, and its
    likely dates are those of the judgement: none, or the one stated.

    Parameters
    ----------
    forecast : QuarterForecast
        Judgements that it has already are replaced: give all of them. No `what_if`: that is asked of the judged one.
    book : DealBook
        The book it was made from.
    judgements : sequence of Judgement

    Returns
    -------
    QuarterForecast

    Raises
    ------
    SchemaError
        A deal is not open in the forecast or is judged twice, nobody or no reason is named, a judgement says nothing or
        says several things about the chance, or a chance or amount cannot be; the forecast is a `what_if`.
    """
    if forecast.decided:
        raise SchemaError(
            f"Deals are decided by what_if already ({', '.join(forecast.decided[:3])}): judge the forecast first, then "
            "ask what if."
        )
    plain = forecast.unjudged or forecast
    _check(plain, judgements)
    deals, months = plain.prepared.deals.set_index("deal_id"), plain.prepared.months.copy()
    for one in judgements:
        deals.loc[one.deal_id, "p_in_period"] = _chance(plain, deals.loc[one.deal_id], one)
        if one.amount is not None:
            deals.loc[one.deal_id, "amount"] = one.amount
        if one.chance is not None or one.signs_on is not None:  # the model's dates belong to the chance it gave
            deals.loc[one.deal_id, list(QUANTILES)] = pd.NaT if one.signs_on is None else pd.Timestamp(one.signs_on)
            if _inside(plain, one.signs_on):
                months.loc[one.deal_id] = (months.columns == f"{one.signs_on:%Y-%m}").astype(float)
            deals.loc[one.deal_id, "p_won"] = deals.loc[one.deal_id, ["p_won", "p_in_period"]].max()
    deals["expected_amount"] = deals["p_in_period"] * known_or_usual(deals)
    deals = deals.reset_index()[list(plain.prepared.deals)]
    order = deals.sort_values(["expected_amount", "p_in_period"], ascending=False, kind="stable").index
    snapshot = plain.prepared.snapshot.loc[order].reset_index(drop=True)
    deals = deals.loc[order].reset_index(drop=True)
    judged = replace(plain.prepared, deals=deals, snapshot=snapshot, months=months)
    n_draws = plain.signings.n_draws
    told = drawn(book, judged, draws=n_draws, seed=plain.seed, target=plain.target, record=plain.record)
    return replace(told, notes=plain.notes, judgements=tuple(judgements), unjudged=plain)


def read_judgements(table: pd.DataFrame) -> tuple[Judgement, ...]:
    """Judgements from a table with the columns ``deal_id``, ``who``, ``why`` and any of the others.

    A chance may be written 0.9 or 90%, an amount and a date as in a book.

    Raises
    ------
    SchemaError
        A column is missing or unknown, or a value cannot be read.
    """
    missing = [c for c in FIELDS[:3] if c not in table]
    unknown = [str(c) for c in table if c not in FIELDS]
    if missing or unknown:
        raise SchemaError(
            f"judgements: columns missing: {', '.join(missing) or '–'}; unknown: {', '.join(unknown) or '–'}. "
            f"Known: {', '.join(FIELDS)}."
        )
    said = table.reindex(columns=list(FIELDS)).astype(object)
    read = pd.DataFrame({column: _read(said[column], column) for column in FIELDS})
    return tuple(Judgement(**{k: v for k, v in row.items() if v is not None}) for row in read.to_dict("records"))


def _read(texts: pd.Series, column: str) -> pd.Series:
    """A column as Python values, None where it is blank."""
    texts = texts.map(lambda value: None if pd.isna(value) else str(value).strip() or None).astype(object)
    if column in FIELDS[:3]:
        return texts.fillna("")
    if column == "excluded":
        read = texts.str.lower().map(YES | NO)
    elif column == "signs_on":
        read = _days(texts)
    else:
        in_percent = texts.str.endswith("%", na=False) & (column == "chance")
        plain = texts.str.rstrip("% ") if column == "chance" else texts
        read = parse_numbers(plain, column=f"judgements.{column}", decimal=".")[0] / np.where(in_percent, 100, 1)
    read = read.astype(object).where(read.notna(), None)
    failed = texts.index[texts.notna() & read.isna()]
    if len(failed):
        place, value = texts.index.get_loc(failed[0]) + 1, texts[failed[0]]
        raise SchemaError(f"judgements: row {place}: {column} must be {WANTED[column]}, got {value!r}.")
    return read


def _days(texts: pd.Series) -> pd.Series:
    """Days in one reading for the whole column; all missing where no value tells the day from the month."""
    try:
        return parse_dates(texts, column="judgements.signs_on", date_format=None, timezone=None)[0].dt.date
    except SchemaError:
        return pd.Series(None, index=texts.index, dtype=object)


def _chance(forecast: QuarterForecast, deal: pd.Series, one: Judgement) -> float:
    if one.excluded:
        return 0.0
    if one.signs_on is not None:
        return float(deal["p_won"]) if _inside(forecast, one.signs_on) else 0.0
    return float(deal["p_in_period"]) if one.chance is None else one.chance


def _inside(forecast: QuarterForecast, day: date | None) -> bool:
    """Whether a deal can still be signed on that day, in the period."""
    return day is not None and forecast.period.start <= day <= forecast.period.end and day > forecast.as_of


def _check(forecast: QuarterForecast, judgements: Sequence[Judgement]) -> None:
    known = set(forecast.deals["deal_id"])
    ids = [one.deal_id for one in judgements]
    faults = {
        "not open in the forecast": [d for d in ids if d not in known],
        "judged twice": sorted({d for d in ids if ids.count(d) > 1}),
        "without who or why": [o.deal_id for o in judgements if not o.who.strip() or not o.why.strip()],
        "must say one of chance, signs_on, excluded, or an amount": [o.deal_id for o in judgements if not _says(o)],
        "chance not within 0 and 1": [o.deal_id for o in judgements if o.chance is not None and not 0 <= o.chance <= 1],
        "amount not above 0": [o.deal_id for o in judgements if o.amount is not None and not (0 < o.amount < np.inf)],
    }
    found = [f"{rule}: {len(some)} ({', '.join(map(str, some[:3]))})" for rule, some in faults.items() if some]
    if found:
        raise SchemaError(f"judgements: {'; '.join(found)}.")


def _says(one: Judgement) -> bool:
    about_chance = (one.chance is not None) + (one.signs_on is not None) + one.excluded
    return about_chance == 1 or (about_chance == 0 and one.amount is not None)
