"""The words a person reads, in English and Chinese: one catalogue for tables, plots, reports and the terminal."""

from __future__ import annotations

from typing import Any

from salesanalytics.errors import SalesAnalyticsError

LANGUAGES = ("en", "zh")

_TEXTS: dict[str, tuple[str, str]] = {
    "with_unit": ("{text} ({unit})", "{text}（{unit}）"),
    "in_large_units": ("million {unit}", "万{unit}"),
    "part_of": ("{text}: {part}", "{text}：{part}"),
    "list_comma": (", ", "、"),
    # components and measures
    "signed": ("Signed already", "已签约"), "open": ("Open deals", "在跟进项目"),
    "reopened": ("Reopened", "重新启动"), "unrecorded": ("Not recorded yet", "尚未登记"),
    "new": ("Not created yet", "尚未立项"), "total": ("Total", "合计"), "component": ("Component", "组成"),
    "count": ("Deals", "项目数"), "amount": ("Amount", "金额"),
    "mean": ("Mean", "均值"), "median": ("Median", "中位数"),
    "band_50": ("50 % band", "50 % 区间"), "band_80": ("80 % band", "80 % 区间"),
    "target": ("Target", "目标"), "p_target": ("Chance to reach the target", "达成目标的概率"),
    "share_of_draws": ("Share of draws", "模拟占比"),
    # methods
    "method": ("Method", "方法"), "basis": ("Rests on", "依据"),
    "forecast": ("This forecast", "本预测"),
    "nominal_weighted": ("Nominal rates × open deals", "名义赢率加权"),
    "stage_week_conversion": ("Conversion by stage", "阶段转化率"),
    "same_quarter_last_year": ("Same period last year", "去年同期"),
    "mean_of_last_four": ("Mean of the last four periods", "近四期均值"),
    # deals
    "deal_id": ("Deal", "项目编号"), "name": ("Name", "名称"), "rep_id": ("Owner", "负责人"),
    "state": ("State", "状态"), "stage": ("Stage", "阶段"),
    "days_in_state": ("Days in state", "停留天数"),
    "p_in_period": ("Chance in period", "期内签约概率"),
    "p_won_until": ("Chance by date", "截止日前签约概率"),
    "p_won": ("Chance in 2 years", "两年内签约概率"),
    "sign_q10": ("10 % by, if signed", "若签约：10 % 日期"), "sign_q90": ("90 % by, if signed", "若签约：90 % 日期"),
    "sign_q50": ("Median date if signed", "若签约的中位日期"),
    "expected_amount": ("Expected amount", "期望金额"),
    "older_than_any_win": ("Older than any win", "久于以往成交"), "no_amount": ("no amount", "无金额"),
    # stage rates
    "on_hold": ("On hold", "暂停"),
    "funnel_axis": ("Deals; beside each bar: passed / decided", "项目数；条旁：通过 / 已有结果"),
    "nominal": ("Nominal", "名义赢率"),
    "n_passed": ("Passed", "通过"), "title_funnel": ("The funnel", "销售漏斗"),
    "title_curves": ("Signed, by days since entering the stage", "进入阶段后的签约比例"),
    "days_since_entry": ("Days since entering the stage", "进入阶段后的天数"), "p_signed": ("Share signed", "签约比例"),
    "lower_of": ("{text}, from", "{text}，下限"), "upper_of": ("{text}, to", "{text}，上限"),
    "sheet_summary": ("Summary", "汇总"), "sheet_notes": ("Notes", "说明"),
    "n_entered": ("Entered", "进入数"), "n_won": ("Won", "赢单"), "n_other_end": ("Other ends", "其他结束"),
    "n_open": ("Open", "在跟进"),
    "closed_only_rate": ("Won / closed", "赢单/已结束"), "p_won_entry": ("From first entry", "自首次进入"),
    "p_won_in_stock": ("Standing there", "停留于该阶段"),
    "shrunk": ("Shrunk", "收缩后"), "p_open": ("Still open", "仍未结束"),
    "interval": ("{level} interval", "{level} 区间"),
    "chance_within": ("Chance to sign within {days} days", "{days} 天内签约概率"),
    "n_deals": ("{n} deals", "{n} 个"),
    # time to signing
    "effect_buyer_lag": ("Stages ahead of the customer", "超前于客户的阶段数"),
    "effect_conditions_here": ("Conditions of this stage done", "本阶段条件完成度"),
    "effect_conditions_behind": ("Conditions of earlier stages done", "前期阶段条件完成度"),
    "effect_days_in_state": ("Days in the stage", "本阶段停留天数"), "effect_amount": ("Amount", "金额"),
    "effect_milestones_in_row": ("Milestones in a row", "连续达成的里程碑数"),
    "effect_rep_load": ("Open deals of the owner", "负责人的在跟进项目数"),
    "effect_days_since_inbound": ("Days since the customer got in touch", "距客户上次主动联系的天数"),
    "effect_competitor_known": ("A rival is known", "已知有竞争对手"),
    "effect_n_roles": ("Roles reached", "已接触的角色数"), "effect_stance_mean": ("Mean stance", "平均支持度"),
    "effect_quote_before_decision_maker": ("Quoted before meeting the decision maker", "见决策人之前已报价"),
    "effect_account_known": ("The customer had an earlier deal", "客户此前有过项目"),
    "effect_product": ("Product", "产品"), "effect_region": ("Region", "区域"), "effect_source": ("Source", "来源"),
    "effect_route": ("Procurement route", "采购方式"), "effect_deal_class": ("Class", "类别"),
    "effect_step": ("{effect} {level}", "{effect} {level}"), "effect_yes": ("{effect}", "{effect}"),
    "effect_level": ("{effect}: {level} against {reference}", "{effect}：{level}（对比 {reference}）"),
    "level_other": ("other", "其他"), "level_unknown": ("unknown", "未知"),
    "hazard_ratio": ("Hazard ratio of signing; right of 1: signed sooner", "签约风险比；大于 1 表示签约更快"),
    "time_ratio": ("Time ratio to signing; right of 1: signed later", "签约时间比；大于 1 表示签约更慢"),
    "title_signing_time": ("What goes along with the time to signing", "与签约快慢相关的因素"),
    "not_a_cause": (
        "Associations among deals as they were handled; they prove no cause.",
        "仅为既有项目中的相关关系，不代表因果。",
    ),
    "ratio_changes": ("changes with the age of the deal (p < 0.05)", "随项目时间变化（p < 0.05）"),
    "model_weibull": ("Weibull", "威布尔"), "model_lognormal": ("log-normal", "对数正态"),
    # stage rates in full
    "team": ("Team", "团队"), "competitor": ("Rival", "竞争对手"), "category": ("Category", "预测类别"),
    "missing": ("not known", "未知"), "by_value": ("By value", "按金额"),
    "gap": ("Difference", "差"), "points": ("{n} points", "{n} 点"),
    "days_to_won_q50": ("Median days to a win", "赢单中位天数"),
    "days_to_other_end_q50": ("Median days to another end", "其他结束中位天数"), "open_share": ("Open now", "现仍开放"),
    "title_gap": ("Why won / closed is not the chance", "赢单/已结束为何不等于赢率"),
    "gap_why": (
        "Where wins take longer than other ends, won / closed is too low; where they come sooner, it is too high.",
        "若赢单比其他结束更慢，赢单/已结束偏低；若更快，则偏高。",
    ),
    "gap_late": (
        "Deals known only after their end count in won / closed alone.",
        "结束后才登记的项目只计入赢单/已结束。",
    ),
    "title_proposal": ("Proposed nominal percentages", "建议的名义赢率"),
    "proposed": ("Proposed", "建议值"), "outside": ("Nominal lies outside", "名义值在区间外"),
    "proposal_basis": (
        "Made from the deals standing in each stage, signed within {days} days; the nominal rate counts as {n} deals.",
        "依据停留在各阶段的项目，{days} 天内签约；名义赢率计作 {n} 个项目。",
    ),
    "rising_yes": ("The observed chance rises from stage to stage.", "实际赢率逐阶段上升。"),
    "rising_chance": (
        "The observed chance falls towards {stages}, no more than by accident (p = {p}); the proposal never falls.",
        "实际赢率在进入 {stages} 时下降，但不超出偶然范围（p = {p}）；建议值不下降。",
    ),
    "rising_no": (
        "The observed chance falls towards {stages}, more than by accident (p = {p}); the proposal may fall too.",
        "实际赢率在进入 {stages} 时下降，超出偶然范围（p = {p}）；因此建议值也可下降。",
    ),
    "pipeline_count": (
        "The last {n} pipelines against what they sign: nominal {nominal}, proposed then {proposed} (deals).",
        "过去 {n} 个季度初的管道，与其签约相比：名义赢率 {nominal}，当时的建议值 {proposed}（项目数）。",
    ),
    "pipeline_amount": (
        "By amount: nominal {nominal}, proposed then {proposed}.",
        "按金额：名义赢率 {nominal}，当时的建议值 {proposed}。",
    ),
    "nearer_nominal": ("The nominal rates were nearer.", "名义赢率更接近。"),
    "nearer_proposed": ("The proposals were nearer.", "建议值更接近。"),
    "title_differ": ("Do they differ? Gray's test, from first entry", "各组是否不同？Gray 检验，自首次进入起"),
    "n_segments": ("Groups", "组数"), "n_missing": ("Not known", "未知数"), "statistic": ("Chi-squared", "卡方"),
    "df": ("Degrees of freedom", "自由度"), "p_value": ("p-value", "p 值"),
    "title_over_time": ("{stage}: win rate over time", "{stage}：赢率随时间的变化"),
    "cohort": ("Deals that entered then", "当期进入的项目"), "period": ("Chances of that time", "当期的赢率"),
    "not_sure_yet": ("Pale: too early to tell", "浅色：为时尚早"),
    "known_too_late": ("Known only afterwards", "事后才登记"),
    "title_effect": ("Pipelines at the start of past quarters", "过去各季度初的管道"),
    "weighted_nominal": ("× nominal", "× 名义赢率"), "weighted_proposed": ("× proposed then", "× 当时的建议值"),
    "signed_since": ("Signed since", "此后签约"), "to_come": ("Still expected", "预计仍将签约"),
    # titles
    "title_forecast": ("Forecast of {quarter} as of {as_of}", "{quarter} 预测（截至 {as_of}）"),
    "title_distribution": ("How sure are we?", "有多大把握？"),
    "title_parts": ("What it consists of", "预测的组成"),
    "title_contributions": ("Deals that carry the forecast", "支撑预测的项目"),
    "title_baselines": ("What simple methods say", "简单方法的结果"),
    "title_notes": ("What to know before using it", "使用前须知"),
    "title_deals": ("Open deals", "在跟进项目"),
    "title_rates": ("Stage win rates as of {as_of}, within {days} days", "阶段赢率（截至 {as_of}，{days} 天内）"),
    "title_stage_rates": ("Stage win rates", "阶段赢率"),
    "title_score": (
        "Open deals as of {as_of}, chances to sign by {until}",
        "在跟进项目（截至 {as_of}，{until} 前签约的概率）",
    ),
    "title_check": ("{process}: rows read, kept, set aside", "{process}：读取、保留与剔除的行"),
    "title_faults": ("Set aside, and kept but worth knowing", "剔除的行，以及保留但需留意的行"),
    # sentences
    "mean_and_band": ("{text}: mean, line = 80 % band", "{text}：均值，横线为 80 % 区间"),
    "chance_times_amount": ("{text} = chance in period × amount", "{text} = 期内签约概率 × 金额"),
    "lead_bands": (
        "By this model four outcomes in five lie within {band_80}, one in two within {band_50}.",
        "按本模型，五次结果中有四次落在 {band_80} 之内，两次中有一次落在 {band_50} 之内。",
    ),
    "carried_by": (
        "{n} of {all} open deals are shown; they carry {share} of the expected amount of all open deals.",
        "显示 {all} 个在跟进项目中的 {n} 个，占全部期望金额的 {share}。",
    ),
    "more_deals": ("Open deals not shown: {n}.", "未显示的在跟进项目：{n} 个。"),
    "draws_line": ("Draws: {n}, seed {seed}. Method: {method}.", "模拟 {n} 次，种子 {seed}。方法：{method}。"),
    "method_line": (
        "{rung}; {half_life}; common shock with a spread of {shock} (log-odds)",
        "{rung}；{half_life}；共同冲击的离散度 {shock}（对数几率）",
    ),
    "rung_stage_table": ("stage table by days in stage", "按阶段停留天数的生命表"),
    "rung_logistic": ("spline logistic regression on snapshots", "基于快照的样条逻辑回归"),
    "rung_blend": ("mean of spline logistic regression and boosting on snapshots", "样条逻辑回归与提升树的平均"),
    "model_line": ("Model: {rung}.", "模型：{rung}。"),
    "rung_reasons": (
        "Why this model: {n} closed deals allow up to: {by_count}; {test}.",
        "为何用此模型：{n} 个已结束项目，最多可用：{by_count}；{test}。",
    ),
    "rung_tested": (
        "on past dates ({n} predictions) the best one was: {by_test} (mean log loss {losses})",
        "在过去日期上（{n} 次预测）表现最好的是：{by_test}（平均对数损失 {losses}）",
    ),
    "rung_untested": ("there is no past to test more than the stage table on", "历史不足，无法检验更复杂的模型"),
    "half_life": ("recent years count more (half-life {days} days)", "近期数据权重更高（半衰期 {days} 天）"),
    "no_half_life": ("all years count the same", "各年权重相同"),
    "written": ("Written: {paths}", "已写入：{paths}"),
    "working": ("Reading and computing: {path} ...", "正在读取并计算：{path} ……"),
    "making": ("Making a company: {path} ...", "正在生成公司数据：{path} ……"),
    "known_until": ("The data end on {as_of}: use --as-of {as_of}.", "数据截至 {as_of}：请用 --as-of {as_of}。"),
    "not_shown": ("Too narrow here for: {columns}", "宽度不足，未显示：{columns}"),
    "nothing": ("none", "无"),
    # notes
    "note_bands": (
        "The bands come from this book's own past; no backtest has tested them yet.",
        "区间来自本数据自身的历史，尚未经过回测检验。",
    ),
    "note_no_recorded_at": (
        "The history does not say when it was typed in: late recording is invisible, without allowance for it.",
        "历史数据没有登记时间：看不到滞后登记，也未为此留出余量。",
    ),
    "note_amount_current": (
        "Amounts are those of the extract; what a deal was worth at an earlier date is not known.",
        "金额为导出时的数值，较早日期的金额未知。",
    ),
    "note_dead_stock": (
        "Open deals that are older than any ever signed from their stage: {n}. They count with a chance near zero.",
        "停留时间超过以往所有成交的在跟进项目：{n} 个，按接近零的概率计入。",
    ),
    "note_amount_drawn": (
        "Open deals without an amount: {n}. Theirs is drawn from the amounts of past wins.",
        "没有金额的在跟进项目：{n} 个，其金额从以往成交金额中抽取。",
    ),
    "note_signed_without_amount": (
        "Signed deals without an amount: {n}. They count as 0.",
        "没有金额的已签约项目：{n} 个，按 0 计。",
    ),
    "note_few_origins": (
        "Past forecasts that could be checked: {n}. The common shock rests mostly on its prior.",
        "可供检验的过去预测：{n} 次，共同冲击主要依据先验。",
    ),
    # reasons
    "reason_pace": ("days in the stage", "本阶段停留天数"), "reason_age": ("age of the deal", "项目存续天数"),
    "reason_path": ("path through the stages", "阶段推进路径"), "reason_hold": ("holds and reopenings", "暂停与重启"),
    "reason_amount": ("amount and its changes", "金额及其变化"),
    "reason_close_date": ("expected signing date and its moves", "预计签约日期及其变动"),
    "reason_buyer": ("customer's stage", "客户采购阶段"), "reason_proof": ("milestones proved", "里程碑证明"),
    "reason_conditions": ("stage conditions done", "阶段条件完成度"),
    "reason_activity": ("recent activity", "近期往来"),
    "reason_people": ("people reached, their stance", "接触人员与态度"),
    "reason_rival": ("rivals, early quote", "竞争对手与过早报价"),
    "reason_rep_view": ("the rep's own call", "销售自己的判断"),
    "reason_owner": ("track record of the rep", "负责人过往战绩"),
    "reason_customer": ("track record with the customer", "与该客户的过往"),
    "reason_product": ("product", "产品"), "reason_region": ("region", "地区"), "reason_source": ("source", "线索来源"),
    "reason_route": ("procurement route", "采购方式"), "reason_deal_class": ("class of deal", "项目类别"),
    "title_reasons": (
        "Why: against the average open deal in the same stage (percentage points; association, not cause)",
        "原因：与同阶段在跟进项目的平均相比（百分点；关联而非因果）",
    ),
    "reasons_line": ("{deal}: {p} against {average}: {parts}", "{deal}：{p}，平均 {average}：{parts}"),
    # check
    "table": ("Table", "表"), "read": ("Read", "读取"), "kept": ("Kept", "保留"), "set_aside": ("Set aside", "剔除"),
    "rule": ("Rule", "规则"), "n": ("Rows", "行数"), "examples": ("Examples", "示例"), "note": ("Note", "说明"),
    "yes": ("yes", "是"), "no": ("no", "否"),
}  # fmt: skip


def label(key: str, lang: str = "en", **values: Any) -> str:
    """The text of a key in a language, with its placeholders filled in.

    Raises
    ------
    SalesAnalyticsError
        The key or the language is unknown.

    Examples
    --------
    >>> label("with_unit", "zh", text=label("amount", "zh"), unit="MW")
    '金额（MW）'
    """
    if lang not in LANGUAGES:
        raise SalesAnalyticsError(f"lang must be one of {', '.join(LANGUAGES)}, got {lang!r}.")
    if key not in _TEXTS:
        raise SalesAnalyticsError(f"No label {key!r} in the catalogue.")
    return _TEXTS[key][LANGUAGES.index(lang)].format(**values)


def has_label(key: str) -> bool:
    """Whether the catalogue knows a key."""
    return key in _TEXTS


def number(value: float, digits: int = 0) -> str:
    """A number as a person reads it: thousands separated, a bare 0, an en dash where there is none.

    Examples
    --------
    >>> number(12345.6), number(0.0, 1), number(float("nan"))
    ('12,346', '0', '–')
    """
    return "–" if value is None or value != value else f"{value:,.{digits if value else 0}f}"


def percent(value: float, digits: int = 0) -> str:
    """A probability in percent; only what is certain reads 0 or 100.

    Examples
    --------
    >>> percent(0.123), percent(0.9999), percent(0.0), percent(float("nan"))
    ('12 %', '>99 %', '0 %', '–')
    """
    if value is None or value != value:
        return "–"
    smallest = 10.0**-digits
    if value > 0 and 100 * value < smallest / 2:
        return f"<{smallest:.{digits}f} %"
    if value < 1 and 100 * (1 - value) < smallest / 2:
        return f">{100 - smallest:.{digits}f} %"
    return f"{number(100 * value, digits)} %"


def decimals(largest: float) -> int:
    """Decimals for numbers of this size: none from 1,000 on, one from 1 on, else two."""
    return 0 if abs(largest) >= 1000 else 1 if abs(largest) >= 1 else 2


def short(value: float) -> str:
    """A number with as many decimals as its size asks for, none where it is whole."""
    return number(value, 0 if value % 1 == 0 else decimals(value))


def band(lower: float, upper: float, digits: int | None = None) -> str:
    """A band; one number where it has no width."""
    digits = (0 if lower % 1 == upper % 1 == 0 else decimals(upper)) if digits is None else digits
    return (
        number(lower, digits)
        if lower == upper or lower != lower
        else f"{number(lower, digits)} – {number(upper, digits)}"
    )


def stage_label(stage: str, lang: str) -> str:
    """A stage as a picture names it: by its id, which the process settles; the pause of the contract by its word."""
    return label("on_hold", lang) if stage == "on_hold" else stage


def amount_label(key: str, unit: str, lang: str) -> str:
    """The name of an amount with its unit, where the book states one."""
    return label("with_unit", lang, text=label(key, lang), unit=unit) if unit else label(key, lang)
