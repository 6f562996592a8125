"""Commands of the weekly review: alerts, tasks, reps."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from salesanalytics.cli.options import records, width
from salesanalytics.errors import InsufficientDataError

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook
    from salesanalytics.cli.options import Answer


def alerts(book: DealBook, given: Namespace) -> Answer:
    """What is wrong with open deals."""
    from salesanalytics.control import find_anomalies, review_deals
    from salesanalytics.report import write_control_report
    from salesanalytics.report.review import alerts_text

    found = find_anomalies(book, as_of=given.as_of)
    if given.out:
        deals = review_deals(book, as_of=given.as_of, effects=_effects(book, given))
        write_control_report(deals, given.out / given.files[0], lang=given.lang)
    if given.json:
        return {"as_of": given.as_of, "hits": records(found.hits), "rules": records(found.rules)}
    return alerts_text(found, book, given.lang, width(), as_of=given.as_of, top=given.top)


def tasks(book: DealBook, given: Namespace) -> Answer:
    """What is due."""
    from salesanalytics.control import next_tasks
    from salesanalytics.report import write_tasks
    from salesanalytics.report.review import tasks_text

    tasks = next_tasks(book, as_of=given.as_of, effects=_effects(book, given) if given.out else None)
    if given.rep:
        known = {*book.deals["rep_id"].dropna(), *book.reps.get("rep_id", ()), *tasks["rep_id"].dropna()}
        if not known:
            raise ArgumentTypeError(f"--rep: no rep {given.rep!r}; this book names no reps")
        if given.rep not in known:
            more = ", ..." if len(known) > 10 else ""
            raise ArgumentTypeError(f"--rep: no rep {given.rep!r}; known are {', '.join(sorted(known)[:10])}{more}")
        tasks = tasks[tasks["rep_id"].eq(given.rep)]
    if given.out:
        how = {"unit": book.settings.unit, "rep_names": book.rep_names, "lang": given.lang}
        write_tasks(tasks, given.out, as_of=given.as_of, **how)
    if given.json:
        return {"as_of": given.as_of, "tasks": records(tasks)}
    return tasks_text(tasks, book, given.lang, width(), as_of=given.as_of, top=given.top)


def scrub(book: DealBook, given: Namespace) -> Answer:
    """What to mend before a forecast."""
    from salesanalytics.control import scrub_list
    from salesanalytics.report.review import scrub_text

    found = scrub_list(book, as_of=given.as_of, quarter=given.quarter)
    if given.json:
        return {"as_of": given.as_of, "findings": records(found)}
    how = {"as_of": given.as_of, "top": given.top, "quarter": given.quarter}
    return scrub_text(found, book, given.lang, width(), **how)


def _effects(book: DealBook, given: Namespace) -> pd.DataFrame | None:
    """Measured association of conditions with winning, where the book allows it."""
    from salesanalytics.reps import condition_effects

    try:
        return condition_effects(book, as_of=given.as_of).effects
    except InsufficientDataError:
        return None


def reps(book: DealBook, given: Namespace) -> Answer:
    """How reps do."""
    from salesanalytics.report.rep_page import write_rep_report
    from salesanalytics.report.review import reps_text
    from salesanalytics.reps import evaluate_reps, review_reps

    review = review_reps(book, as_of=given.as_of) if given.out else None
    if review is not None:
        write_rep_report(review, given.out, lang=given.lang)
    found = review.evaluation if review is not None else evaluate_reps(book, as_of=given.as_of)
    if given.json:
        return {"as_of": given.as_of, "sd": found.sd, "reps": records(found.reps)}
    return reps_text(found, given.lang, width(), as_of=given.as_of)
