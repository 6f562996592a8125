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
    "scorecard_title": ("Scorecard of {name}", "{name}的评价表"),
    "scorecard_of_passed": (
        "{observed} of {n} stages passed; an average rep would have passed {expected} of the same stages.",
        "{n} 个阶段中通过 {observed} 个；同样的阶段，一般销售预计通过 {expected} 个。",
    ),
    "scorecard_of_won": (
        "{observed} of {n} deals won within a year; an average rep would have won {expected} of the same deals.",
        "{n} 个项目中一年内赢单 {observed} 个；同样的项目，一般销售预计赢 {expected} 个。",
    ),
    "scorecard_chance_won": (
        "Of deals like these an average rep wins {average}, this one {own}: {level} interval, few deals lean on all.",
        "同样的项目，一般销售赢 {average}，本人赢 {own}：{level} 区间，项目少时向全体收缩。",
    ),
    "scorecard_chance_passed": (
        "Of stages like these an average rep passes {average}, this one {own}: {level} interval, few lean on the rest.",
        "同样的阶段，一般销售通过 {average}，本人通过 {own}：{level} 区间，阶段少时向全体收缩。",
    ),
    "scorecard_nothing": ("None of the deals can be judged yet.", "目前没有可评价的项目。"),
    "scorecard_young": (
        "Deals created in the last {days} days are not judged yet: their outcome is still open.",
        "最近 {days} 天内新建的项目尚未评价：结果未定。",
    ),
    "scorecard_vanished": (
        "Deals no longer seen, with no known end: {n}. They are neither won nor lost.",
        "{n} 个项目已不再出现且结果未知：既不算赢单也不算丢单。",
    ),
    "scorecard_unknown": (
        "Not known, as the book does not keep it or there are no such deals: {names}.",
        "数据中没有记录或没有此类项目，无法得知：{names}。",
    ),
    "scorecard_earns": (
        "Deals in which it was met had {ratio} times ({band}) the odds to pass the stage of equal deals without it.",
        "完成该条件的项目，通过本阶段的优势为同类项目的 {ratio} 倍（{band}）。",
    ),
    "scorecard_unproved": (
        "That it goes with passing the stage is not shown by this book: odds ratio {ratio} ({band}).",
        "本数据未能证明它与通过本阶段有关：优势比 {ratio}（{band}）。",
    ),
    "scorecard_median": ("Chance to be better than the middle rep: {p}.", "优于中位销售的概率：{p}。"),
    "scorecard_above": (
        "More than chance explains ({funnel} limits): find out what is done differently.",
        "多于偶然所能解释（{funnel} 界限）：请了解其做法。",
    ),
    "scorecard_below": (
        "Less than chance explains ({funnel} limits): look at the deals before you judge.",
        "少于偶然所能解释（{funnel} 界限）：评价之前先看项目。",
    ),
    "scorecard_ramping": ("Still ramping up: no rank.", "仍在成长期：不排名。"),
    "scorecard_few": ("Fewer than {n} deals can be judged: no rank.", "可评价项目少于 {n} 个：不排名。"),
    "scorecard_handed_over": (
        "Deals that changed owner before their outcome: {n}. They are left out.",
        "{n} 个项目在结果之前更换了负责人，未计入。",
    ),
    "scorecard_coach": (
        "{name}: met in {met} of {n} stages passed, company {company}.",
        "{name}：在通过的 {n} 个阶段中完成 {met}，公司为 {company}。",
    ),
    "rep_chance_won": ("Won, of deals like these", "同样的项目中赢单"),
    "rep_chance_passed": ("Passed, of stages like these", "同样的阶段中通过"),
    "rep_effect": ("Effect (log odds)", "效应（对数优势）"),
    "rep_process_score": ("Process score", "过程得分"),
    "rep_price_ratio": ("Final price of first", "成交价与首次报价之比"),
    "rep_cycle_days": ("Days to sign (median)", "签约天数（中位数）"),
    "rep_date_bias_days": ("Signs later than said (days)", "比自己预计晚签约（天）"),
    "rep_p_bias": ("Stated probability above the truth", "自报概率高于实际"),
    "rep_commit_won": ("Won, of what is committed", "承诺项目的赢单率"),
    "rep_trend": ("Change of that a year", "其每年变化"),
    "rep_activity_per_deal_month": ("Activities a deal and month", "每项目每月活动数"),
    "rep_volume": ("Signed in 365 days", "365 天内签约额"),
    "title_rep_funnel": ("Reps against what their deals let expect", "销售的实际与预期"),
    "title_rep_effects": ("Effects of reps", "销售的效应"),
    "no_condition_effects": (
        "No condition was done in enough deals and left out in enough others to be compared.",
        "没有一个条件在足够多的项目中完成、又在足够多的项目中未完成，无从比较。",
    ),
    "title_condition_effects": ("Conditions and passing the stage", "条件与通过阶段"),
    "title_condition_effects_won": ("Conditions and winning", "条件与赢单"),
    "title_condition_effects_days_to_sign": ("Conditions and days to sign", "条件与签约天数"),
    "odds_ratio": ("Odds ratio", "优势比"), "ratio_of_days": ("Ratio of days", "天数之比"),
    "rep_expected": ("Expected", "预期"), "rep_oe": ("Observed / expected", "实际 / 预期"),
    "rep_limits": ("{level} limits of each rep", "各销售的 {level} 界限"),
    "rep_flagged": ("Outside the limits", "超出界限"),
    "rep_no_rank": ("few deals or ramping: not ranked", "项目少或成长期：不排名"),
    "title_rep_odds": ("What the rep said of deals, and what came", "自报赢率与实际结果"),
    "title_rep_gaps": ("Process score by rep and stage", "各销售各阶段的过程得分"),
    "title_rep_conversion": ("Deals passed on, by rep and stage", "各销售各阶段的通过率"),
    "rep_honest": ("honest", "如实"), "rep_company": ("all reps", "全体销售"), "rep_raw": ("own share", "本人比例"),
    "rep_drawn": ("drawn to all reps", "向全体收缩"),
    "rep_said": ("Chance stated", "自报赢率"), "rep_came": ("Won within 365 days", "365 天内赢单比例"),
    "rep_cells": (
        "Shares drawn to all reps. Blue: above them, red: below; framed: more than chance explains.",
        "比例已向全体收缩。蓝：高于全体，红：低于全体；方框：超出偶然。",
    ),
    "page_title_rep": ("{title}, as of {as_of}", "{title}，截至 {as_of}"),
    "page_all_reps": ("All reps", "全体销售"), "page_rep": ("Rep", "销售"),
    "page_outcome": ("Outcome, given the deals dealt", "结果：与所分到的项目相比"),
    "page_strengths": ("Strengths", "强项"),
    "page_no_strength": (
        "Nothing that lies above the middle rep beyond doubt.", "没有确定高于中位销售的方面。",
    ),
    "page_coach": ("What to coach", "辅导重点"), "page_measures": ("Measures, each by itself", "各项指标"),
    "page_odds": ("Are the stated odds honest?", "自报赢率是否如实？"),
    "page_odds_text": (
        ("Points on the dotted line: what was said is what came. Below it they are too hopeful, above it too careful. "
        "The grey line shows all reps: where they miss the dotted line alike, the scale is to blame and not the rep."),
        "点落在虚线上：所报即所得。低于虚线偏乐观，高于虚线偏保守。灰线为全体销售：若全体同样偏离，问题在口径，不在个人。",
    ),
    "page_why_score": ("Why this process score", "过程得分的由来"),
    "page_score_text": (
        ("{score} of the weight due in stages passed was earned (raw). Lost: not done {missing}, typed in after the "
        "stage was left {late}, ticked with many others {bulk}, done without full proof {weak_proof}. The dearest "
        "conditions (all of them, and what is missing in open deals: reps.xlsx):"),
        ("已通过阶段应得权重中获得 {score}（原始值）。失分：未完成 {missing}，离开阶段后补录 {late}，"
        "批量勾选 {bulk}，证据不足 {weak_proof}。失分最多的条件（全部条件及在跟进项目的缺项见 reps.xlsx）："),
    ),
    "page_no_conditions": ("The book has no conditions.", "数据中没有阶段条件。"),
    "page_no_stage_passed": ("No stage that asks for conditions was passed yet.", "尚未通过任何有条件要求的阶段。"),
    "page_not_judged": ("What is not judged, and why", "未评价的内容及原因"),
    "page_passed": ("Passed", "通过"), "page_expected": ("expected {expected} of {n}", "{n} 个中预期 {expected}"),
    "page_expected_short": ("Expected", "预期"), "page_average": ("An average rep", "一般销售"),
    "page_above_median": ("Better than the middle rep", "优于中位销售的概率"),
    "page_rank": ("rank {rank} of {n}", "名次：{rank} / {n}"),
    "page_middle": ("middle rep {value}", "中位销售 {value}"),
    "page_measure": ("Measure", "指标"), "page_his": ("Own value ({level} interval)", "本人（{level} 区间）"),
    "page_middle_rep": ("Middle rep", "中位销售"), "page_behind": ("Rests on", "样本数"),
    "page_condition": ("Condition", "条件"), "page_due": ("Due", "应完成"), "page_points": ("Points lost", "失分"),
    "loss_missing": ("Not done", "未完成"), "loss_late": ("Typed in late", "补录"),
    "loss_bulk": ("All at once", "批量勾选"), "loss_weak_proof": ("Weak proof", "证据不足"),
    "page_how_to_read": ("How to read this", "阅读说明"),
    "page_note_1": (
        ("Wins are set against what an average rep would have won of the same deals; the raw win rate says more about "
        "the deals than about the rep."),
        "赢单数与一般销售在同样项目上的预期相比；原始赢单率更多反映项目，而非销售本人。",
    ),
    "page_note_2": (
        "Fewer than 20 judged deals, or ramping up: no rank. Ranks next to each other mostly differ by chance.",
        "可评价项目少于 20 个或处于成长期：不排名。相邻名次的差别多属偶然。",
    ),
    "page_note_3": (
        "Volume, pace, price and activity are shown by themselves: they are not adjusted for the deals dealt.",
        "签约额、周期、价格与活动量单独列出：未按所分到的项目调整。",
    ),
    "page_note_4": (
        "A number here begins a talk and does not end it: it shows where to look, not why.",
        "数字是谈话的开始，不是结论：它指出该看哪里，不说明原因。",
    ),
    "page_funnel_text": (
        "Each rep's bar is what chance and the usual spread between reps allow; only those outside it are named.",
        "每位销售的竖条是偶然与销售间正常差异所允许的范围；只标出超出范围者。",
    ),
    "page_gaps_text": (
        ("Share of the weight due that was earned, in stages passed. A row of red is a habit, a low share in the "
        "last row a stage that all leave undone."),
        "已通过阶段的应得权重中获得的比例。整行偏红是个人习惯；末行偏低说明全体在该阶段没有做到。",
    ),
    "page_conversion_text": (
        "Share of decided deals that went on from the stage. Not allowed for the deals dealt: read it with the funnel.",
        "已有结果的项目中通过该阶段的比例。未按所分到的项目调整：请与上图一并看。",
    ),
    "sheet_reps": ("Reps", "销售"), "sheet_losses": ("Points lost", "失分"),
    "sheet_open_items": ("Missing in open deals", "在跟进项目缺项"),
    "column_rep_id": ("Rep", "销售编号"), "column_name": ("Name", "姓名"), "column_team": ("Team", "团队"),
    "column_rank": ("Rank", "名次"), "column_n_deals": ("Deals judged", "评价项目"), "column_n": ("Cases", "样本数"),
    "column_observed": ("Observed", "实际"), "column_expected": ("Expected", "预期"),
    "column_effect": ("Effect (log odds)", "效应（对数优势）"), "column_effect_lower": ("Effect, lower", "效应下限"),
    "column_effect_upper": ("Effect, upper", "效应上限"),
    "column_p_above_median": ("Better than the middle rep", "优于中位销售的概率"),
    "column_process_score": ("Process score", "过程得分"), "column_cycle_days": ("Days to sign", "签约天数"),
    "column_price_ratio": ("Final price of first", "成交价与首次报价之比"),
    "column_p_bias": ("Probability above the truth", "自报概率高于实际"),
    "column_date_bias_days": ("Signs later than said (days)", "晚签约（天）"),
    "column_commit_won": ("Won, of commits", "承诺项目赢单率"),
    "column_trend": ("Trend (log odds a year)", "年变化（对数优势）"),
    "column_volume": ("Signed in 365 days", "365 天内签约额"), "column_n_signed": ("Deals signed", "签约个数"),
    "column_n_handed_over": ("Handed over", "转交"), "column_stage": ("Stage", "阶段"),
    "column_condition": ("Condition", "条件"), "column_words": ("What it asks for", "内容"),
    "column_n_missing": ("Not done", "未完成"), "column_n_late": ("Typed in late", "补录"),
    "column_n_bulk": ("All at once", "批量勾选"), "column_n_weak_proof": ("Weak proof", "证据不足"),
    "column_lost": ("Lost of the score", "失分"), "column_deal_id": ("Deal", "项目编号"),
    "column_status": ("Why", "原因"),
    "status_missing": ("not done", "未完成"), "status_undone": ("taken back", "已撤销"),
    "status_late": ("typed in late", "补录"), "status_back_filled": ("back-filled", "事后补录"),
    "status_bulk": ("ticked with many others", "批量勾选"),
    "alert_F08_others": (
        ("The rep's probabilities of {n} ended deals lie {points} above what all reps say in the same stage, and the "
        "wins do not bear them out."),
        "{n} 个已结束项目中，销售的概率比全体销售在同一阶段所报高 {points}，且其赢单不足以支持。",
    ),
    "alert_F09_others": (
        ("The rep's probabilities of {n} ended deals lie {points} below what all reps say in the same stage, and "
        "wins came more often."),
        "{n} 个已结束项目中，销售的概率比全体销售在同一阶段所报低 {points}，而其赢单更多。",
    ),
}  # fmt: skip
