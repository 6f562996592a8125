"""The data contract: which tables and columns a book has, and what each history field means."""

from __future__ import annotations

REQUIRED_COLUMNS = {
    "deals": ("deal_id",),
    "history": ("deal_id", "changed_at", "field", "value"),
    "reps": ("rep_id",),
    "accounts": ("account_id",),
    "targets": ("quarter", "amount"),
}
OPTIONAL_COLUMNS = {
    "deals": (
        "created_at", "name", "account_id", "rep_id", "amount", "currency", "product", "region", "source",
        "route", "deal_class", "last_seen_on",
    ),
    "history": ("recorded_at", "actor", "who", "evidence"),
    "reps": ("name", "team", "region", "manager_id", "hired_at"),
    "accounts": ("name", "industry", "region"),
    "targets": ("rep_id", "team", "measure"),
}  # fmt: skip
TABLES = tuple(REQUIRED_COLUMNS)
DATE_COLUMNS = {
    "deals": ("created_at", "last_seen_on"),
    "history": ("changed_at", "recorded_at"),
    "reps": ("hired_at",),
    "accounts": (),
    "targets": (),
}
NUMBER_COLUMNS = {"deals": ("amount",), "history": (), "reps": (), "accounts": (), "targets": ("amount",)}

#: History fields whose value is a number, and those whose value is a date.
NUMBER_FIELDS = ("amount", "probability", "budget", "quote")
DATE_FIELDS = ("close_date", "next_step", "tender_issued", "bid_due")
#: Fields in which a negative number cannot be meant.
NONNEGATIVE_FIELDS = ("amount", "budget", "quote", "probability")
#: Fields counted in money.
MONEY_FIELDS = ("amount", "budget", "quote")
