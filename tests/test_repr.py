"""What a notebook shows where a result stands alone in its last line: what it is, in one line."""

from __future__ import annotations

import salesanalytics as sa


def test_results_say_in_a_line_what_they_are(tmp_path):
    book = sa.simulate_book(n_deals=150, seed=3)
    before, after = (sa.forecast_quarter(book, quarter="2026Q2", as_of=day) for day in ("2026-03-31", "2026-04-30"))
    ledger = sa.Ledger(tmp_path)
    record = ledger.load(ledger.record(after, book=book))
    told = {
        "QuarterForecast of 2026Q2 as of 2026-03-31": before,
        "Change: mean ": sa.explain_change(before, after),
        "TrackRecord: 2 quarters, 2026Q1 to 2026Q2; ": sa.backtest(book, as_of="2026-09-30", quarters=2, weeks=(0,)),
        "RepReview as of 2026-04-30: 14 reps": sa.review_reps(book, as_of="2026-04-30"),
        "LedgerRecord ": record,
        "Process project_sales_8 1.0: 8 stages": book.process,
        "Anomalies: ": sa.find_anomalies(book, as_of="2026-04-30"),
        "DealReview as of 2026-04-30: ": sa.review_deals(book, as_of="2026-04-30"),
    }
    for head, result in told.items():
        assert repr(result).startswith(f"<{head}"), head
        assert "\n" not in repr(result), head
        assert len(repr(result)) < 200, head
    low, high = (x / 1e6 for x in before.bands()["80"])
    assert f"million CNY (80 % band {low:.1f} to {high:.1f})" in repr(before)
