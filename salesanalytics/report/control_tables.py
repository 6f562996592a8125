"""Tables of the page of deal control: texts for a person, in either language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from salesanalytics.control import NOT_RECORDED, SimilarDeals
from salesanalytics.control.review import DealReview
from salesanalytics.labels import amount_label, band, has_label, label, number, percent, short
from salesanalytics.process import Process
from salesanalytics.report.columns import id_and_name, numbers, state_namer, with_names

STEPS_SHOWN = 6
REASONS_SHOWN = 4
JUDGED = ("earns", "stalls", "none", "opposite")


def amount_text(amount: float, scale: float) -> str:
    """An amount in larger units."""
    return "–" if amount != amount else short(round(amount / scale, 1))


def _amounts(values: pd.Series, scale: float) -> pd.Series:
    return numbers(values / scale)


def _day(values: pd.Series) -> pd.Series:
    return values.dt.strftime("%Y-%m-%d").fillna("–")


def _text(values: pd.Series) -> pd.Series:
    return values.where(values.notna(), "–").astype(str)


def deal_or_rep(hits: pd.DataFrame, deal_names: Mapping[str, str], rep_names: Mapping[str, str]) -> pd.Series:
    """What each alert is about: a deal, else a rep."""
    deals = with_names(hits["deal_id"], deal_names)
    return deals.where(hits["deal_id"].notna(), with_names(hits["rep_id"], rep_names))


def ahead_rows(review: DealReview, scale: float, unit: str, lang: str) -> pd.DataFrame:
    """Open deals in which we stand further than customer and milestones support, the largest first."""
    deals = review.clocks[review.clocks["seller_rank"] > review.clocks["supported_rank"]]
    deals = deals.sort_values("amount", ascending=False, kind="stable")
    named = state_namer(review.process, lang)
    stages = {rank: named(stage) for rank, stage in enumerate(review.process.stage_ids, start=1)}
    buyers = {
        stage.order: id_and_name(stage.id, review.process.label(stage.id, lang), between=" · ")
        for stage in review.process.buyer_stages
    }
    return pd.DataFrame(
        {
            label("deal", lang): with_names(deals["deal_id"], review.deal_names),
            label("rep_id", lang): with_names(deals["rep_id"], review.rep_names),
            label("stage", lang): deals["stage"].map(named),
            label("kind_buyer_stage", lang): _text(deals["buyer_rank"].map(buyers)),
            label("page_supported", lang): deals["supported_rank"].map(stages),
            label("page_milestones", lang): deals["milestones_in_row"].map(number),
            label("days_in_state", lang): deals["days_in_stage"].map(number),
            amount_label("amount", unit, lang): _amounts(deals["amount"], scale),
        }
    )


def alert_rows(review: DealReview, scale: float, unit: str, lang: str) -> pd.DataFrame:
    """What the rules found, the gravest first."""
    hits = review.anomalies.hits
    names = review.anomalies.rules.set_index("rule")[f"name_{lang}"]
    return pd.DataFrame(
        {
            label("severity", lang): [label(f"severity_{s}", lang) for s in hits["severity"]],
            label("deal_or_rep", lang): deal_or_rep(hits, review.deal_names, review.rep_names),
            label("rep_id", lang): with_names(hits["rep_id"], review.rep_names),
            label("rule", lang): hits["rule"] + " " + hits["rule"].map(names),
            label("evidence", lang): hits[f"evidence_{lang}"],
            label("page_days", lang): hits["days"].map(number),
            amount_label("value_at_stake", unit, lang): _amounts(hits["value_at_stake"], scale),
        }
    )


def silent_lines(rules: pd.DataFrame, lang: str) -> list[str]:
    """Rules that cannot speak and why, a line each; one line for all that have no open deal to speak of."""
    silent = rules[rules["silent"].astype(bool)]
    idle = silent[f"reason_{lang}"].eq(label("silent_no_deals", lang))
    names = silent.loc[~idle, ["rule", f"name_{lang}", f"reason_{lang}"]].itertuples(index=False)
    lines = [label("part_of", lang, text=f"{rule} {name}", part=reason) for rule, name, reason in names]
    return [label("rules_without_deals", lang, n=int(idle.sum())), *lines] if idle.any() else lines


def rule_rows(record: pd.DataFrame | None, lang: str) -> pd.DataFrame:
    """Rules that could be judged on the past: lost among flagged and equal unflagged deals, and the verdict."""
    if record is None:
        return pd.DataFrame()
    known = record[record["verdict"].isin(JUDGED)].sort_values("difference", ascending=False, kind="stable")
    limits = zip(known["ratio_lower"], known["ratio_upper"], strict=True)
    return pd.DataFrame(
        {
            label("rule", lang): known["rule"] + " " + known[f"name_{lang}"],
            label("page_verdict", lang): known[f"verdict_{lang}"],
            label("page_flagged", lang): known["n_deals_flagged"].map(number),
            label("page_lost_flagged", lang): known["p_lost_flagged"].map(percent),
            label("page_lost_others", lang): known["p_lost_matched"].map(percent),
            label("page_ratio", lang): [f"{ratio:.2f}" for ratio in known["ratio"]],
            label("interval", lang, level=percent(0.9)): [band(low, high, 2) for low, high in limits],
            label("page_early", lang): known["days_before_end"].map(number),
        }
    )


def task_rows(review: DealReview, scale: float, unit: str, lang: str) -> pd.DataFrame:
    """What is due, the most valuable deals first; what each condition went with, where it was measured."""
    tasks = review.tasks
    columns: dict[str, Any] = {
        label("deal", lang): with_names(tasks["deal_id"], review.deal_names),
        label("rep_id", lang): with_names(tasks["rep_id"], review.rep_names),
        label("task", lang): tasks["item"].astype(str) + " " + tasks[f"task_{lang}"].astype(str),
        label("why", lang): tasks[f"why_{lang}"],
        label("done_by", lang): [label(f"duty_{o}", lang) if has_label(f"duty_{o}") else o for o in tasks["owner"]],
    }
    if tasks["won_ratio"].notna().any():
        numbers = zip(tasks["won_ratio"], tasks["won_lower"], tasks["won_upper"], strict=True)
        columns[label("won_ratio", lang)] = [
            f"{ratio:.2f} ({band(low, high, 2)})" if ratio == ratio else "–" for ratio, low, high in numbers
        ]
    columns[amount_label("value_at_stake", unit, lang)] = _amounts(tasks["value_at_stake"], scale)
    return pd.DataFrame(columns)


def similar_parts(one: SimilarDeals, review: DealReview, scale: float, unit: str, lang: str) -> dict[str, Any]:
    """The similar deals of one open deal, and in a line what was done next on most of them."""
    own = review.clocks.set_index("deal_id").loc[one.deal_id]
    deal, stage = id_and_name(one.deal_id, review.deal_names.get(one.deal_id)), state_namer(review.process, lang)
    told = {"deal": deal, "stage": stage(own["stage"]), "days": number(own["days_in_stage"])}
    deals = one.deals
    rows = pd.DataFrame(
        {
            label("deal_id", lang): deals["deal_id"],
            label("name", lang): _text(deals["name"]),
            label("page_seen_days", lang): deals["days_in_state"].map(number),
            amount_label("amount", unit, lang): _amounts(deals["amount"], scale),
            label("page_to_next", lang): deals["days_to_next"].map(number),
            label("page_to_signing", lang): deals["days_to_signing"].map(number),
            label("page_distance", lang): [f"{x:.2f}" for x in deals["distance"]],
        }
    )
    steps = one.done_next[one.done_next["n_deals"] > 1].head(STEPS_SHOWN)
    said = [_step(step, len(deals), review.process, lang) for step in steps.to_dict("records")]
    line = label("page_done_next", lang, steps=label("page_semicolon", lang).join(said)) if said else ""
    title = label("page_similar_to", lang, amount=f"{amount_text(own['amount'], scale)} {unit}".strip(), **told)
    return {"title": title, "why": one.why(lang), "deals": rows, "steps": line}


def _step(step: dict[str, Any], n: int, process: Process, lang: str) -> str:
    """One thing done next: what, in how many deals, after how many days, and whether it is done here."""
    name = _name(process, step["kind"], step["item"], lang)
    said = label("page_step", lang, name=name, k=step["n_deals"], n=n, days=number(step["days_after_q50"]))
    return said + label("page_step_done" if step["done_here"] else "page_step_open", lang)


def _name(process: Process, kind: str, item: str, lang: str) -> str:
    if kind == "activity":
        return label(f"activity_{item}", lang) if has_label(f"activity_{item}") else item
    known = {*process.buyer_stage_ids, *process.milestone_ids, *process.condition_ids, *(r.id for r in process.roles)}
    name = process.label(item, lang) if item in known else item
    return f"{label(f'kind_{kind}', lang)} {name}" if kind in ("contact", "buyer_stage") else f"{item} {name}"


def loss_rows(review: DealReview, scale: float, unit: str, lang: str) -> pd.DataFrame:
    """By stage left: deals, undecided ones, those without a recorded reason, and the reasons most often named."""
    groups, reasons = review.losses.groups, review.losses.reasons
    names = {r.id: getattr(r.name, lang) for r in (*review.process.end_state_reasons, *review.process.end_states)}
    reasons = reasons[reasons["reason"].ne(NOT_RECORDED)]
    said = []
    for stage in groups["stage"]:
        own = reasons[reasons["stage"].eq(stage)].head(REASONS_SHOWN).to_dict("records")
        said.append(label("list_comma", lang).join(f"{names.get(r['reason'], r['reason'])} {r['n']}" for r in own))
    return pd.DataFrame(
        {
            label("stage", lang): _text(groups["stage"].map(state_namer(review.process, lang), na_action="ignore")),
            label("page_reasons", lang): said,
            label("count", lang): groups["n"].map(number),
            amount_label("amount", unit, lang): _amounts(groups["amount"], scale),
            label("page_no_decision", lang): groups["share_no_decision"].map(percent),
            label("page_not_recorded", lang): groups["share_not_recorded"].map(percent),
        }
    )


def people_rows(review: DealReview, scale: float, unit: str, lang: str) -> pd.DataFrame:
    """What each rep holds, on how few people it rests, and what nobody else could go on with."""
    reps = review.key_people.reps
    return pd.DataFrame(
        {
            label("rep_id", lang): reps["rep_id"],
            label("name", lang): _text(reps["name"]),
            label("title_deals", lang): reps["n_open"].map(number),
            amount_label("amount", unit, lang): _amounts(reps["amount"], scale),
            label("page_of_team", lang): reps["share_of_team"].map(percent),
            label("page_single_line", lang): reps["n_single_line"].map(number),
            label("page_undocumented", lang): reps["n_undocumented"].map(number),
            label("page_alone", lang): reps["n_alone"].map(number),
            amount_label("page_amount_alone", unit, lang): _amounts(reps["amount_alone"], scale),
            amount_label("page_expected_alone", unit, lang): _amounts(reps["expected_alone"], scale),
        }
    )


def customer_rows(review: DealReview, scale: float, unit: str, lang: str) -> pd.DataFrame:
    """The customers with the most signed."""
    table = review.customers.customers
    gone = {label("cause_vanished", lang): table["n_vanished"].map(number)} if table["n_vanished"].any() else {}
    return pd.DataFrame(
        {
            label("account_id", lang): table["account_id"],
            label("name", lang): _text(table["name"]),
            label("page_won", lang): table["n_won"].map(number),
            label("page_lost", lang): table["n_lost"].map(number),
            label("open", lang): table["n_open"].map(number),
            **gone,
            amount_label("page_amount_won", unit, lang): _amounts(table["amount_won"], scale),
            amount_label("page_amount_open", unit, lang): _amounts(table["amount_open"], scale),
            label("page_last_signed", lang): _day(table["last_signed_on"]),
            label("page_roles", lang): table["n_roles"].map(number),
            label("page_last_contact", lang): _day(table["last_contact_on"]),
        }
    )
