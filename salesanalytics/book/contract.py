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
    "history": ("recorded_at", "old_value", "actor", "who", "evidence"),
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

#: History fields of the contract; any other is kept, to group by.
FIELDS = (
    "stage", "buyer_stage", "milestone", "condition", "activity", "contact", "stance", "amount", "close_date",
    "probability", "category", "rep_id", "next_step", "budget", "quote", "competitor", "tender_issued", "bid_due",
    "award", "reason",
)  # fmt: skip
#: Forecast categories of the contract, and the words that mean them.
CATEGORIES = {
    "commit": ("committed", "承诺", "确定"),
    "best_case": ("best case", "upside", "最好情况", "最佳情况", "乐观"),
    "pipeline": ("管道", "跟进"),
    "omitted": ("omit", "忽略"),
    "closed": ("已结束", "已关闭"),
}
#: Names that no attribute can have: columns of the tables that are made of a book.
OWN_COLUMNS = frozenset({
    "as_of", "as_of_day", "deal", "deal_id", "position", "count", "amount", "log_amount", "log_amount_change",
    "n_amount_changes", "stage", "state", "segment", "code", "end", "end_day", "created_day", "since_day",
    "landmark_day", "origin_day", "duration_days", "watched_days", "quarter_end_day", "paused", "n_visits",
    "n_regressions", "n_skips", "n_holds", "hold_days", "n_reopened", "entry_rank", "max_rank", "stage_rank",
    "days_in_state", "age_days", "amount_first", "amount_last", "amount_n_changes", "amount_n_up", "amount_n_down",
    "close_date", "close_date_first", "close_date_last", "close_date_n_changes", "close_date_n_up",
    "close_date_n_down", "next_step_first", "next_step_last", "next_step_n_changes", "next_step_n_up",
    "next_step_n_down", "days_to_close_date", "n_close_pushes", "n_close_pulls", "close_push_days", "pace",
    "beyond_won_q90", "days_to_quarter_end", "buyer_stage", "buyer_rank", "milestones_in_row", "supported_rank",
    "buyer_lag", "n_milestones", "conditions_share", "competitor", "category", "probability", "last_activity_day",
    "last_inbound_day", "quote_day", "tender_day", "days_since_activity", "days_since_inbound",
    "next_step_overdue_days", "n_roles", "dm_day", "stance_min", "stance_mean", "competitor_known",
    "quote_before_decision_maker", "p_won_until", "p_lost_until", "p_open_until", "p_end_lost", "p_end_no_decision",
    "p_end_withdrawn", "p_end_other", "p_lower", "p_upper", "p_stage_table", "p_won", "p_nominal", "p_rep",
    "sign_q10", "sign_q50", "sign_q90", "expected_amount", "n_pool", "older_than_any_win", "method", "p_in_period",
    "p_model", "p_table_in_period", "p_late_booking", "usual_amount",
})  # fmt: skip

#: History fields whose value is a number, and those whose value is a date.
NUMBER_FIELDS = ("amount", "probability", "budget", "quote")
DATE_FIELDS = ("close_date", "next_step", "tender_issued", "bid_due")
#: Fields in which a negative number cannot be meant.
NONNEGATIVE_FIELDS = ("amount", "budget", "quote", "probability")
#: How a stance is written: a role, and a number from -2 to 2.
STANCE = r"^[^:]+: *[+-]?([01](\.\d+)?|2(\.0+)?)$"
#: Fields counted in money.
MONEY_FIELDS = ("amount", "budget", "quote")
