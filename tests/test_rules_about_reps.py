"""Rules about reps: whose probabilities are too high or too low, in a company whose scale itself may be off."""

from __future__ import annotations

import pandas as pd
import pytest

import salesanalytics as sa
from salesanalytics.control.known import know
from salesanalytics.control.registry import RULES

END = pd.Timestamp("2026-09-30")
PLANTED = 0.6  # logits from the mean of the reps: one standard deviation of the simulator


def company(said, won):
    """Reps with 20 ended deals each: what each said of all of them in S5, and how many were won."""
    deals, rows = [], []
    for rep, p in said.items():
        for k in range(20):
            deal, born = f"{rep}{k:02d}", END - pd.Timedelta(days=300)
            deals.append((deal, born, rep, 100.0))
            rows += [(deal, born, "stage", "S5"), (deal, born, "probability", str(p))]
            rows.append((deal, END - pd.Timedelta(days=30), "stage", "won" if k < won[rep] else "lost"))
    table = pd.DataFrame(deals, columns=["deal_id", "created_at", "rep_id", "amount"])
    history = pd.DataFrame(rows, columns=["deal_id", "changed_at", "field", "value"])
    return sa.make_book(deals=table, history=history, settings={"extracted_on": END.date().isoformat()})


def reps_of(book, rule):
    known = know(book, as_of=book.settings.extracted_on)
    params = next(dict(entry.params) for entry in book.process.rules if entry.id == rule)
    return set(RULES[rule](known, params)["rep_id"])


FIVE = dict.fromkeys("ABCDE", 0.7)


def test_a_scale_that_all_read_too_high_is_no_reps_fault():
    book = company(FIVE, dict.fromkeys("ABCDE", 6))
    assert reps_of(book, "F08") == set()
    assert reps_of(company(dict.fromkeys("ABCD", 0.7), dict.fromkeys("ABCD", 6)), "F08") == set("ABCD")


@pytest.mark.parametrize(("p", "hopeful", "careful"), [(0.9, {"A"}, set()), (0.3, set(), {"A"}), (0.8, set(), set())])
def test_who_stands_apart_from_the_others_is_found(p, hopeful, careful):
    book = company(FIVE | {"A": p}, dict.fromkeys("ABCDE", 6))
    assert (reps_of(book, "F08"), reps_of(book, "F09")) == (hopeful, careful)


def test_who_wins_as_he_says_is_neither():
    won = dict.fromkeys("ABCDE", 6)
    assert reps_of(company(FIVE | {"A": 0.95}, won | {"A": 18}), "F08") == set()
    assert reps_of(company(FIVE | {"A": 0.45}, won | {"A": 0}), "F09") == set()


def test_planted_optimists_and_sandbaggers_are_found():
    """Ten books of 1,200 deals: precision .95 and recall .82 of F08, .83 and .79 of F09; here two of them."""
    found = {"F08": [0, 0, 0], "F09": [0, 0, 0]}
    for seed in (2, 4):
        book = sa.simulate_book(n_deals=1200, seed=seed)
        optimism = book.truth.reps.set_index("rep_id")["optimism"]
        optimism = optimism - optimism.mean()
        for rule, so in (("F08", optimism > PLANTED), ("F09", optimism < -PLANTED)):
            flagged, planted = reps_of(book, rule), set(optimism.index[so])
            counts = (len(flagged & planted), len(flagged), len(planted))
            found[rule] = [a + b for a, b in zip(found[rule], counts, strict=True)]
    for hits, flagged, planted in found.values():
        assert hits >= 0.7 * planted
        assert hits >= 0.7 * flagged
