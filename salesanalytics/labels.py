"""The words a person reads, in English and Chinese: one catalogue for tables, plots, reports and the terminal."""

from __future__ import annotations

from typing import Any

from salesanalytics.errors import SalesAnalyticsError

LANGUAGES = ("en", "zh")

_TEXTS: dict[str, tuple[str, str]] = {
    # components and measures
    "signed": ("Signed already", "已签约"),
    "open": ("Open deals", "在跟进项目"),
    "reopened": ("Reopened", "重新启动"),
    "unrecorded": ("Not recorded yet", "尚未登记"),
    "new": ("Not created yet", "尚未立项"),
    "total": ("Total", "合计"),
    "component": ("Component", "组成"),
    "count": ("Deals", "项目数"),
    "amount": ("Amount", "金额"),
    "mean": ("Mean", "均值"),
    "median": ("Median", "中位数"),
    "band_50": ("50 % band", "50 % 区间"),
    "band_80": ("80 % band", "80 % 区间"),
    "target": ("Target", "目标"),
    "p_target": ("Chance to reach the target", "达成目标的概率"),
    "share_of_draws": ("Share of draws", "模拟占比"),
    # methods
    "method": ("Method", "方法"),
    "forecast": ("This forecast", "本预测"),
    "nominal_weighted": ("Nominal rates x pipeline", "名义赢率加权"),
    "stage_week_conversion": ("Stage conversion, last four quarters", "近四季阶段转化"),
    "same_quarter_last_year": ("Same quarter last year", "去年同季"),
    "mean_of_last_four": ("Mean of the last four", "近四季均值"),
    # deals
    "deal_id": ("Deal", "项目编号"),
    "name": ("Name", "名称"),
    "rep_id": ("Owner", "负责人"),
    "stage": ("Stage", "阶段"),
    "state": ("State", "状态"),
    "days_in_state": ("Days there", "停留天数"),
    "p_in_period": ("P(sign in period)", "期内签约概率"),
    "p_won_until": ("P(sign by date)", "截止日前签约概率"),
    "p_lower": ("Low", "下限"),
    "p_upper": ("High", "上限"),
    "p_won": ("P(sign in 2 years)", "两年内签约概率"),
    "sign_q50": ("Likely date", "预计签约日"),
    "expected_amount": ("Expected amount", "期望金额"),
    "older_than_any_win": ("Older than any win", "超过所有成交的时长"),
    # stage rates
    "nominal": ("Nominal", "名义赢率"),
    "n_entered": ("Entered", "进入数"),
    "n_won": ("Won", "赢单"),
    "n_other_end": ("Other ends", "其他结束"),
    "n_open": ("Open", "在跟进"),
    "closed_only_rate": ("Won / closed", "赢单/已结束"),
    "observed": ("Observed", "实际"),
    "shrunk": ("Shrunk", "收缩后"),
    "p_won_entry": ("From first entry", "自首次进入"),
    "p_won_in_stock": ("Standing there", "停留在该阶段"),
    "p_open": ("Still open", "仍未结束"),
    "interval": ("interval", "区间"),
    # titles
    "title_forecast": ("Forecast of {quarter} as of {as_of}", "{quarter} 预测(截至 {as_of})"),
    "title_parts": ("What it consists of", "预测的组成"),
    "title_distribution": ("How sure are we?", "有多大把握?"),
    "title_contributions": ("Deals that carry the forecast", "支撑预测的项目"),
    "title_baselines": ("What simple methods say", "简单方法的结果"),
    "title_deals": ("Open deals", "在跟进项目"),
    "title_notes": ("What to know before using it", "使用前须知"),
    "title_rates": ("Stage win rates as of {as_of}, within {days} days", "阶段赢率(截至 {as_of},{days} 天内)"),
    "title_score": ("Open deals as of {as_of}, signed by {until}", "在跟进项目(截至 {as_of},{until} 前签约)"),
    "title_check": ("Book {process}: rows read, kept, set aside", "数据检查 {process}:读取、保留、剔除"),
    "more_deals": ("{n} more open deals are in deals.csv.", "其余 {n} 个项目见 deals.csv。"),
    "draws_line": ("{n} draws, seed {seed}; {method}", "模拟 {n} 次,种子 {seed};{method}"),
    "method_stage_table": (
        "stage table by days in stage, {half_life}, {size}, common shock {shock}",
        "按阶段停留天数的生命表,{half_life},{size},共同冲击 {shock}",
    ),
    "size_used": ("deal size counts", "计入金额大小"),
    "size_unused": ("deal size does not count", "不计金额大小"),
    "half_life": ("recent years count more (half-life {days} days)", "近期数据权重更高(半衰期 {days} 天)"),
    "no_half_life": ("all years count the same", "各年权重相同"),
    # notes
    "note_bands": (
        "The bands hold what the past of this book supports; they have not been proved by a backtest here.",
        "区间依据本数据的历史得出,尚未在此经过回测验证。",
    ),
    "note_no_recorded_at": (
        "The history does not say when it was typed in: late recording is invisible and no allowance is made for it.",
        "历史数据没有登记时间:无法看到滞后登记,也未为此留出余量。",
    ),
    "note_amount_current": (
        "Amounts are those at extraction; dates before it see today's amounts.",
        "金额为导出时的数值,较早日期看到的也是当前金额。",
    ),
    "note_dead_stock": (
        "{n} open deals are older than any that was ever signed from their stage; they count with a chance near zero.",
        "{n} 个在跟进项目的停留时间超过以往所有成交,按接近零的概率计入。",
    ),
    "note_amount_drawn": (
        "{n} open deals have no amount; it is drawn from the amounts of past wins.",
        "{n} 个在跟进项目没有金额,从以往成交金额中抽取。",
    ),
    "note_signed_without_amount": ("{n} signed deals have no amount and count as 0.", "{n} 个已签约项目没有金额,按 0 计。"),
    "note_few_origins": (
        "Only {n} past forecasts could be checked: the common shock rests mostly on its prior.",
        "只有 {n} 次过去的预测可供检验:共同冲击主要依据先验。",
    ),
    # check
    "table": ("Table", "表"),
    "read": ("Read", "读取"),
    "kept": ("Kept", "保留"),
    "set_aside": ("Set aside", "剔除"),
    "rule": ("Rule", "规则"),
    "n": ("Rows", "行数"),
    "examples": ("Examples", "示例"),
    "note": ("Note", "说明"),
    "title_faults": ("Set aside, and kept but worth knowing", "剔除及需留意的记录"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "written": ("Written: {paths}", "已写入:{paths}"),
}  # fmt: skip


def label(key: str, lang: str = "en", **values: Any) -> str:
    """The text of a key in a language, with its placeholders filled in.

    Raises
    ------
    SalesAnalyticsError
        The key or the language is unknown.

    Examples
    --------
    >>> label("title_forecast", "zh", quarter="2026Q4", as_of="2026-09-30")
    '2026Q4 预测(截至 2026-09-30)'
    """
    if lang not in LANGUAGES:
        raise SalesAnalyticsError(f"lang must be one of {', '.join(LANGUAGES)}, got {lang!r}.")
    if key not in _TEXTS:
        raise SalesAnalyticsError(f"No label {key!r} in the catalogue.")
    return _TEXTS[key][LANGUAGES.index(lang)].format(**values)


def keys() -> tuple[str, ...]:
    """All keys of the catalogue."""
    return tuple(_TEXTS)


def number(value: float, digits: int = 0) -> str:
    """A number as a person reads it: thousands separated, an en dash where there is none.

    Examples
    --------
    >>> number(12345.6), number(float("nan"))
    ('12,346', '–')
    """
    return "–" if value is None or value != value else f"{value:,.{digits}f}"


def percent(value: float, digits: int = 0) -> str:
    """A probability in percent.

    Examples
    --------
    >>> percent(0.123), percent(float("nan"))
    ('12 %', '–')
    """
    return "–" if value is None or value != value else f"{100 * value:.{digits}f} %"
