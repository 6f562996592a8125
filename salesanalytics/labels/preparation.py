"""Words of the preparation of a forecast: two extracts, the scrub list, pacing."""

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
    "title_pacing": ("Signed so far, by week", "各周累计签约"),
    "week_of_period": ("Week of the period", "期内第几周"), "past_periods": ("Past periods ({n})", "以往各期（{n}）"),
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
