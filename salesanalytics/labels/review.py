"""Words of the review: past forecasts, what moved one, alerts, tasks, reps."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "our_forecast": ("This forecast", "本预测"), "stage_table": ("Stage table", "阶段生命表"),
    "n_quarters": ("Quarters", "季度数"), "wape": ("Mean error", "平均误差"), "bias": ("Bias", "偏差"),
    "crps_of_mean": ("Error of the distribution", "分布误差"), "k_of_n": ("{k} of {n}", "{n} 次中 {k} 次"),
    "held_50": ("50 % band held", "50 % 区间命中"), "held_80": ("80 % band held", "80 % 区间命中"),
    "title_backtest": (
        "Past quarters forecast again: {measure}, as of {as_of}",
        "历史季度回测：{measure}，截至 {as_of}",
    ),
    "backtest_stretch": (
        "These bands ask the next forecast for {stretch} times the width (1.00: they were wide enough).",
        "按此记录，下一次预测的区间应为原来的 {stretch} 倍宽（1.00 表示过去的区间已足够宽）。",
    ),
    "no_amounts_judged": (
        "This book knows no amounts: nothing can be said of forecasts of them.",
        "本数据没有任何金额：无从评判金额的预测。",
    ),
    "backtest_note": (
        (
            "Errors are shares of what was signed. Methods compare over quarters that all tell, 8 at least; –: left "
            "out. Another one is used only where it leads by more than a standard error."
        ),
        (
            "误差以实际签约的比例表示。分布误差只计参与比较的各方法都能预测的季度，至少 8 个才据以择优；–：不参与比较。"
            "领先超过一个标准误才改用其他方法。"
        ),
    ),
    "backtest_flatters": (
        "Nobody knows when this history was typed in: late entries count as known, and a backtest inside it flatters.",
        "历史数据没有登记时间：补录的内容被当作当时已知，在同一份导出数据内回测偏乐观。",
    ),
    "cause": ("Cause", "原因"), "main_cause": ("Main cause", "主要原因"),
    "cause_signed": ("Signed since", "已签约"), "cause_ended": ("Ended otherwise", "已丢单或终止"),
    "cause_new": ("New or back", "新增或重启"), "cause_vanished": ("Vanished", "消失"),
    "cause_amounts": ("Amounts", "金额变动"), "cause_time": ("Less time left, still open", "时间推移（仍在跟进）"),
    "cause_features": ("What happened to open deals", "在跟进项目的进展"),
    "cause_model": ("What was learned", "模型更新"),
    "cause_judgement": ("Judgement", "人工判断"),
    "cause_reopened": ("Deals that may come back", "可能重启的项目"), "cause_arrivals": ("Deals to come", "未来项目"),
    "cause_draws": ("Chance of the draws", "抽样误差"),
    "title_change": (
        "What moved the forecast of {quarter}: {before} to {after}",
        "{quarter} 预测为何变动：{before} 至 {after}",
    ),
    "flow_new": ("Created since", "新立项"), "flow_back": ("Back after an end", "重新启动"),
    "flow_late": ("Recorded late", "补录"), "flow_stated": ("First amount", "首次填写金额"),
    "flow_up": ("Amount up", "金额调增"), "flow_down": ("Amount down", "金额调减"),
    "flow_stage": ("Moved in the stages", "阶段变动"), "flow_won": ("Won", "赢单"), "flow_lost": ("Lost", "输单"),
    "flow_other_end": ("Other ends", "其他结束"), "flow_vanished": ("Vanished", "消失"),
    "title_pipeline": ("What moved the open pipeline: {before} to {after}", "在跟进项目为何增减：{before} 至 {after}"),
    "title_pipeline_waterfall": ("What moved the open pipeline", "在跟进项目为何增减"),
    "pipeline_note": (
        "Each date as it was known then. What came in and went out between them counts as both, at its last amount.",
        "两个日期均按当时所知。其间进入又离开的项目两边都计，按最后的金额。",
    ),
    "weighted": ("Amount × nominal rate", "金额 × 名义赢率"), "without_amount": ("Without an amount", "无金额"),
    "came": ("Came in", "进入"), "left": ("Went out", "离开"), "what_happened": ("What happened", "变动"),
    "amount_before": ("Amount before", "之前金额"), "amount_after": ("Amount now", "当前金额"),
    "difference": ("Difference", "差额"),
    "title_change_deals": ("Deals that moved it most", "影响最大的项目"),
    "change_end": ("{day}: mean {mean}, 80 % band {band} {unit}", "{day}：均值 {mean}，80 % 区间 {band} {unit}"),
    "unit_deals": ("deals", "个项目"),
    "change_target": ("; chance to reach the target {p}", "；达标概率 {p}"),
    "severity": ("Severity", "严重度"), "severity_high": ("high", "高"), "severity_medium": ("medium", "中"),
    "severity_low": ("low", "低"), "deal_or_rep": ("Deal or rep", "项目或销售"), "evidence": ("Evidence", "依据"),
    "value_at_stake": ("At stake", "涉及金额"), "task": ("Task", "任务"), "why": ("Why", "理由"),
    "title_alerts": (
        "Deal control as of {as_of}: alerts {all}, shown {n}",
        "项目控制，截至 {as_of}：共 {all} 条警报，列出 {n} 条",
    ),
    "title_silent": ("Rules that this book cannot tell", "本数据无法判断的规则"),
    "title_tasks": (
        "What is due as of {as_of}: tasks {all}, shown {n}",
        "待办，截至 {as_of}：共 {all} 项，列出 {n} 项",
    ),
    "title_reps": (
        "Reps, given the deals they were dealt, as of {as_of} (deals judged: {n})",
        "按所分到的项目评价销售，截至 {as_of}（评价 {n} 个项目）",
    ),
    "n_judged": ("Judged", "评价项目"), "observed": ("Won", "赢单"), "expected": ("Expected", "期望赢单"),
    "p_above_median": ("Above the median", "高于中位"), "rank": ("Rank", "名次"),
    "process_score": ("Process", "过程得分"), "manager_id": ("Manager", "经理"),
    "manager_level": ("Managers, level {n}", "第 {n} 级经理"),
    "reps_note": (
        "Effects are against the middle rep. An interval that holds 0 tells no difference; below 20 deals no rank.",
        "效应以中间水平为准。包含 0 的区间说明没有差别；评价项目少于 20 个的不排名。",
    ),
    "title_groups": ("By group (sums of the same draws)", "分组（同一组抽样之和）"),
    "missing_group": ("none stated", "未填写"), "not_by_deal": ("deals to come back or to come", "重启及未来项目"),
}  # fmt: skip
