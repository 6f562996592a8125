"""Pacing against past quarters, by hand and as known then; the coverage ratio; the picture."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from worlds import tiny

import salesanalytics as sa
from salesanalytics.errors import AsOfError
from salesanalytics.forecast.pacing import coverage_ratio, pacing
from salesanalytics.plots.pacing import pacing as draw_pacing


def by_hand():
    """Days from 2010-01-01: quarter 1 ends on day 89, quarter 2 on day 180."""
    paths = {
        "a": [("S1", 0), ("won", 5)],
        "late": [("S1", 1), ("won", 6, 100)],  # recorded in the grace of quarter 1
        "b": [("S1", 2), ("won", 88)],
        "c": [("S1", 2), ("won", 95)],
        "too late": [("S1", 3), ("won", 80, 150)],
    }
    return tiny(paths, last=170, deals={"amount": [10.0, 20.0, 30.0, 40.0, 50.0]})


def test_weeks_by_hand():
    found = pacing(by_hand(), quarter="2010Q2", as_of="2010-04-14", quarters=4)  # day 103
    assert found["quarter"].unique().tolist() == ["2010Q2", "2010Q1"]  # no deal before
    now, past = (part.set_index("week") for _, part in found.groupby("quarter", sort=False))
    assert now["day"].dt.date.astype(str).tolist() == ["2010-04-07", "2010-04-14"]
    assert now["count"].tolist() == [1, 1]
    assert now["final_amount"].isna().all()
    assert past["amount"].tolist() == [10.0] * 12 + [40.0]
    assert past["day"].iloc[-1] == pd.Timestamp("2010-03-31")
    assert past["final_amount"].eq(60).all()  # with the one recorded on day 100, as known on day 103
    assert past.loc[13, "share_of_final"] == pytest.approx(40 / 60)
    later = pacing(by_hand(), quarter="2010Q2", as_of="2010-06-15", quarters=1)
    assert later.loc[later["quarter"].eq("2010Q1"), "final_amount"].eq(60).all()  # day 150 is after the grace


def test_periods_before_the_book_knew_of_any_deal_are_left_out():
    # a CRM brought in on day 100, with what was signed before: how far the first quarter had come by its weeks is gone
    paths = {"a": [("S1", 0, 100), ("won", 50, 100)], "b": [("S1", 0, 100), ("won", 120)], "c": [("S1", 185)]}
    found = pacing(tiny(paths, last=200), quarter="2010Q3", as_of="2010-07-10", quarters=4)
    assert found["quarter"].unique().tolist() == ["2010Q3"]


def test_a_date_outside_the_period_is_refused():
    with pytest.raises(AsOfError, match="must lie in 2010Q1"):
        pacing(by_hand(), quarter="2010Q1", as_of="2010-04-14")
    with pytest.raises(AsOfError, match="at least 0"):
        pacing(by_hand(), quarter="2010Q2", as_of="2010-04-14", quarters=-1)


@pytest.fixture(scope="module")
def company():
    return sa.simulate_book(n_deals=400, seed=3)


def test_the_last_week_is_what_actual_says(company):
    found = pacing(company, quarter="2026Q3", as_of="2026-09-10", quarters=6)
    assert found.groupby("quarter")["week"].max().drop("2026Q3").eq(13).all()
    assert (found.groupby("quarter")["day"].diff().dropna() > pd.Timedelta(0)).all()
    for name, part in found[~found["is_current"]].groupby("quarter"):
        end = part["day"].iloc[-1]
        then = sa.actual(company, quarter=name, known_at=end)
        assert part["count"].iloc[-1] == then["count"]
        assert part["amount"].iloc[-1] == pytest.approx(then["amount"])
        final = sa.actual(company, quarter=name, known_at=min(end + pd.Timedelta(days=30), pd.Timestamp("2026-09-10")))
        assert part["final_amount"].iloc[0] == pytest.approx(final["amount"])


def test_coverage_by_hand():
    deals = pd.DataFrame({"amount": [100.0, 60.0, np.nan], "expected_amount": [50.0, 6.0, 4.0]})
    deals["usual_amount"] = [70.0, 30.0, 40.0]
    drawn = {"amount": {"open": np.array([50.0, 70.0])}, "signed": pd.DataFrame({"amount": [20.0]})}
    told = SimpleNamespace(deals=deals, target=100.0, **drawn)
    assert coverage_ratio(told) == {
        "signed": 20.0, "to_go": 80.0, "open_amount": 200.0, "expected_open": 60.0,
        "coverage": 2.5, "expected_coverage": 0.75,
    }  # fmt: skip
    for target in (None, 10.0):
        bare = coverage_ratio(SimpleNamespace(deals=deals, target=target, **drawn))
        assert np.isnan(bare["coverage"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_shows_every_period(company, lang):
    table = pacing(company, quarter="2026Q3", as_of="2026-09-10", quarters=6)
    for measure in ("amount", "count"):
        ax = draw_pacing(table, measure=measure, target=9e7, unit="CNY", lang=lang)
        ax.figure.canvas.draw()
        assert len(ax.lines) == table["quarter"].nunique() + 1 + (measure == "amount")
        assert (
            ax.lines[-1 if measure == "count" else -2].get_xydata()[-1, 0] == table["week"][table["is_current"]].max()
        )
        plt.close(ax.figure)
    alone = draw_pacing(table[table["is_current"]], lang=lang)
    assert len(alone.lines) == 1
    plt.close(alone.figure)
