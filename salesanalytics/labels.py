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
    # review: past forecasts, what moved one, alerts, tasks, reps
    "our_forecast": ("This forecast", "本预测"), "stage_table": ("Stage table", "阶段停留表"),
    "n_quarters": ("Quarters", "季度数"), "wape": ("Mean error", "平均误差"), "bias": ("Bias", "偏差"),
    "crps_of_mean": ("Error of the distribution", "分布误差"), "k_of_n": ("{k} of {n}", "{n} 次中 {k} 次"),
    "held_50": ("50 % band held", "50 % 区间命中"), "held_80": ("80 % band held", "80 % 区间命中"),
    "title_backtest": (
        "Past quarters forecast again: {measure}, as of {as_of}",
        "历史季度回测：{measure}，截至 {as_of}",
    ),
    "backtest_use": ("To be used by this record: {method}", "按此记录应采用：{method}"),
    "backtest_stretch": (
        "Bands of the next forecast are widened by {stretch} (1.00: past bands were wide enough).",
        "下一次预测的区间放宽 {stretch} 倍（1.00 表示过去的区间已足够宽）。",
    ),
    "backtest_note": (
        "Errors are shares of what was signed. Another method is to be used only if it did better over 8 quarters.",
        "误差以实际签约的比例表示。只有在至少 8 个季度上更好，才改用其他方法。",
    ),
    "cause": ("Cause", "原因"), "main_cause": ("Main cause", "主要原因"),
    "cause_signed": ("Signed since", "已签约"), "cause_ended": ("Ended otherwise", "已丢单或终止"),
    "cause_new": ("New or back", "新增或重启"), "cause_vanished": ("Vanished", "消失"),
    "cause_amounts": ("Amounts", "金额变动"), "cause_time": ("Less time left", "剩余时间减少"),
    "cause_features": ("What happened to open deals", "在跟进项目的进展"),
    "cause_model": ("What was learned", "模型更新"),
    "cause_reopened": ("Deals that may come back", "可能重启的项目"), "cause_arrivals": ("Deals to come", "未来项目"),
    "cause_draws": ("Chance of the draws", "抽样误差"),
    "title_change": (
        "What moved the forecast of {quarter}: {before} to {after}",
        "{quarter} 预测为何变动：{before} 至 {after}",
    ),
    "title_change_deals": ("Deals that moved it most", "影响最大的项目"),
    "change_end": ("{day}: mean {mean}, 80 % band {band} {unit}", "{day}：均值 {mean}，80 % 区间 {band} {unit}"),
    "change_target": ("; chance to reach the target {p}", "；达标概率 {p}"),
    "severity": ("Severity", "严重度"), "severity_high": ("high", "高"), "severity_medium": ("medium", "中"),
    "severity_low": ("low", "低"), "deal_or_rep": ("Deal or rep", "项目或销售"), "evidence": ("Evidence", "依据"),
    "value_at_stake": ("At stake", "涉及金额"), "task": ("Task", "任务"), "why": ("Why", "理由"),
    "title_alerts": (
        "Deal control as of {as_of}: {n} of {all} alerts",
        "项目控制，截至 {as_of}：{all} 条警报中的 {n} 条",
    ),
    "title_silent": ("Rules that this book cannot tell", "本数据无法判断的规则"),
    "title_tasks": ("What is due as of {as_of}: {n} of {all} tasks", "待办，截至 {as_of}：{all} 项中的 {n} 项"),
    "title_reps": (
        "Reps, given the deals they were dealt, as of {as_of} ({n} deals judged)",
        "按所分到的项目评价销售，截至 {as_of}（评价 {n} 个项目）",
    ),
    "n_judged": ("Judged", "评价项目"), "observed": ("Won", "赢单"), "expected": ("Expected", "期望赢单"),
    "p_above_median": ("Above the median", "高于中位"), "rank": ("Rank", "名次"),
    "process_score": ("Process", "过程得分"), "manager_id": ("Manager", "经理"),
    "reps_note": (
        "Effects are against the middle rep. An interval that holds 0 tells no difference; below 20 deals no rank.",
        "效应以中间水平为准。包含 0 的区间说明没有差别；评价项目少于 20 个的不排名。",
    ),
    "title_groups": ("By group (sums of the same draws)", "分组（同一组抽样之和）"),
    "missing_group": ("none stated", "未填写"), "not_by_deal": ("deals to come back or to come", "重启及未来项目"),
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
    "rep_commit": ("What the reps commit to", "销售承诺的项目"),
    "rep_probability": ("What the reps expect", "销售自己的赢率"),
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
    # reps and conditions
    "warning_condition_effects": (
        ("Association, not cause. It may run the other way: deals that go well leave time for the work, and reps tick "
        "more where they hope more. And where both the condition and the win follow a hidden quality of the deal, no "
        "method on these data can tell them apart."),
        ("这是关联，不是因果。方向可能相反：进展顺利的项目才有时间做这些工作，销售在看好的项目上记录也更多。"
        "如果条件完成与赢单都来自项目的某种隐藏品质，仅凭这些数据，任何方法都无法区分。"),
    ),
    "scorecard_title": ("Scorecard of {name}", "{name} 的评价表"),
    "scorecard_of_passed": (
        "{observed} of {n} stages passed; an average rep would have passed {expected} of the same stages.",
        "{n} 个阶段中通过 {observed} 个；同样的阶段，一般销售预计通过 {expected} 个。",
    ),
    "scorecard_of_won": (
        "{observed} of {n} deals won within a year; an average rep would have won {expected} of the same deals.",
        "{n} 个项目中一年内赢单 {observed} 个；同样的项目，一般销售预计赢 {expected} 个。",
    ),
    "scorecard_median": ("Chance to be better than the middle rep: {p}.", "优于中位销售的概率：{p}。"),
    "scorecard_above": (
        "More than chance explains ({funnel} limits): find out what he does.",
        "多于偶然所能解释（{funnel} 界限）：请了解其做法。",
    ),
    "scorecard_below": (
        "Less than chance explains ({funnel} limits): look at the deals before you judge.",
        "少于偶然所能解释（{funnel} 界限）：评价之前先看项目。",
    ),
    "scorecard_ramping": ("Still ramping up: no rank.", "仍在成长期：不排名。"),
    "scorecard_few": ("Fewer than {n} deals can be judged: no rank.", "可评价项目少于 {n} 个：不排名。"),
    "scorecard_handed_over": (
        "{n} deals changed owner before their outcome and are left out.",
        "{n} 个项目在结果之前更换了负责人，未计入。",
    ),
    "scorecard_coach": (
        "{name}: met in {met} of {n} stages passed, company {company}.",
        "{name}：在通过的 {n} 个阶段中完成 {met}，公司为 {company}。",
    ),
    "rep_effect": ("Effect (log odds)", "效应（对数优势）"),
    "rep_process_score": ("Process score", "过程得分"),
    "rep_price_ratio": ("Final price of first", "成交价与首次报价之比"),
    "rep_cycle_days": ("Days to sign (median)", "签约天数（中位数）"),
    "rep_date_bias_days": ("Signs later than he says (days)", "比自己预计晚签约（天）"),
    "rep_p_bias": ("His probability above the truth", "自报概率高于实际"),
    "rep_commit_won": ("Won, of what he commits", "承诺项目的赢单率"),
    "rep_trend": ("Change a year (log odds)", "每年变化（对数优势）"),
    "rep_activity_per_deal_month": ("Activities a deal and month", "每项目每月活动数"),
    "rep_volume": ("Signed in 365 days", "365 天内签约额"),
    "title_rep_funnel": ("Reps against what their deals let expect", "销售的实际与预期"),
    "title_rep_effects": ("Effects of reps", "销售的效应"),
    "title_condition_effects": ("Conditions and passing the stage", "条件与通过阶段"),
    "title_condition_effects_won": ("Conditions and winning", "条件与赢单"),
    "title_condition_effects_days_to_sign": ("Conditions and days to sign", "条件与签约天数"),
    "odds_ratio": ("Odds ratio", "优势比"), "ratio_of_days": ("Ratio of days", "天数之比"),
    "rep_expected": ("Expected", "预期"), "rep_oe": ("Observed / expected", "实际 / 预期"),
    "rep_limits": ("{level} limits of each rep", "各销售的 {level} 界限"),
    "rep_flagged": ("Outside his limits", "超出界限"),
    "rep_no_rank": ("few deals or ramping: not ranked", "项目少或成长期：不排名"),
    # end of reps and conditions
    # deal control
    "alert_A01": (
        "We stand in {s}, the customer in {b}: {gap} ahead, for {days} days.",
        "我方在 {s}，客户在 {b}：超前 {gap} 个阶段，已 {days} 天。",
    ),
    "alert_A02": (
        "The customer stands in {b}, we in {s}: {gap} behind, for {days} days.",
        "客户在 {b}，我方在 {s}：落后 {gap} 个阶段，已 {days} 天。",
    ),
    "alert_A03": ("Buyer stage {b} was last confirmed {days} days ago.", "客户阶段 {b} 上次确认于 {days} 天前。"),
    "alert_A03_unknown": ("The buyer's stage was never stated.", "从未记录客户采购阶段。"),
    "alert_A04": (
        "The three clocks disagree: ours {s}, the customer's {b}, last milestone in a row {m}.",
        "三方不一致：我方 {s}，客户 {b}，连续达成的里程碑 {m}。",
    ),
    "alert_A05": (
        "We stand in {s}, but the milestones in a row end at {m}.",
        "我方在 {s}，但连续达成的里程碑只到 {m}。",
    ),
    "alert_A05_late": (
        "The milestone of {s} is open after {days} days; won deals needed {usual} (median).",
        "{s} 的里程碑 {days} 天仍未达成；成交项目中位数为 {usual} 天。",
    ),
    "alert_A06": ("Milestones without the customer's proof: {items}.", "没有客户证据的里程碑：{items}。"),
    "alert_A07": (
        "Required conditions of stages before {s} still open: {n} ({share} of the weight).",
        "{s} 之前仍未完成的必备条件：{n} 条（占权重 {share}）。",
    ),
    "alert_A08": (
        "{n_off} of {n} conditions done lately belong to stages far from {s}.",
        "近期完成的 {n} 条条件中，{n_off} 条与所在阶段 {s} 相距较远。",
    ),
    "alert_A09": ("{n} conditions were ticked within {minutes} minutes.", "{minutes} 分钟内勾选了 {n} 条条件。"),
    "alert_A09_left": (
        "{n} of {of} conditions of {s} were ticked on the day on which it was left.",
        "{s} 的 {of} 条条件中有 {n} 条在离开该阶段当天勾选。",
    ),
    "alert_T01": (
        "{days} days in {s}; of won deals 90 % needed no more than {limit}.",
        "在 {s} 已 {days} 天；90 % 的成交项目不超过 {limit} 天。",
    ),
    "alert_T01_survival": (
        "{days} days in {s}: the chance to win is {p}, on entering it was {fresh}.",
        "在 {s} 已 {days} 天：赢率 {p}，刚进入时为 {fresh}。",
    ),
    "alert_T02": (
        "{days} days in {s}; won deals needed {usual} (median).",
        "在 {s} 已 {days} 天；成交项目中位数为 {usual} 天。",
    ),
    "alert_T03": (
        "Opened {days} days ago; hardly any won deal took more than {limit}.",
        "立项已 {days} 天；成交项目几乎都不超过 {limit} 天。",
    ),
    "alert_T04": ("{n} stage advances within {hours} hours.", "{hours} 小时内推进 {n} 个阶段。"),
    "alert_T04_pair": (
        "Two stages in a row passed faster than nearly all won deals.",
        "连续两个阶段的推进快于几乎所有成交项目。",
    ),
    "alert_T05": ("No activity for {days} days (limit {limit}).", "已 {days} 天没有活动（上限 {limit} 天）。"),
    "alert_T05_never": ("No activity at all since it was opened {days} days ago.", "立项 {days} 天以来没有任何活动。"),
    "alert_T06": ("The next step was due on {due}, {days} days ago.", "下一步原定 {due}，已过 {days} 天。"),
    "alert_T06_never": ("No next step was ever planned.", "从未安排下一步。"),
    "alert_T07": (
        "{n} calls or mails from us in {window} days and no answer; last contact {days} days ago.",
        "{window} 天内我方联系 {n} 次，客户没有回应；上次接触在 {days} 天前。",
    ),
    "alert_H01": ("Falls back: {n}, the last from {s_before} to {s}.", "倒退 {n} 次，最近一次从 {s_before} 退到 {s}。"),
    "alert_H02": ("{s} was skipped and none of its conditions done.", "跳过了 {s}，且该阶段没有完成任何条件。"),
    "alert_H03": ("First recorded in {s}.", "首次登记即在 {s}。"),
    "alert_H04": ("Ended {days} days after it was opened.", "立项后 {days} 天即结束。"),
    "alert_H04_before": ("Ended {days} days before the date on which it was opened.", "结束日比立项日早 {days} 天。"),
    "alert_H05": (
        "Typed in late: {n} changes, the latest by {days} days.",
        "滞后登记的变更：{n} 条，最多迟 {days} 天。",
    ),
    "alert_H06": (
        "{share} of the {n} edits of the quarter fell into its last days.",
        "该季度 {n} 次修改中 {share} 发生在最后几天。",
    ),
    "alert_H06_hour": ("{n} deals were edited within one hour.", "一小时内修改了 {n} 个项目。"),
    "alert_F01": (
        "The signing date was pushed, from {first} to {last} (pushes: {n}).",
        "预计成交日推迟 {n} 次，从 {first} 推到 {last}。",
    ),
    "alert_F02": ("The signing was expected on {due}, {days} days ago.", "预计成交日 {due} 已过 {days} 天。"),
    "alert_F03": (
        "Signing expected on {due}, {days} d ahead; 9 in 10 won deals still needed more than {limit} from {s}.",
        "预计 {due} 成交，还有 {days} 天；十个成交项目中九个从 {s} 起还需超过 {limit} 天。",
    ),
    "alert_F04": (
        "{k} of {n} expected signing dates lie in the last days of a quarter.",
        "{n} 个预计成交日中有 {k} 个落在季末几天。",
    ),
    "alert_F05": (
        "The amount moved by {change} shortly before a quarter end or the signing date.",
        "季末或预计成交日前金额变动 {change}。",
    ),
    "alert_F06": (
        "Amount {amount}; hardly any deal of the product exceeds {limit_amount}.",
        "金额 {amount}；同类产品几乎不超过 {limit_amount}。",
    ),
    "alert_F06_account": (
        "Amount {amount}; the customer's other deals have a median of {usual_amount}.",
        "金额 {amount}；该客户其他项目的中位数为 {usual_amount}。",
    ),
    "alert_F07": (
        "The rep says {p_rep}; deals that stood so were won in {p} of cases.",
        "销售判断 {p_rep}；同样处境的项目赢率为 {p}。",
    ),
    "alert_F07_proved": (
        "The rep says {p_rep}; what is proved supports {s}, nominally {p}.",
        "销售判断 {p_rep}；有证据的只到 {s}，名义赢率 {p}。",
    ),
    "alert_F08": (
        "The rep's probabilities of {n} ended deals lie {points} above what came true.",
        "{n} 个已结束项目中，销售的概率比实际高 {points}。",
    ),
    "alert_F09": (
        "The rep's probabilities of {n} ended deals lie {points} below what came true.",
        "{n} 个已结束项目中，销售的概率比实际低 {points}。",
    ),
    "alert_F09_jump": (
        "{k} of {n} wins stood in an early stage days before.",
        "{n} 个成交中有 {k} 个几天前还在早期阶段。",
    ),
    "alert_F10_buyer": ("Committed, though the customer stands only in {b}.", "列为承诺，但客户仅在 {b}。"),
    "alert_F10_milestone": ("Committed, though {m} is not reached.", "列为承诺，但 {m} 未达成。"),
    "alert_F10_decision_maker": ("Committed, though the decision maker was not met.", "列为承诺，但未接触决策者。"),
    "alert_N01": ("No budget is known in {s}.", "已到 {s}，预算仍不明。"),
    "alert_N01_over": ("Amount {amount} exceeds the budget of {budget}.", "金额 {amount} 超出预算 {budget}。"),
    "alert_N02": (
        "In the forecast and in {s}, but no compelling event is known.",
        "已计入预测且在 {s}，但没有必要事件。",
    ),
    "alert_C01": ("Roles reached by {s}: {n}.", "到 {s} 只接触了 {n} 种角色。"),
    "alert_C01_window": (
        "People seen in the last {window} days: {n}, in {s}.",
        "在 {s}，近 {window} 天只接触 {n} 人。",
    ),
    "alert_C02": ("Roles due by the end of {s} not reached: {items}.", "{s} 结束前应接触而未接触的角色：{items}。"),
    "alert_C03": ("Quoted {days} days before the decision maker was met.", "在见到决策者之前 {days} 天已报价。"),
    "alert_C03_never": ("Quoted without having met the decision maker.", "未见决策者即已报价。"),
    "alert_C04": ("No coach in {s}.", "到 {s} 仍没有内线。"),
    "alert_C04_untested": ("The coach is not tested by deeds in {s}.", "到 {s} 内线仍未经行动验证。"),
    "alert_C04_silent": ("The coach was last heard of {days} days ago.", "内线上次联系在 {days} 天前。"),
    "alert_C05": (
        "Against us, with no step planned: {items} (stance {score}).",
        "反对我方且没有跟进安排：{items}（态度 {score}）。",
    ),
    "alert_C06": ("The draft went out before the needs were agreed.", "需求确认之前已提交方案。"),
    "alert_C07": ("Changed or left: {items}.", "关键联系人变动：{items}。"),
    "alert_B01": ("The customer stood in {b} already when we entered.", "我方介入时客户已在 {b}。"),
    "alert_B02": ("{n} signs of a makeweight bid in {s}.", "在 {s} 出现 {n} 项陪标迹象。"),
    "alert_B03": ("{n} price cuts during negotiation.", "谈判阶段降价 {n} 次。"),
    "alert_B03_early": ("The price was cut before the evaluation stage.", "评估阶段之前已降价。"),
    "alert_B03_discount": (
        "Discount {share}; hardly any won deal gave more than {limit_share}.",
        "折让 {share}；成交项目几乎不超过 {limit_share}。",
    ),
    "alert_B04": ("Awarded {days} days ago and not signed.", "中标已 {days} 天仍未签约。"),
    "alert_B05": ("{days} days from the tender to its deadline.", "从招标到截止只有 {days} 天。"),
    "alert_R01": (
        "One deal carries {share} of what {quarter} is expected to sign.",
        "单个项目占 {quarter} 期望签约额的 {share}。",
    ),
    "alert_R02": (
        "{k} of {n} open deals stand in {s}; the rest of the team has {share} there.",
        "{n} 个在跟进项目中有 {k} 个停在 {s}；团队其他人为 {share}。",
    ),
    "alert_R03": (
        "{k} of {n} deals went on from {s}; of all reps {share}: fewer than chance explains.",
        "{n} 个项目中 {k} 个通过 {s}；全体为 {share}：低于偶然范围。",
    ),
    "alert_R03_high": (
        "{k} of {n} deals went on from {s}; of all reps {share}: more than chance explains.",
        "{n} 个项目中 {k} 个通过 {s}；全体为 {share}：高于偶然范围。",
    ),
    "alert_R04": (
        "By the end of {quarter} the open deals and this quarter's signings yield {expected} of {target}.",
        "到 {quarter} 末，现有项目与本季签约预计为 {expected}，目标 {target}。",
    ),
    "alert_R05": (
        "Nothing has changed for {days} days (over {bucket}).",
        "已 {days} 天没有任何变动（超过 {bucket} 天）。",
    ),
    "alert_R06": ("Much like {other} of the same customer.", "与同一客户的 {other} 高度相似。"),
    "alert_R07": (
        "{k} of {n} milestones and contacts have no proof on file.",
        "{n} 项里程碑和联系人中有 {k} 项没有存档证据。",
    ),
    "alert_R07_handover": ("The owner changed late; it stands in {s}.", "后期更换负责人；现处 {s}。"),
    "alert_D01_created": ("Opened after its first recorded stage.", "立项日晚于首条阶段记录。"),
    "alert_D01_bid": ("The bid is due before the tender was issued.", "投标截止早于招标日。"),
    "alert_D01_milestones": ("A milestone is dated before the one it follows.", "里程碑日期先后颠倒。"),
    "alert_D01_unproved": ("Won without {milestone}.", "成交但没有 {milestone} 证据。"),
    "alert_D01_reason": ("Lost without a reason.", "输单但没有原因。"),
    "silent_off": ("switched off in the process file", "已在流程文件中关闭"),
    "silent_no_function": ("no function of this id", "没有同名函数"),
    "silent_needs": ("the book does not keep: {needs}", "数据中没有：{needs}"),
    "silent_no_deals": ("no open deals", "没有在跟进项目"),
    "verdict_earns": ("earns its keep: flagged deals were lost more often", "有效：被标记的项目更常输单"),
    "verdict_none": ("no evidence: flagged deals were not lost more often", "未见证据：被标记的项目并未更常输单"),
    "verdict_stalls": (
        "earns its keep: flagged deals were won less often, though not lost more",
        "有效：被标记的项目更少成交，虽未更常输单",
    ),
    "verdict_opposite": ("no evidence: flagged deals were lost less often", "未见证据：被标记的项目反而更少输单"),
    "verdict_elsewhere": ("fires on ended deals or on the whole: nothing to compare", "针对已结束项目或整体：无从比较"),
    "verdict_few": ("too few to tell", "样本太少，无法判断"),
    "verdict_silent": ("silent on the dates asked", "在所查日期没有发声"),
    "task_condition": ("Required in {stage} and not done.", "{stage} 的必备条件，尚未完成。"),
    "task_milestone": ("Proves that {stage} is passed; not reached.", "证明已通过 {stage} 的里程碑，尚未达成。"),
    "task_role": ("Should be reached by the end of {stage}.", "{stage} 结束前应接触的角色。"),
    "task_behind": (
        "We stand in {s}; customer and milestones support {stage}.",
        "我方在 {s}；客户与里程碑只支持到 {stage}。",
    ),
    "task_reach": ("Reach: {roles}", "接触：{roles}"),
    "title_clock_table": (
        "Where we stand (down) and where the customer stands (across)",
        "我方阶段（纵）与客户阶段（横）",
    ),
    "clock_table_cell": (
        "Open now; below: past deals in that cell won within {days} days",
        "现有项目数；下方：以往处于该格的项目 {days} 天内的赢单比例",
    ),
    "clock_past": ("{p} of {n}", "{n} 个中 {p}"),
    "axis_seller": ("Our stage", "我方阶段"),
    "axis_buyer": ("Customer's stage", "客户采购阶段"),
    "task_or": (" or ", "或"),
    # end of deal control
    # ledger
    "record_id": ("Record", "记录"), "recorded_at": ("Recorded (UTC)", "记录时间（UTC）"),
    "quarter": ("Quarter", "季度"), "as_of": ("As of", "截至"), "amount_unit": ("In", "单位"),
    "measure": ("Measure", "指标"),
    "signed_then": ("Signed", "实际签约"), "forecast_error": ("Forecast − signed", "预测与实际之差"),
    "in_band_80": ("In the 80 % band", "落在 80 % 区间"),
    "title_ledger": ("Recorded forecasts in {path}", "{path} 中的预测记录"),
    "title_accuracy": (
        "How they did: quarters that were over and known by {as_of}",
        "事后检验：截至 {as_of} 已结束且结果已知的季度",
    ),
    "bands_held": (
        "{measure}: the 80 % band held {k} of {n}, the 50 % band {k_50} of {n}; quarters: {quarters}.",
        "{measure}：80 % 区间命中 {n} 次中的 {k} 次，50 % 区间命中 {n} 次中的 {k_50} 次；季度数：{quarters}。",
    ),
    "damaged_record": ("Damaged: {record}: {damage}.", "记录已损坏：{record}：{damage}。"),
    "damage_missing": ("{file} is missing", "缺少 {file}"),
    "damage_unreadable": ("{file} cannot be read", "{file} 无法读取"),
    "damage_altered": ("{file} is not as it was written", "{file} 与写入时不一致"),
    "damage_newer": ("{file} was written by a later version", "{file} 由更新的版本写入"),
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
