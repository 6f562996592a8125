"""Words of reps and stage conditions."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
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
}  # fmt: skip
