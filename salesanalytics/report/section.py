"""What one part of the pack is made of, whatever its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes


@dataclass(frozen=True)
class Section:
    """One part: ``title``, sentences, tables with the number of their columns of text, a picture and its height.

    ``below``: sentences under the tables.
    """

    title: str
    lead: tuple[str, ...] = ()
    tables: tuple[tuple[pd.DataFrame, int], ...] = ()
    draw: Callable[[Axes], Axes] | None = None
    height: float = 3.4
    below: tuple[str, ...] = ()
