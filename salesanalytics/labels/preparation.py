"""Words of the preparation of a forecast: two extracts, the scrub list, pacing, the path to the target."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "note_extracts": (
        (
            "Allowance for late recording from two extracts ({before}, {after}): {vanished} of {n} open deals "
            "vanished. From one extract, open deals would be told {factor} times what is recorded of them by {known}. "
            "Moved dates are counted in the comparison of the extracts and not allowed for."
        ),
        (
            "按两次导出（{before}、{after}）为滞后登记留出余量：{n} 个在跟进项目中 {vanished} 个消失。"
            "若只有一份导出，在跟进项目的预测会是截至 {known} 登记数的 {factor} 倍。"
            "日期的改动只在两份导出的比较中计数，未为其留出余量。"
        ),
    ),
    "note_extracts_renamed": (
        (
            "{n} of {vanished} deals missing in the later extract stand there under another deal_id (alike in creation "
            "and name, or customer and amount): {examples}. They count as vanished and as recorded late; give both "
            "extracts the same ids."
        ),
        (
            "较晚的导出中缺少的 {vanished} 个项目里，有 {n} 个换了 deal_id 仍在其中"
            "（立项日相同，名称或客户与金额相同）：{examples}。它们被计为消失和滞后登记；请使两份导出的编号一致。"
        ),
    ),
    "title_pacing": ("Signed so far, by week", "各周累计签约"),
    "week_of_period": ("Week of the period", "期内第几周"), "past_periods": ("Past periods ({n})", "以往各期（{n}）"),
    "sheet_pacing": ("Pacing", "签约进度"),
    "title_coverage": ("Signed, to go, covered", "已签、待签与覆盖"),
    "to_go": ("To go", "距目标"), "open_amount": ("All open deals", "全部在跟进项目"),
    "expected_open": ("Expected of them", "其中期望签约"),
    "coverage": ("All cover what is to go", "全部覆盖倍数"),
    "expected_coverage": ("Expected cover it", "期望覆盖倍数"), "times": ("{n} times", "{n} 倍"),
    "coverage_rule": (
        "What is expected of the open deals reaches the target from 1 on, without those still to come.",
        "期望覆盖倍数达到 1，即不靠尚未立项的项目，均值也可达到目标。",
    ),
    "by_week": ("by week {week}", "至第 {week} 周"), "share_by_then": ("Share by then", "当时占比"),
    "pacing_rule": (
        "Every period as it was known then; in the end: 30 days after it.",
        "各期均按当时所知；最终签约为期末后 30 天所知。",
    ),
    "accuracy_ceiling": (
        "Were every chance exactly right, the amount would still miss the middle by {share} of the mean on average.",
        "即使每个概率都完全准确，金额平均仍会偏离中位数，偏差约为均值的 {share}。",
    ),
    "title_disagreements": ("Where model and rep disagree most", "模型与销售分歧最大的项目"),
    "sheet_disagreements": ("Model and rep", "模型与销售"),
    "disagreement_lead": (
        "Reps give {n} deals a chance and a date: beside the model {more} {unit} more on some, {less} less on others.",
        "销售给出了概率和日期的项目：{n} 个。与模型相比，部分项目多 {more} {unit}，部分项目少 {less}。",
    ),
    "p_rep_in_period": ("Rep: chance in period", "销售：期内概率"),
    "close_date": ("Date of the rep", "销售预计日期"), "expects_more": ("Expects more", "谁期望更高"),
    "side_rep": ("the rep", "销售"), "side_model": ("the model", "模型"),
    "disagreement_effect": ("Rep less model", "销售减模型"),
    "title_path": ("Path to the target", "达标路径"), "sheet_path": ("Path to the target", "达标路径"),
    "path_lead": (
        "With the first {n} of these deals signed the target is reached with a chance of {p} instead of {now}.",
        "签下其中前 {n} 个项目，达标概率由 {now} 变为 {p}。",
    ),
    "path_rule": (
        (
            "In order of what work on a deal is worth: how much the chance of the target rises if the odds of the deal "
            "double. Large deals that can still be moved lead; hopeless ones and those as good as signed do not."
        ),
        (
            "按推动项目的价值排序：项目的签约几率翻倍时，达标概率提高多少。"
            "金额大且仍可推动的项目在前，几乎无望或已基本落定的项目靠后。"
        ),
    ),
    "worth": ("Points gained if odds double", "几率翻倍增加的百分点"),
    "worth_share": ("Target gained if odds double", "几率翻倍时达标概率增加"),
    "adds": ("Target gained if won", "签下时达标概率增加"),
    "p_target_path": ("Target if won up to here", "签到本行时达标概率"),
    "title_scrub": (
        "To be mended before a forecast, as of {as_of}: findings {all}, shown {n}",
        "预测前需清理，截至 {as_of}：共 {all} 条，列出 {n} 条",
    ),
    "scrub_no_amount": ("No amount, known for {days} days.", "没有金额，已登记 {days} 天。"),
    "scrub_no_owner": ("No owner, known for {days} days.", "没有负责人，已登记 {days} 天。"),
    "scrub_owner_unknown": (
        "The owner is not in the table of reps; known for {days} days.",
        "负责人不在销售名单中，已登记 {days} 天。",
    ),
    "scrub_no_close_date": ("No expected signing date, known for {days} days.", "没有预计成交日，已登记 {days} 天。"),
    "scrub_dead_stock": (
        "Here for {days} days: no deal was ever won after so long in this stage.",
        "已停留 {days} 天：从未有项目在该阶段停留这么久后成交。",
    ),
}  # fmt: skip
