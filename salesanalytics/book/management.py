"""Who reports to whom: lines of management, from the top down."""

from __future__ import annotations

import pandas as pd


def lines_of_management(reps: pd.DataFrame) -> tuple[dict[str, list[str]], list[str]]:
    """Managers above each rep, the highest first, and the ids that come up in their own line.

    Whoever has reps of her own stands at the end of her own line: her deals are hers to answer for. Who is named as her
    own manager has none above. A line ends where a name comes up again.

    Parameters
    ----------
    reps : DataFrame
        ``rep_id``, ``manager_id``; managers may be reps or not.
    """
    if not {"rep_id", "manager_id"} <= set(reps):
        return {}, []
    above = reps.drop_duplicates("rep_id").set_index("rep_id")["manager_id"].dropna()
    above = above[above != above.index].to_dict()
    managers, lines, circle = set(above.values()), {}, []
    for rep in reps["rep_id"].dropna().unique():
        line, one = [], rep if rep in managers else above.get(rep)
        while one is not None and one not in line:
            line.append(one)
            one = above.get(one)
        lines[rep] = line[::-1]
        circle += [rep] * (one == rep)
    return lines, circle
