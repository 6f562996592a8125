"""One call for the pack a person opens, whatever its form."""

from __future__ import annotations

from pathlib import Path

from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.forecast import QuarterForecast
from salesanalytics.report.excel import write_workbook
from salesanalytics.report.html import write_page

WRITERS = {".html": write_page, ".xlsx": write_workbook}


def write_report(forecast: QuarterForecast, path: str | Path, *, lang: str = "en") -> Path:
    """Write a forecast as one self-contained HTML file, or as a workbook, by the ending of the path.

    Parameters
    ----------
    forecast : QuarterForecast
    path : str or Path
        Ends in ``.html`` or ``.xlsx``; folders are made.
    lang : {"en", "zh"}

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SalesAnalyticsError
        The path ends otherwise, or the language is another.
    """
    path = Path(path)
    if path.suffix not in WRITERS:
        raise SalesAnalyticsError(f"A report is written as {' or '.join(WRITERS)}, got {path.name!r}.")
    return WRITERS[path.suffix](forecast, path, lang=lang)
