"""Words that many outputs share: numbers, deals, components, titles, notes."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "with_unit": ("{text} ({unit})", "{text}（{unit}）"),
    "in_large_units": ("million {unit}", "万{unit}"), "in_largest_units": ("billion {unit}", "亿{unit}"),
    "part_of": ("{text}: {part}", "{text}：{part}"),
    "list_comma": (", ", "、"), "two_sentences": ("{first} {second}", "{first}{second}"),
    # components and measures
    "signed": ("Signed already", "已签约"), "open": ("Open deals", "在跟进项目"),
    "reopened": ("Reopened", "重新启动"), "unrecorded": ("Not recorded yet", "尚未登记"),
    "new": ("Not created yet", "尚未立项"), "total": ("Total", "合计"), "component": ("Component", "组成"),
    "count": ("Deals", "项目数"), "amount": ("Amount", "金额"),
    "mean": ("Mean", "均值"), "median": ("Median", "中位数"),
    "band_50": ("50 % band", "50 % 区间"), "band_80": ("80 % band", "80 % 区间"),
    "target": ("Target", "目标"), "p_target": ("Chance to reach the target", "达成目标的概率"),
    "share_of_draws": ("Share of draws", "模拟占比"),
    # deals
    "deal": ("Deal", "项目"), "deal_id": ("Deal", "项目编号"), "name": ("Name", "名称"), "rep_id": ("Owner", "负责人"),
    "state": ("State", "状态"), "stage": ("Stage", "阶段"),
    "days_in_state": ("Days in state", "停留天数"),
    "p_in_period": ("Chance in period", "期内签约概率"),
    "p_won_until": ("Chance by date", "截止日前签约概率"),
    "p_won": ("Chance in 2 years", "两年内签约概率"),
    "sign_q10": ("10 % by, if signed", "若签约：10 % 日期"), "sign_q90": ("90 % by, if signed", "若签约：90 % 日期"),
    "sign_q50": ("Median date if signed", "若签约的中位日期"),
    "expected_amount": ("Expected amount", "期望金额"),
    "older_than_any_win": ("Older than any win", "久于以往成交"), "no_amount": ("no amount", "无金额"),
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
        "按本模型，五次结果中有四次落在 {band_80}之内，两次中有一次落在 {band_50}之内。",
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
        "Why this model: closed deals {n}, which allow up to: {by_count}; {test}.",
        "为何用此模型：{n} 个已结束项目，最多可用：{by_count}；{test}。",
    ),
    "rung_tested": (
        "a test on past dates ({n} predictions; in a tie the mean of both) allows: {by_test} (mean log loss: {losses})",
        "过去日期的检验（{n} 次预测；不相上下时取两者平均）允许用：{by_test}（平均对数损失：{losses}）",
    ),
    "rung_untested": ("there is no past to test more than the stage table on", "历史不足，无法检验更复杂的模型"),
    "no_signal": (
        (
            "Won or lost: of {n} deals that ended after past dates, the model could not tell the won from the lost "
            "(AUC {auc}, {level} interval {lower} to {upper}, not clear of .50). There is no signal: its chances rest "
            "on when deals end and on how many are won, not on which."
        ),
        (
            "赢或输：在过去日期之后结束的 {n} 个项目中，模型无法区分赢单与输单"
            "（AUC {auc}，{level} 区间 {lower} 至 {upper}，未明显高于 0.50）。"
            "没有信号：概率只反映项目何时结束、总体赢率多少，不反映哪一个会赢。"
        ),
    ),
    "signal": (
        (
            "Won or lost: of {n} deals that ended after past dates, the model told the won from the lost with "
            "AUC {auc} ({level} interval {lower} to {upper}; .50: not at all, 1: always)."
        ),
        (
            "赢或输：在过去日期之后结束的 {n} 个项目中，模型区分赢单与输单的 AUC 为 {auc}"
            "（{level} 区间 {lower} 至 {upper}；0.50 表示完全不能，1 表示总能）。"
        ),
    ),
    "half_life": ("recent years count more (half-life {days} days)", "近期数据权重更高（半衰期 {days} 天）"),
    "no_half_life": ("all years count the same", "各年权重相同"),
    "written": ("Written: {paths}", "已写入：{paths}"),
    "working": ("Reading and computing: {path} ...", "正在读取并计算：{path} ……"),
    "making": ("Making a company: {path} ...", "正在生成公司数据：{path} ……"),
    "rows_set_aside": (
        "Rows set aside when the book was read: {n} of {read}. They count nowhere; `check` lists them with reasons.",
        "读取账本时剔除的行：{read} 行中的 {n} 行，不计入任何数字；原因见 `check`。",
    ),
    "known_until": ("The data end on {as_of}: use --as-of {as_of}.", "数据截至 {as_of}：请用 --as-of {as_of}。"),
    "not_shown": ("Too narrow here for: {columns}", "宽度不足，未显示：{columns}"),
    "no_amounts": ("No amount is known.", "没有已知金额。"),
    "nothing": ("none", "无"), "no_open_deals": ("There are no open deals.", "没有在跟进项目。"),
    # notes
    "note_bands": (
        "The bands come from this book's own past; no backtest has tested them yet.",
        "区间来自本数据自身的历史，尚未经过回测检验。",
    ),
    "note_no_recorded_at": (
        "No recording dates: late entries are not allowed for, and a backtest flatters. An earlier extract would help.",
        "历史数据没有登记时间：看不到滞后登记，未为此留出余量，回测偏乐观。可加上更早的导出数据。",
    ),
    "note_amount_current": (
        "Amounts are those of the extract; what a deal was worth at an earlier date is not known.",
        "金额为导出时的数值，较早日期的金额未知。",
    ),
    "note_late_bookings": (
        "Signings of earlier periods that are still to be recorded: about {n} expected. They are not counted here.",
        "此前期间已签约、尚未录入的项目：预计约 {n} 个，不计入本期。",
    ),
    "note_beyond_watched": (
        "Open deals were watched for {n} days at most, the period ends in {days}: later signings count as nothing.",
        "本期还有 {days} 天结束，而账本至今对在跟进项目最多只观察过 {n} 天：更晚的签约一概按零计。",
    ),
    "note_dead_stock": (
        "Open deals older than any ever signed from their stage: {n}. They count with a chance of {largest} at most.",
        "停留时间超过以往所有成交的在跟进项目：{n} 个，计入的概率最大为 {largest}。",
    ),
    "note_amount_drawn": (
        "Open deals without an amount: {n}. Theirs is drawn from the amounts of wins like them.",
        "没有金额的在跟进项目：{n} 个，其金额从同类成交项目的金额中抽取。",
    ),
    "note_amount_unknown": (
        "Open deals without an amount: {n}. No past win has one either: they count as deals and add no amount.",
        "没有金额的在跟进项目：{n} 个。以往成交也都没有金额，因此只计项目数，不计金额。",
    ),
    "note_signed_without_amount": (
        "Signed deals without an amount: {n}. They count as 0.",
        "没有金额的已签约项目：{n} 个，按 0 计。",
    ),
    "note_nothing_known": (
        "The book knows of no deal by {day}: it begins later.",
        "截至 {day}，账本中还没有任何项目：记录始于更晚的日期。",
    ),
    "note_no_win": (
        "No signing is known by {day}: open deals count with the small chances this leaves, those to come with none.",
        "截至 {day} 没有任何已知的签约：在跟进项目只按由此得出的很小概率计入，尚未立项的项目不计。",
    ),
    "note_few_origins": (
        "Past dates to learn from how all deals swing together (common shock): {n}. It rests mostly on its prior.",
        "可用于估计各项目同涨同落程度（共同冲击）的过去日期：{n} 个，主要依据先验。",
    ),
    "note_no_backtest": (
        "No backtest could test the bands: none of the last {n} quarters has {least} closed deals before it.",
        "区间无法经过回测检验：过去 {n} 个季度中，没有一个季度之前已有 {least} 个结束的项目。",
    ),
    "note_backtest_of_quarters": (
        "No backtest has tested the bands: only quarters are tested, not months or years.",
        "区间未经过回测检验：只检验季度，不检验月份和年份。",
    ),
    "note_since_without_extracts": (
        "The forecast of {since} is without the allowance from two extracts: the later one was not known then.",
        "{since} 的预测不含由两份导出数据估计的余量：当时还没有较晚的那份。",
    ),
    # check
    "table": ("Table", "表"), "read": ("Read", "读取"), "kept": ("Kept", "保留"), "set_aside": ("Set aside", "剔除"),
    "rule": ("Rule", "规则"), "n": ("Rows", "行数"), "examples": ("Examples", "示例"), "note": ("Note", "说明"),
    "yes": ("yes", "是"), "no": ("no", "否"),
}  # fmt: skip
