"""Which function stands behind each rule of the process file, and what a rule may need."""

from __future__ import annotations

from collections.abc import Callable

from salesanalytics.control import (
    rules_bids,
    rules_clocks,
    rules_forecast,
    rules_pace,
    rules_path,
    rules_people,
    rules_portfolio,
    rules_reps,
)
from salesanalytics.control.hits import RuleFunction
from salesanalytics.control.known import OUTBOUND, WITH_CUSTOMER, Known

RULES: dict[str, RuleFunction] = {
    "A01": rules_clocks.seller_ahead,
    "A02": rules_clocks.seller_behind,
    "A03": rules_clocks.buyer_stage_stale,
    "A04": rules_clocks.three_way_mismatch,
    "A05": rules_clocks.milestone_missing,
    "A06": rules_clocks.milestone_without_proof,
    "A07": rules_clocks.earlier_conditions_open,
    "A08": rules_clocks.work_off_stage,
    "A09": rules_clocks.bulk_ticking,
    "T01": rules_pace.stalled,
    "T02": rules_pace.moving_slowly,
    "T03": rules_pace.overage,
    "T04": rules_pace.too_fast,
    "T05": rules_pace.no_activity,
    "T06": rules_pace.no_next_step,
    "T07": rules_pace.buyer_silent,
    "H01": rules_path.stage_regression,
    "H02": rules_path.skipped_stage,
    "H03": rules_path.born_late,
    "H04": rules_path.back_dated,
    "H05": rules_path.late_logging,
    "H06": rules_reps.quarter_end_burst,
    "F01": rules_forecast.close_date_pushed,
    "F02": rules_forecast.close_date_past,
    "F03": rules_forecast.close_date_infeasible,
    "F04": rules_reps.dates_clumped,
    "F05": rules_forecast.amount_changed_late,
    "F06": rules_forecast.amount_outlier,
    "F07": rules_forecast.happy_ears,
    "F08": rules_reps.optimist,
    "F09": rules_reps.sandbagger,
    "F10": rules_forecast.commit_without_evidence,
    "N01": rules_people.budget_gap,
    "N02": rules_people.no_compelling_event,
    "C01": rules_people.single_threaded,
    "C02": rules_people.due_role_missing,
    "C03": rules_people.quoted_too_early,
    "C04": rules_people.no_coach,
    "C05": rules_people.key_person_against,
    "C06": rules_people.proposal_before_needs,
    "C07": rules_people.key_contact_changed,
    "B01": rules_bids.late_entry,
    "B02": rules_bids.makeweight,
    "B03": rules_bids.price_cuts,
    "B04": rules_bids.unsigned_after_award,
    "B05": rules_bids.short_bid_window,
    "R01": rules_portfolio.concentration,
    "R02": rules_reps.stage_hoarding,
    "R03": rules_reps.odd_conversion,
    "R04": rules_portfolio.funnel_gap,
    "R05": rules_portfolio.dead_stock,
    "R06": rules_path.duplicate_project,
    "R07": rules_reps.one_person,
    "D01": rules_path.inconsistent,
}

#: Rules that judge reps by ended deals or by edits, or deals that have ended: they speak where no deal is open, too.
WITHOUT_OPEN_DEALS = frozenset({"H04", "H06", "F08", "F09", "R03", "D01"})


def _field(name: str) -> Callable[[Known], bool]:
    return lambda known: name in known.fields.index


def _has_evidence(known: Known) -> bool:
    return bool(known.fields["n_evidence"].sum())


def _has_direction(known: Known) -> bool:
    return bool(known.rows("activity")["value"].isin([*WITH_CUSTOMER, *OUTBOUND]).any())


def _has_amount(known: Known) -> bool:
    return bool(known.deals["amount"].notna().any())


def _has_account(known: Known) -> bool:
    return bool(known.deals["account_id"].notna().any())


def _has_targets(known: Known) -> bool:
    return bool(len(known.book.targets))


def _has_tender_dates(known: Known) -> bool:
    return {"tender_issued", "bid_due"} <= set(known.fields.index)


#: What a rule may need -> whether it was known at the date.
NEEDS: dict[str, Callable[[Known], bool]] = {
    "stage_history": _field("stage"),
    "field_history": lambda known: len(known.fields) > 0,
    "buyer_stage_history": _field("buyer_stage"),
    "milestones": _field("milestone"),
    "evidence": _has_evidence,
    "conditions": _field("condition"),
    "activities": _field("activity"),
    "activities.direction": _has_direction,
    "tasks": _field("next_step"),
    "recorded_at": lambda known: known.book.told_when_recorded(known.day),
    "close_date": _field("close_date"),
    "close_date_history": _field("close_date"),
    "amount_history": _field("amount"),
    "amount": _has_amount,
    "rep_probability": _field("probability"),
    "outcomes": lambda known: len(known.ended) > 0,
    "forecast_category": _field("category"),
    "budget": _field("budget"),
    "contacts": _field("contact"),
    "contacts.stance": _field("stance"),
    "quotes": _field("quote"),
    "award_at": _field("award"),
    "tender_dates": _has_tender_dates,
    "targets": _has_targets,
    "account": _has_account,
}

#: What a rule may need -> the field, column or table of the contract that keeps it, where its name differs.
SAID = {
    "stage_history": "stage",
    "field_history": "history",
    "buyer_stage_history": "buyer_stage",
    "milestones": "milestone",
    "conditions": "condition",
    "activities": "activity",
    "activities.direction": f"activity ({', '.join((*WITH_CUSTOMER, *OUTBOUND))})",
    "tasks": "next_step",
    "close_date_history": "close_date",
    "amount_history": "amount",
    "rep_probability": "probability",
    "outcomes": "stage (won, lost)",
    "forecast_category": "category",
    "contacts": "contact",
    "contacts.stance": "stance",
    "quotes": "quote",
    "award_at": "award",
    "tender_dates": "tender_issued, bid_due",
    "account": "account_id",
}
