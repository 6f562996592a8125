"""Customer sheet and key-person risk, by hand."""

import pandas as pd
import pytest
import worlds

import salesanalytics as sa
from salesanalytics.control import customer_sheet, key_person_risk
from salesanalytics.errors import SchemaError

PATHS = {
    "a1": [("S1", 0), ("won", 10)],
    "a2": [("S1", 20), ("won", 30)],
    "a3": [("S1", 40)],
    "b1": [("S1", 0), ("lost", 10)],
    "b2": [("S1", 20)],
    "c1": [("S1", 20)],
    "z": [("S1", 20)],
}
FACTS = {
    "account_id": ["A", "A", "A", "B", "B", "C", None],
    "rep_id": ["r1", "r2", "r1", "r1", "r1", "r2", "r2"],
    "amount": [10.0, 20.0, 40.0, 5.0, 80.0, 7.0, 9.0],
    "product": "p", "name": "n",
}  # fmt: skip
ROWS = [
    ("a1", "contact", "DM", 3), ("a2", "contact", "DM", 25), ("a2", "contact", "USER", 26),
    ("a3", "contact", "DM", 45, 60),
    ("b1", "contact", "USER", 5), ("b2", "contact", "USER", 25), ("b2", "contact", "DM", 28),
    ("b2", "contact", "DM:left", 30), ("z", "contact", "DM:left", 30),
    ("a1", "stance", "DM:-1", 3), ("a2", "stance", "DM:2", 25), ("a2", "activity", "visit", 27),
    ("c1", "rep_id", "r1", 35), ("c1", "contact", "DM", 30),
]  # fmt: skip


@pytest.fixture(scope="module")
def book():
    accounts = pd.DataFrame({"account_id": ["A", "B"], "name": ["Alpha", "Beta"], "industry": ["steel", None]})
    reps = pd.DataFrame({"rep_id": ["r1", "r2"], "team": ["t", "t"]})
    bare = worlds.tiny(PATHS, last=60, history=ROWS, deals=FACTS)
    tables = {"deals": bare.deals, "history": bare.history.drop(columns="row"), "accounts": accounts, "reps": reps}
    return sa.make_book(**tables, settings={"extracted_on": bare.settings.extracted_on.isoformat()})


def test_customers_by_hand(book):
    found = customer_sheet(book, as_of=worlds.day_of(50))
    table = found.customers.set_index("account_id")
    assert table.index.tolist() == ["A", "B", "C"]  # z has no customer
    row = table.loc["A"]
    assert row[["name", "industry", "n_deals", "n_won", "n_lost", "n_open"]].tolist() == ["Alpha", "steel", 3, 2, 0, 1]
    assert row[["amount_won", "amount_open", "n_roles"]].tolist() == [30.0, 40.0, 2]
    dates = row[["first_signed_on", "last_signed_on", "last_activity_on", "last_contact_on"]]
    assert [(d - worlds.START).days for d in dates] == [10, 30, 27, 26]
    assert table.loc["B", ["n_won", "n_lost", "n_open"]].tolist() == [0, 1, 1]
    assert pd.isna(table.loc["B", "first_signed_on"])
    assert found.deals.groupby("account_id").size().to_dict() == {"A": 3, "B": 2, "C": 1}
    assert found.left_out is None


def test_a_deal_no_longer_seen_is_neither_won_nor_lost_nor_open_and_is_said():
    paths = {"seen": [("S1", 0)], "gone": [("S1", 0), ("S2", 5)], "lone": [("S1", 0)]}
    seen = [worlds.day_of(day) for day in (60, 20, 20)]
    facts = {"account_id": ["A", "A", "B"], "amount": [1.0, 2.0, 4.0], "last_seen_on": seen}
    book = worlds.tiny(paths, last=60, deals=facts)
    found = customer_sheet(book, as_of=worlds.day_of(50))
    counts = ["n_deals", "n_won", "n_lost", "n_open", "n_vanished", "amount_open"]
    assert found.customers.set_index("account_id")[counts].to_numpy().tolist() == [
        [2, 0, 0, 1, 1, 1],
        [1, 0, 0, 0, 1, 0],
    ]
    assert found.deals.set_index("deal_id")["state"].to_dict() == {"seen": "S1", "gone": "vanished", "lone": "vanished"}
    assert customer_sheet(book, as_of=worlds.day_of(20)).customers["n_vanished"].sum() == 0


def test_people_reached_by_whom_and_how_they_stand(book):
    contacts = customer_sheet(book, as_of=worlds.day_of(50), account_id="A").contacts.set_index("role")
    assert contacts.index.tolist() == ["USER", "DM"]  # the one seen last comes first
    dm = contacts.loc["DM"]
    assert dm[["n", "n_deals", "reached_by", "stance"]].tolist() == [2, 2, "r1, r2", 2.0]  # that of day 45 is not known
    assert [(d - worlds.START).days for d in dm[["first_on", "last_on", "stance_on"]]] == [3, 25, 25]
    assert contacts.loc["USER", "reached_by"] == "r2"
    assert pd.isna(contacts.loc["USER", "stance"])
    assert customer_sheet(book, as_of=worlds.day_of(60), account_id="A").contacts.set_index("role").loc["DM", "n"] == 3


def test_what_a_rep_leaves_behind(book):
    found = key_person_risk(book, as_of=worlds.day_of(50))
    deals = found.deals.set_index("deal_id")
    assert deals["n_roles"].to_dict() == {"a3": 0, "b2": 2, "c1": 1, "z": 0}
    assert deals["known_to_others"].to_dict() == {"a3": True, "b2": False, "c1": True, "z": False}  # r2 saw A's and C's
    reps = found.reps.set_index("rep_id")
    r1 = reps.loc["r1"]
    assert r1[["n_open", "amount", "n_single_line", "amount_single_line"]].tolist() == [3, 127.0, 1, 7.0]
    assert r1[["n_undocumented", "amount_undocumented"]].tolist() == [1, 40.0]
    assert r1[["n_customers", "n_customers_alone", "n_alone", "amount_alone"]].tolist() == [3, 1, 1, 80.0]
    assert r1["share_of_team"] == r1["share_of_all"] == pytest.approx(127 / 136)
    expected = deals["expected_amount"]
    assert r1["expected_amount"] == pytest.approx(expected[["a3", "b2", "c1"]].sum())
    assert r1["expected_alone"] == pytest.approx(expected["b2"])
    assert reps.loc["r2", ["n_open", "n_undocumented", "n_customers_alone", "n_alone"]].tolist() == [1, 1, 0, 1]


def test_a_customer_that_is_not_there_is_refused(book):
    with pytest.raises(SchemaError, match="account_id must be"):
        customer_sheet(book, as_of=worlds.day_of(50), account_id="nobody")


def test_books_that_keep_less_say_so():
    bare = worlds.tiny({"a": [("S1", 0)]}, last=9)
    sheet, risk = customer_sheet(bare, as_of=worlds.day_of(9)), key_person_risk(bare, as_of=worlds.day_of(9))
    assert [len(part) for part in (sheet.customers, sheet.contacts, sheet.deals, risk.reps)] == [0, 0, 0, 0]
    assert (sheet.left_out, risk.left_out) == ("no_accounts", "no_owners")
    assert sheet.why("zh").endswith("（account_id）。")
    held = worlds.tiny({"a": [("S1", 0)]}, last=9, deals={"rep_id": ["r"], "account_id": ["A"], "amount": [3.0]})
    sheet, risk = customer_sheet(held, as_of=worlds.day_of(9)), key_person_risk(held, as_of=worlds.day_of(9))
    assert (sheet.left_out, risk.left_out) == ("no_contacts", "no_contacts")
    assert risk.reps[["n_open", "amount"]].to_numpy().tolist() == [[1, 3.0]]
    assert risk.reps[["n_single_line", "amount_alone", "n_customers_alone"]].isna().all(axis=None)
    assert risk.deals[["n_roles", "documented"]].isna().all(axis=None)


def test_sums_reconcile_in_a_simulated_company():
    book = sa.simulate_book(n_deals=400, seed=6)
    as_of = book.settings.extracted_on
    sheet, risk = customer_sheet(book, as_of=as_of), key_person_risk(book, as_of=as_of)
    clocks = sa.deal_clocks(book, as_of=as_of)
    assert sheet.customers["n_open"].sum() == risk.reps["n_open"].sum() == len(risk.deals) == len(clocks)
    assert risk.reps["amount"].sum() == pytest.approx(clocks["amount"].sum())
    assert sheet.contacts["n"].sum() == book.history["field"].eq("contact").sum()
    assert sheet.customers["n_deals"].sum() == len(sheet.deals)
    assert (risk.reps["amount_alone"] <= risk.reps["amount"] + 1e-9).all()
    assert risk.deals.loc[~risk.deals["documented"], "single_line"].sum() == 0


def test_whom_a_colleague_met_on_a_deal_no_longer_seen_he_still_knows():
    paths = {"open": [("S1", 0)], "gone": [("S1", 0)]}
    facts = {"account_id": ["A", "A"], "rep_id": ["r1", "r2"], "amount": [4.0, 1.0]}
    facts["last_seen_on"] = [pd.NaT, worlds.day_of(20)]
    rows = [("open", "contact", "DM", 3), ("gone", "contact", "USER", 5)]
    book = worlds.tiny(paths, last=60, deals=facts, history=rows)
    before, after = (key_person_risk(book, as_of=worlds.day_of(day)) for day in (10, 50))
    for found in (before, after):
        assert found.deals.set_index("deal_id").loc["open", "known_to_others"]
        row = found.reps.set_index("rep_id").loc["r1"]
        assert row[["n_alone", "amount_alone", "n_customers_alone"]].tolist() == [0, 0.0, 0]
