"""One call for the pack a person opens, whatever its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.forecast import PipelineChange, QuarterForecast
from salesanalytics.report.excel import write_workbook
from salesanalytics.report.html import write_page

WRITERS = {".html": write_page, ".xlsx": write_workbook}


def write_report(
    forecast: QuarterForecast,
    path: str | Path,
    *,
    lang: str = "en",
    before: QuarterForecast | None = None,
    groups: pd.DataFrame | None = None,
    outlook: pd.DataFrame | None = None,
    pacing: pd.DataFrame | None = None,
    pipeline: PipelineChange | None = None,
) -> Path:
    """Write a forecast as one self-contained HTML file, or as a workbook, by the ending of the path.

    Parameters
    ----------
    forecast : QuarterForecast
    path : str or Path
        Ends in ``.html`` or ``.xlsx``; folders are made.
    lang : {"en", "zh"}
    before : QuarterForecast, optional
        An earlier forecast of the same quarter: what moved it since is told.
    groups : DataFrame, optional
        From `rollup`.
    outlook : DataFrame, optional
        From `outlook`, of the same forecast.
    pacing : DataFrame, optional
        From `pacing`, of the forecast's period and date: how far it has come beside past ones.
    pipeline : PipelineChange, optional
        From `pipeline_change`: what moved the open pipeline is told.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SalesAnalyticsError
        The path ends otherwise, the language is another, or the outlook is of another forecast.
    """
    path = Path(path)
    if path.suffix not in WRITERS:
        raise SalesAnalyticsError(f"A report is written as {' or '.join(WRITERS)}, got {path.name!r}.")
    if outlook is not None and not np.allclose(
        outlook.loc[outlook["kind"].eq("quarter"), "amount"], forecast.total().mean()
    ):
        raise SalesAnalyticsError("The outlook is of another forecast: ask outlook(forecast, book=book) for this one.")
    more: dict[str, Any] = {"before": before, "groups": groups, "outlook": outlook, "pacing": pacing}
    return WRITERS[path.suffix](forecast, path, lang=lang, pipeline=pipeline, **more)
