"""Next tasks by hand, and the back-test of rules in worlds whose truth is known."""

import numpy as np
import pandas as pd
import pytest
import worlds

import salesanalytics as sa
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.process import read_process

DONE = [c.id for c in read_process().stage("S2").conditions if c.required][:3]
PATHS = {
    "ahead": [("S3", 10)],  # but the customer and the milestones support S2
    "level": [("S1", 10)],
    "paused": [("S1", 10), ("on_hold", 12)],
}
ROWS = [
    ("ahead", "buyer_stage", "B2", 10), ("ahead", "milestone", "M1", 10), ("ahead", "contact", "PURCH", 11),
    *(("ahead", "condition", c, 12) for c in DONE[:2]), ("ahead", "condition", f"{DONE[2]}:waived", 12),
    ("level", "buyer_stage", "B1", 10), ("level", "condition", "S1.C1", 11), ("level", "condition", "S1.C1:undone", 12),
    ("level", "contact", "USER", 12),
]  # fmt: skip


@pytest.fixture(scope="module")
def tasks():
    facts = {"amount": [10.0, 20.0, 30.0], "rep_id": ["r1", "r2", "r1"], "name": "x"}
    book = worlds.tiny(PATHS, last=20, history=ROWS, deals=facts)
    return sa.next_tasks(book, as_of=worlds.day_of(20))


def test_tasks_by_hand(tasks):
    items = {deal: part["item"].tolist() for deal, part in tasks.groupby("deal_id")}
    stages = read_process()
    left = sorted(
        (c for c in stages.stage("S2").conditions if c.required and c.id not in DONE), key=lambda c: -c.weight
    )
    assert items["ahead"] == ["M2", *(c.id for c in left), "USER"]
    first = sorted((c for c in stages.stage("S1").conditions if c.required), key=lambda c: (-c.weight, c.id))
    assert items["level"] == ["M1", *(c.id for c in first)]  # a user was reached: USER|PURCH is met
    assert "paused" not in items
    assert tasks["deal_id"].drop_duplicates().tolist() == ["level", "ahead"]  # by value at stake
    assert tasks.groupby("deal_id")["behind"].all().to_dict() == {"ahead": True, "level": False}


def test_a_task_says_who_why_and_with_what(tasks):
    row = tasks[tasks["item"] == "S1.C5"].iloc[0]
    assert (row["owner"], row["rep_id"], row["kind"], row["value_at_stake"]) == ("manager", "r2", "condition", 20.0)
    assert row["task_en"] == "Pass the internal opening review: real, winnable, worth it"
    assert row["why_zh"] == "S1 的必备条件，尚未完成。"
    assert row["tools_en"] == "Account card, Project card, Call outline, Opening review form"
    ahead = tasks[tasks["item"] == "M2"].iloc[0]
    assert ahead["why_en"].endswith("We stand in S3; customer and milestones support S2.")
    assert ahead["proof_en"].startswith("The handler confirms")
    assert tasks[tasks["kind"] == "role"]["task_en"].tolist() == ["Reach: User"]


def test_conditions_carry_what_is_known_of_their_worth(tasks):
    assert tasks[["won_ratio", "won_lower", "won_upper", "won_q"]].isna().all(axis=None)
    line = {"ratio": 2.0, "lower": 1.5, "upper": 2.5, "q": 0.01}
    effects = pd.DataFrame(
        [
            line | {"condition": "S1.C5", "measure": "won"},
            line | {"condition": "S1.C5", "measure": "passed", "ratio": 9.0},
        ]
    )
    book = worlds.tiny(PATHS, last=20, history=ROWS, deals={"amount": [10.0, 20.0, 30.0]})
    found = sa.next_tasks(book, as_of=worlds.day_of(20), effects=effects)
    assert found["item"].tolist() == tasks["item"].tolist()  # the order is not changed
    known = found[found["won_ratio"].notna()]
    assert known["item"].tolist() == ["S1.C5"]
    assert known[["won_ratio", "won_lower", "won_upper", "won_q"]].to_numpy().tolist() == [[2.0, 1.5, 2.5, 0.01]]


def test_the_week_of_a_rep_holds_at_most_three_tasks_a_deal(tasks):
    sheet = sa.week_sheet(tasks, rep_id="r2")
    assert sheet["item"].tolist() == tasks.loc[tasks["deal_id"] == "level", "item"].tolist()[:3]
    assert len(sa.week_sheet(tasks, rep_id="r2", most=2)) == 2
    assert len(sa.week_sheet(tasks, rep_id="nobody")) == 0


def test_nothing_is_due_where_the_book_keeps_nothing():
    book = worlds.tiny({"a": [("S2", 3)]}, last=9)
    assert len(sa.next_tasks(book, as_of=worlds.day_of(9))) == 0


# ---------------------------------------------------------------- the back-test

PROCESS = """
stages: [{id: S1}, {id: S2}, {id: S3}]
rules:
- {id: BAD, name: Marks the bad ones, rule: planted, severity: high}
- {id: NIL, name: Marks at random, rule: planted, severity: high}
- {id: FEW, name: Marks one deal, rule: planted, severity: high}
- {id: ALL, name: The whole, rule: planted, severity: high, scope: portfolio}
- {id: MUT, name: Never asked, rule: planted, severity: high, needs: [unheard_of]}
"""


def marked(kind):
    def rule(known, params):
        chosen = known.deals.index[known.deals["deal_id"].str.contains(kind)]
        return pd.DataFrame({"deal": chosen, "since_day": known.day})

    return rule


RULES = {"BAD": marked("bad"), "NIL": marked("[13579]$"), "FEW": marked("00007"), "MUT": marked("x")}
RULES["ALL"] = lambda known, params: pd.DataFrame({"since_day": [known.day]})


def planted(tmp_path, seed, days=420):
    """Bad deals are lost three times as often in S2 (and nowhere else); which ones is written on them."""
    (tmp_path / "process.yaml").write_text(PROCESS, encoding="utf-8")
    worse = {**worlds.CHANCES, "S2": (0.02, 0.004, 0.018)}
    parts = [worlds.simulate(seed + k, days=days, per_day=0.5, prefix=name, chances=chances)
             for k, (name, chances) in enumerate((("good", worlds.CHANCES), ("bad", worse)))]  # fmt: skip
    deals, history = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    settings = {"extracted_on": worlds.day_of(days - 1).date().isoformat()}
    process = read_process(tmp_path / "process.yaml")
    return sa.make_book(deals=deals, history=history, process=process, settings=settings)


def test_a_rule_that_finds_the_bad_deals_earns_its_keep(tmp_path):
    book = planted(tmp_path, seed=1)
    found = sa.backtest_rules(book, as_of=book.settings.extracted_on, every_days=56, horizon_days=90, functions=RULES)
    verdict = found.set_index("rule")["verdict"].to_dict()
    assert verdict == {"BAD": "earns", "NIL": "none", "FEW": "few", "ALL": "elsewhere", "MUT": "silent"}
    row = found.iloc[0]
    assert row["difference"] == pytest.approx(row["p_lost_flagged"] - row["p_lost_matched"])
    assert row["ratio"] == pytest.approx(row["p_lost_flagged"] / row["p_lost_matched"])
    assert row["lower"] < row["difference"] < row["upper"]
    assert row["ratio_lower"] < row["ratio"] < row["ratio_upper"]
    assert 0 < row["days_before_end"] <= 90
    assert found["verdict_zh"].str.len().min() > 3


def test_the_matched_difference_against_a_count_by_hand(tmp_path):
    book = planted(tmp_path, seed=5, days=250)
    as_of = book.settings.extracted_on
    found = sa.backtest_rules(book, as_of=as_of, every_days=500, horizon_days=90, functions=RULES).iloc[0]
    day = pd.Timestamp(as_of) - pd.Timedelta(days=90)  # one date
    rows = sa.snapshots(book, as_of=day)
    stage = book.history[book.history["field"] == "stage"]
    end = stage[stage["value"] == "lost"].set_index("deal_id")["changed_at"]
    lost = rows["deal_id"].map(end).le(pd.Timestamp(as_of)).astype(float)
    table = pd.DataFrame({"s": rows["stage"], "bad": rows["deal_id"].str.contains("bad"), "lost": lost})
    share = table.groupby(["s", "bad"])["lost"].mean().unstack()
    n = table[table["bad"]].groupby("s").size()
    assert found["n_rows"] == len(rows)
    assert found["difference"] == pytest.approx(((share[True] - share[False]) * n).sum() / n.sum())


def at_random(lots):
    def rule(known, params):
        chosen = lots.loc[known.deals["deal_id"]].to_numpy()
        return pd.DataFrame({"deal": known.deals.index[chosen], "since_day": known.day})

    return rule


def test_the_interval_covers_no_difference_as_often_as_it_says(tmp_path):
    """40 rules that mark deals at random, many dates a deal: errors that take rows for deals would be far too short."""
    named = [f"N{k:02d}" for k in range(40)]
    lines = [f"- {{id: {name}, name: Random, rule: at random, severity: low}}" for name in named]
    text = "\n".join(["stages: [{id: S1}, {id: S2}, {id: S3}]", "rules:", *lines])
    (tmp_path / "process.yaml").write_text(text, encoding="utf-8")
    deals, history = worlds.simulate(11, days=360, per_day=1.0)
    settings = {"extracted_on": worlds.day_of(359).date().isoformat()}
    process = read_process(tmp_path / "process.yaml")
    book = sa.make_book(deals=deals, history=history, process=process, settings=settings)
    rng = np.random.default_rng(1)
    rules = {name: at_random(pd.Series(rng.random(len(deals)) < 0.4, index=deals["deal_id"])) for name in named}
    found = sa.backtest_rules(book, as_of=worlds.day_of(359), every_days=14, horizon_days=90, functions=rules)
    inside = (found["lower"] <= 0) & (found["upper"] >= 0)
    assert 31 <= inside.sum() <= 40  # binomial(40, .9): 31 or more in 99 % of all cases
    by_rows = np.sqrt(found["p_lost_matched"] * (1 - found["p_lost_matched"]) / (found["n_rows"] * 0.24))
    assert ((found["upper"] - found["lower"]) / (2 * 1.645) > 1.5 * by_rows).mean() > 0.9


def test_what_cannot_be_asked_is_refused():
    book = worlds.tiny({"a": [("S2", 3)]}, last=9)
    with pytest.raises(InsufficientDataError, match="shorter horizon_days"):
        sa.backtest_rules(book, as_of=worlds.day_of(9))
    with pytest.raises(SchemaError, match="every_days"):
        sa.backtest_rules(book, as_of=worlds.day_of(9), every_days=0)
