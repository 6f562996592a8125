"""Result frames as tables of texts for a person: labelled, rounded, in either language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast import QuarterForecast
from salesanalytics.forecast.groupings import LEVEL
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import (
    amount_label,
    band,
    chance,
    decimals,
    has_label,
    label,
    number,
    percent,
    rounded,
    short,
    signed,
)
from salesanalytics.labels.units import unit_for, unit_for_deals
from salesanalytics.models import AucInterval
from salesanalytics.models.ladder import Rung
from salesanalytics.plots.units import deals_in
from salesanalytics.process import Process
from salesanalytics.report.faults import said

WHY_UNTESTED = ("note_no_backtest", "note_backtest_of_quarters")
GROUPINGS = {key: key for key in ("rep_id", "team", "manager_id", "stage", "state", "competitor", "category")}
GROUPINGS |= {key: f"effect_{key}" for key in ("product", "region", "source", "route", "deal_class")}
GROUPINGS |= {"month": "kind_month"}
FORMULA = re.compile(r"^[\t\r\n]|^\s*[=+\-@＝＋－＠]")


def summary_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """The total in amount and count: mean, median, both bands."""
    rows = []
    for measure, name in _measures(forecast, lang).items():
        total = forecast.total(measure)
        middle = {"mean": total.mean(), "median": pd.Series(total).median()}
        row = {label("total", lang): name}
        if measure == "amount" and not forecast.amounts_known:
            rows.append(row)
            continue
        row |= {label(key, lang): short(value) for key, value in middle.items()}
        bands = forecast.bands(measure)
        rows.append(row | {label(f"band_{level}", lang): band(low, high) for level, (low, high) in bands.items()})
    return pd.DataFrame(rows).fillna("–")


def _measures(forecast: QuarterForecast, lang: str) -> dict[str, str]:
    return {"amount": amount_label("amount", forecast.unit, lang), "count": label("count", lang)}


def p_target_text(forecast: QuarterForecast) -> str:
    """Chance to reach the target; only what is signed already makes it certain, and no amount says nothing."""
    if not forecast.amounts_known:
        return chance(None, 1)
    certain = reaches(forecast.amount["signed"].min(), forecast.target or 0.0)
    return chance(forecast.p_target, len(forecast.total()), certain=bool(certain))


def known_amounts(frame: pd.DataFrame, forecast: QuarterForecast) -> pd.DataFrame:
    """A frame about a forecast; without its amounts, and chances to reach one, where no amount is known."""
    if forecast.amounts_known:
        return frame
    told = ("amount", "expected_amount", "p_target")
    return frame.assign(**{str(c): np.nan for c in frame if str(c).startswith(told)})


def component_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """Components and the total: mean and 80 % band of amount and count."""
    table = known_amounts(forecast.components(), forecast)
    columns: dict[str, Any] = {label("component", lang): [label(c, lang) for c in table["component"]]}
    for measure, name in _measures(forecast, lang).items():
        columns[name] = numbers(table[measure])
        limits = table[[f"{measure}_lower", f"{measure}_upper"]]
        digits = 0 if measure == "count" else decimals(limits.max(axis=None))
        head = label("part_of", lang, text=label(measure, lang), part=label("band_80", lang))
        columns[head] = [band(low, high, digits) for low, high in limits.itertuples(index=False)]
    return pd.DataFrame(columns)


def group_rows(parts: pd.DataFrame, forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """A `rollup`: mean and 80 % band of amount and count of each group; target and the chance of it where stated."""
    scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    by, parts = str(parts.columns[0]), known_amounts(parts, forecast)
    columns: dict[str, Any] = {group_head(by, lang): group_names(parts[by], forecast.process, forecast.rep_names, lang)}
    for measure, part in (("amount", scale), ("count", 1.0)):
        head = amount_label("amount", unit, lang) if measure == "amount" else label("count", lang)
        columns[head] = numbers(parts[measure] / part)
        limits = parts[[f"{measure}_lower", f"{measure}_upper"]] / part
        digits = 0 if measure == "count" else decimals(limits.max(axis=None))
        band_head = label("part_of", lang, text=label(measure, lang), part=label("band_80", lang))
        columns[band_head] = [band(low, high, digits) for low, high in limits.itertuples(index=False)]
    if "target" in parts:
        columns[amount_label("target", unit, lang)] = numbers(parts["target"] / scale)
        signed_now = forecast.signed.groupby(by)["amount"].sum().reindex(parts[by]).fillna(0.0)
        sure, n = reaches(signed_now, parts["target"].to_numpy()), len(forecast.total())
        columns[label("p_target", lang)] = [
            chance(p, n, certain=reached) for p, reached in zip(parts["p_target"], sure, strict=True)
        ]
    return pd.DataFrame(columns)


def group_notes(parts: pd.DataFrame, lang: str) -> tuple[str, ...]:
    """What the chances of the targets of groups leave out: a sentence, or none."""
    return (label("groups_without_to_come", lang),) if "target" in parts else ()


def group_head(by: str, lang: str) -> str:
    """What deals are grouped by, in words; an attribute that is not one of the contract's keeps its own name."""
    level = re.fullmatch(rf"{LEVEL}(\d+)", by)
    if level:
        return label("manager_level", lang, n=level[1])
    return label(GROUPINGS[by], lang) if by in GROUPINGS else by


def group_names(groups: pd.Series, process: Process, rep_names: Mapping[str, str], lang: str) -> list[str]:
    """Groups for a person: reps, stages, routes and classes with their names; of no group; signed; to come."""
    known = {"missing": label("missing_group", lang), "to come": label("not_by_deal", lang)}
    if groups.name in ("rep_id", "manager_id") or str(groups.name).startswith(LEVEL):
        known |= rep_texts(rep_names)
    elif groups.name in ("stage", "state"):
        states = (*process.stage_ids, *process.pause_state_ids, *process.end_state_ids)
        known |= {state: state_namer(process, lang)(state) for state in states}
        known["signed"] = label("signed_so_far", lang)
    elif groups.name in ("route", "deal_class"):
        named = (*process.procurement_routes, *process.transition_policy.fast_track_classes)
        known |= {item.id: process.label(item.id, lang) for item in named}
    return [known.get(str(name), str(name)) for name in groups]


def id_and_name(identity: str, name: str | None, *, between: str = " ") -> str:
    """What has an id and a name, as a person knows it; once where both are one word, or there is no name."""
    return identity if not isinstance(name, str) or name == identity else f"{identity}{between}{name}"


def rep_texts(names: Mapping[str, str]) -> dict[str, str]:
    """Reps as a person knows them, by id: the id and the name."""
    return {rep: id_and_name(rep, name) for rep, name in names.items()}


def with_names(ids: pd.Series, names: Mapping[str, str], *, nobody: str = "–") -> pd.Series:
    """A column of ids (of reps, of deals) for a person, with their names; nobody where there is none."""
    return ids.where(ids.notna(), nobody).astype(str).map(lambda one: id_and_name(one, names.get(one)))


def numbers(values: pd.Series) -> pd.Series:
    """A column with as many decimals as its largest number asks for, none where all are whole; only nothing reads 0.

    Examples
    --------
    >>> numbers(pd.Series([17.0, 8.26, 0.01, 0.0, float("nan")])).tolist()
    ['17.0', '8.3', '<0.1', '0', '–']
    """
    values = values.astype(float)
    digits = places(values)
    return values.map(lambda value: rounded(value, digits))


def differences(values: pd.Series) -> list[str]:
    """As `numbers`, each with its sign; what rounds to nothing reads 0.

    Examples
    --------
    >>> differences(pd.Series([0.79, -0.12, -0.001, 0.0])), differences(pd.Series([-1.02, 0.2]))
    (['+0.79', '−0.12', '0', '0'], ['−1.0', '+0.2'])
    """
    digits = places(values)
    return [signed(value, digits) for value in values]


def places(values: pd.Series) -> int:
    """Decimals of a column: as many as its largest number asks for, none where all are whole."""
    return 0 if (values.dropna() % 1 == 0).all() else decimals(values.abs().max())


def intervals(lower: pd.Series, upper: pd.Series, digits: int = 0) -> list[str]:
    """Intervals of chances; only what is certain reads 0 or 100.

    Examples
    --------
    >>> intervals(pd.Series([0.004, 0.0, float("nan")]), pd.Series([0.999, 0.456, float("nan")]))
    ['<1 – >99 %', '0 – 46 %', '–']
    """
    limits = zip(lower, upper, strict=True)
    return [
        f"{percent(low, digits).removesuffix(' %')} – {percent(high, digits)}" if low == low else "–"
        for low, high in limits
    ]


def baseline_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """This forecast above the simple methods, and what each rests on."""
    mine = {"method": "forecast", "count": forecast.total("count").mean(), "amount": forecast.total().mean()}
    table = pd.concat([pd.DataFrame([mine | {"basis": ""}]), forecast.baselines], ignore_index=True)
    table = known_amounts(table, forecast)
    columns: dict[str, Any] = {label("method", lang): [label(m, lang) for m in table["method"]]}
    columns[label("basis", lang)] = [said(basis, lang) for basis in table["basis"]]
    return pd.DataFrame(columns | {name: numbers(table[m]) for m, name in _measures(forecast, lang).items()})


def deal_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """Open deals, largest expected amount first."""
    factor, unit = unit_for_deals(float(forecast.total().mean()), forecast.unit, lang)
    deals = deals_in(known_amounts(forecast.deals, forecast), factor)
    who = {"rep_id": with_names(deals["rep_id"], forecast.rep_names, nobody="")}
    columns = _deal_columns(deals, forecast.process, lang, p="p_in_period", who=who)
    columns["days_in_state"] = deals["days_in_state"].map(number)
    columns["p_won"] = deals["p_won"].map(percent)
    columns["sign_q50"] = deals["sign_q50"].dt.strftime("%Y-%m-%d").fillna("–")
    if deals["older_than_any_win"].any():
        columns["older_than_any_win"] = deals["older_than_any_win"].map({True: label("yes", lang), False: ""})
    return _labelled(columns, unit, lang)


def score_rows(deals: pd.DataFrame, book: DealBook, lang: str) -> pd.DataFrame:
    """Scored deals (`score_open_deals`) for the terminal."""
    factor, unit = unit_for_deals(deals["expected_amount"].sum(), book.settings.unit, lang)
    deals = deals_in(deals, factor)
    columns = _deal_columns(deals, book.process, lang, p="p_won_until", who={})
    columns["interval"] = intervals(deals["p_lower"], deals["p_upper"], 1)
    columns["days_in_state"] = deals["days_in_state"].map(number)
    columns["p_won"] = deals["p_won"].map(percent)
    first, last = (deals[key].dt.strftime("%Y-%m-%d") for key in ("sign_q10", "sign_q90"))
    columns["signs_between"] = (first + " – " + last).fillna("–")
    if deals["p_rep"].notna().any():
        columns["p_rep"] = deals["p_rep"].map(percent)
    columns["p_stage_table"] = deals["p_stage_table"].map(lambda value: percent(value, 1))
    return _labelled(columns, unit, lang)


def _deal_columns(
    deals: pd.DataFrame, process: Process, lang: str, *, p: str, who: dict[str, pd.Series]
) -> dict[str, Any]:
    return {
        "deal_id": deals["deal_id"],
        "name": deals["name"].fillna(""),
        **who,
        "state": deals["state"].map(state_namer(process, lang)),
        p: deals[p].map(lambda value: percent(value, 1)),
        "amount": numbers(deals["amount"]),
        "expected_amount": numbers(deals["expected_amount"]),
    }


def _labelled(columns: dict[str, Any], unit: str, lang: str) -> pd.DataFrame:
    heads = {key: amount_label(key, unit, lang) for key in ("amount", "expected_amount")}
    heads["interval"] = label("interval", lang, level=percent(0.8))
    return pd.DataFrame({heads.get(key) or label(key, lang): values for key, values in columns.items()})


def state_namer(process: Process, lang: str) -> Callable[[str], str]:
    """Makes of a stage its id and its name, of a pause or an end its name."""
    stages = set(process.stage_ids)
    names = {state: process.label(state, lang) for state in stages}
    return lambda state: (
        id_and_name(state, names[state], between=" · ") if state in stages else process.label(state, lang)
    )


def note_texts(forecast: QuarterForecast, lang: str) -> list[str]:
    """What the reader has to know, in words."""
    tested = forecast.record is not None or any(key in WHY_UNTESTED for key, _ in forecast.notes)
    notes = [*forecast.notes, *([] if tested else [("note_bands", {})])]
    return [label(key, lang, **values) for key, values in notes]


def ceiling_text(forecast: QuarterForecast, lang: str) -> str:
    """How wrong even perfect chances would be; nothing where nothing is expected."""
    told = forecast.amounts_known and forecast.ceiling == forecast.ceiling
    return label("accuracy_ceiling", lang, share=percent(forecast.ceiling)) if told else ""


def method_text(forecast: QuarterForecast, lang: str) -> str:
    """Draws, seed, and which model stands behind the numbers."""
    days = forecast.half_life_days
    half_life = label("half_life", lang, days=number(days)) if days < float("inf") else label("no_half_life", lang)
    shock, rung = f"{forecast.shock_spread:.2f}", label(f"rung_{forecast.rung.name}", lang)
    method = label("method_line", lang, rung=rung, half_life=half_life, shock=shock)
    line = label("draws_line", lang, n=number(len(forecast.total())), seed=forecast.seed, method=method)
    return label("two_sentences", lang, first=line, second=rung_text(forecast.rung, lang))


def rung_text(rung: Rung, lang: str) -> str:
    """Why the model in use is the one in use: by count, and by the test on past dates."""
    losses = label("list_comma", lang).join(
        f"{label(f'rung_{name}', lang)} {loss:.3f}" for name, loss in rung.log_loss.items()
    )
    by_test = label(f"rung_{rung.by_test}", lang)
    tested = label("rung_tested", lang, n=number(rung.n_judged), by_test=by_test, losses=losses)
    test = tested if len(rung.log_loss) > 1 else label("rung_untested", lang)
    by_count = label(f"rung_{rung.by_count}", lang)
    return label("rung_reasons", lang, n=number(rung.n_closed), by_count=by_count, test=test)


def signal_text(found: AucInterval, lang: str) -> str:
    """Whether the past could tell won deals from lost ones."""
    told = {name: f"{getattr(found, name):.2f}" for name in ("auc", "lower", "upper")}
    key = "signal" if found.signal else "no_signal"
    return label(key, lang, n=number(found.n_clusters), level=percent(found.confidence), **told)


def reason_lines(reasons: pd.DataFrame, lang: str, *, top: int = 4) -> list[str]:
    """One line a deal (`close_reasons`): its chance, that of the average deal in its state, the strongest reasons."""
    lines = []
    for deal, part in reasons.groupby("deal_id", sort=False):
        strongest = part.head(top)
        moves = [
            f"{reason_name(r, lang)} {signed(100 * e, 1)}"
            for r, e in zip(strongest["reason"], strongest["effect"], strict=True)
        ]
        p, average = (percent(part[c].iloc[0], 1) for c in ("p_won_until", "p_average"))
        parts = label("list_comma", lang).join(moves)
        lines.append(label("reasons_line", lang, deal=deal, p=p, average=average, parts=parts))
    return lines


def reason_name(reason: str, lang: str) -> str:
    """Words for a reason; an attribute that is not one of the contract's keeps its own name."""
    key = reason if reason.startswith("reason_") else f"reason_{reason}"
    return label(key, lang) if has_label(key) else reason


def rate_rows(rates: pd.DataFrame, book: DealBook, lang: str, by: str | None = None) -> pd.DataFrame:
    """Stage rates: nominal, standing there with interval, shrunk, closed-only, from entry, and the counts."""
    columns: dict[str, Any] = {label("stage", lang): rates["stage"].map(state_namer(book.process, lang))}
    if by:
        columns[group_head(by, lang)] = group_names(rates[by], book.process, book.rep_names, lang)
    level = label("interval", lang, level=percent(rates["confidence"].max()))
    columns[label("nominal", lang)] = rates["nominal"].map(percent)
    columns[label("p_won_in_stock", lang)] = rates["p_won_in_stock"].map(percent)
    columns[level] = intervals(rates["lower_in_stock"], rates["upper_in_stock"])
    shares = {"shrunk": "shrunk_in_stock", "closed_only_rate": "closed_only_rate", "p_won_entry": "p_won"}
    columns |= {label(key, lang): rates[name].map(percent) for key, name in shares.items()}
    columns |= {label(key, lang): rates[key].map(number) for key in ("n_entered", "n_won", "n_other_end", "n_open")}
    columns[label("p_open", lang)] = rates["p_open_in_stock"].map(percent)
    return pd.DataFrame(columns)


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as csv for spreadsheets and machines.

    UTF-8 with a byte order mark, so that spreadsheets read Chinese; dates ISO; numbers to six decimals. A text that a
    spreadsheet would run as a formula (it begins with = + - @, or with their full-width forms) gets an apostrophe.
    """
    numbers = frame.select_dtypes("number").columns
    safe = frame.assign(**{str(c): frame[c].round(6) for c in numbers})
    for column in safe.select_dtypes(exclude=["number", "bool", "datetime"]):
        safe[column] = safe[column].map(lambda v: f"'{v}" if isinstance(v, str) and FORMULA.search(v) else v)
    path.parent.mkdir(parents=True, exist_ok=True)
    safe.to_csv(path, index=False, encoding="utf-8-sig", date_format="%Y-%m-%d")
    return path
