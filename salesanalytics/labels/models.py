"""Words of stage rates, time to signing and reasons."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    # stage rates
    "on_hold": ("On hold", "暂停"),
    "funnel_axis": ("Deals; beside each bar: passed / decided", "项目数；条旁：通过 / 已有结果"),
    "nominal": ("Nominal", "名义赢率"),
    "n_passed": ("Passed", "通过"), "title_funnel": ("The funnel", "销售漏斗"),
    "none_decided": ("no result yet", "尚无结果"),
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
    "by_value": ("By value", "按金额"),
    "gap": ("Difference", "差"), "points": ("{n} points", "{n} 个百分点"),
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
    "beyond": ("Signings beyond {days} days", "{days} 天之后的签约"),
    "beyond_why": (
        "Signings beyond: their share of all from that stage, from those seen to all that is still open.",
        "之后的签约：占该阶段全部签约的比例，下限为已见到的，上限为把仍开放的都算作签约。",
    ),
    "title_years": (
        "By year: deals that entered then / chances of that time",
        "分年：当期进入的项目 / 按当期的赢率",
    ),
    "drift": ("Points a year ({level} interval)", "每年百分点（{level} 区间）"),
    "years_note": (
        "Signed within {days} days of first entry. Much of late years is still open; chances answer at once.",
        "自首次进入起 {days} 天内签约。近年进入的项目多数仍开放；当期的赢率反应更快，变化趋势据此计算。",
    ),
    "rates_by_whole": (
        "Without --by: the gap to won / closed, the years and their drift, the proposed percentages and their effect.",
        "不用 --by 时另列：与赢单/已结束的差、分年赢率及其变化趋势、建议的名义赢率及其效果。",
    ),
    "title_proposal": ("Proposed nominal percentages", "建议的名义赢率"),
    "proposed": ("Proposed", "建议值"), "outside": ("Nominal lies outside", "名义值在区间外"),
    "proposal_basis_observed": (
        "Made from the deals standing in each stage, signed within {days} days.",
        "依据停留在各阶段的项目，{days} 天内签约。",
    ),
    "proposal_basis": (
        "Made from the deals standing in each stage, signed within {days} days; the nominal rate counts as {n} deals.",
        "依据停留在各阶段的项目，{days} 天内签约；名义赢率计作 {n} 个项目。",
    ),
    "proposal_unseen": (
        "No deal has been watched for {days} days in {stages}: what is signed later than it was watched is in no rate.",
        "{stages}：尚无项目被观察满 {days} 天；观察期之后的签约不在任何赢率之内。",
    ),
    "rising_yes": ("The observed chance rises from stage to stage.", "实际赢率逐阶段上升。"),
    "rising_chance": (
        "The observed chance falls towards {stages}, no more than by accident ({p}); the proposal never falls.",
        "实际赢率在进入 {stages} 时下降，但不超出偶然范围（{p}）；建议值不下降。",
    ),
    "rising_no": (
        "The observed chance falls towards {stages}, more than by accident ({p}); the proposal may fall too.",
        "实际赢率在进入 {stages} 时下降，超出偶然范围（{p}）；因此建议值也可下降。",
    ),
    "pipeline_count": (
        "The last {n} pipelines against what they sign: nominal {nominal}, proposed then {proposed} (deals).",
        "过去 {n} 个季度初的管道，与其签约相比：名义赢率 {nominal}，当时的建议值 {proposed}（项目数）。",
    ),
    "pipeline_amount": (
        "By amount: nominal {nominal}, proposed then {proposed}.",
        "按金额：名义赢率 {nominal}，当时的建议值 {proposed}。",
    ),
    "nearer_nominal": (
        "Quarter by quarter the nominal rates were nearer (deals).",
        "逐季比较（项目数），名义赢率更接近。",
    ),
    "nearer_proposed": (
        "Quarter by quarter the proposals were nearer (deals).",
        "逐季比较（项目数），建议值更接近。",
    ),
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
    # scored deals
    "p_rep": ("The rep's own chance", "销售自报概率"), "p_stage_table": ("By the stage table", "按生命表"),
    "signs_between": ("Signs, if it does (10 – 90 %)", "若签约的日期（10 – 90 %）"),
    "interval_note": (
        (
            "The {level} interval of a chance is how far off its estimate may be: the spread of the coefficients and "
            "of the level of the times, half the distance of both methods where there are two. On simulated books it "
            "held what large books say of about nine deals in ten."
        ),
        (
            "概率的 {level} 区间表示估计本身可能偏离多少：系数与时期水平的离散度，用两种方法时另加两者之差的一半。"
            "在模拟账本中，约九成项目的区间包含大账本给出的概率。"
        ),
    ),
    "interval_note_table": (
        "The {level} interval of a chance says how far off its estimate may be, from the number of deals behind it.",
        "概率的 {level} 区间表示估计本身可能偏离多少，由所依据的项目数得出。",
    ),
    # what became of past chances
    "horizon": ("Until", "期限"), "within_days": ("{n} days", "{n} 天"), "until_quarter_end": ("quarter end", "季度末"),
    "log_loss": ("Log loss", "对数损失"), "auc": ("AUC", "AUC"),
    "loss_difference": ("Difference to the stage table ({level} interval)", "与生命表之差（{level} 区间）"),
    "gap_between": ("{gap} ({lower} – {upper})", "{gap}（{lower} – {upper}）"),
    "told_nominal": ("nominal rate", "名义赢率"), "told_rep": ("the rep's own", "销售自己的判断"),
    "told_stage_table": ("stage table", "生命表"), "told_logistic": ("logistic regression", "逻辑回归"),
    "told_boosting": ("boosting", "提升树"), "told_blend": ("blend of both", "两者平均"),
    "told_in_use": ("the one in use", "当时所用"),
    "title_chances": (
        "Chances given on past dates ({n}: {first} to {last}), beside what came",
        "过去日期（{n} 个：{first} 至 {last}）给出的概率与实际结果",
    ),
    "used_on": ("{method} ({n})", "{method}（{n}）"),
    "chances_used": (
        "Used, at every horizon (on so many dates): {methods}; beyond the last days it knows, the stage table goes on.",
        "各期限所用方法相同（日期数）：{methods}；超出其所知天数后，由生命表接续。",
    ),
    "chances_why": (
        "On {day} it was: {rung}. The {n} closed deals allowed up to: {by_count}; the test on dates before: {by_test}.",
        "{day} 所用：{rung}。{n} 个已结束项目最多可用：{by_count}；更早日期的检验允许用：{by_test}。",
    ),
    "chances_line": (
        "{horizon}: {verdict}; expected {expected}, won {won}.",
        "{horizon}：{verdict}；期望 {expected}，实际赢单 {won}。",
    ),
    "chances_better": ("better than the stage table", "优于生命表"),
    "chances_worse": ("worse than the stage table", "不如生命表"),
    "chances_alike": ("not told apart from the stage table", "与生命表难分高下"),
    "same_table": ("it is the stage table", "即为生命表"),
    "chances_note": (
        "Smaller losses are better; a deal on several dates counts as one. Each learned method is recalibrated.",
        "对数损失越小越好。同一项目在多个日期出现时视为一个整体。各学习方法均按自身过去的预测重新校准。",
    ),
    # reasons
    "reason_pace": ("days in the stage", "本阶段停留天数"), "reason_age": ("age of the deal", "项目存续天数"),
    "reason_stage": ("stage it was put on hold in", "暂停时所处阶段"),
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
        "Why: against the mean of the open deals in the same stage (percentage points; association, not cause)",
        "原因：与同阶段在跟进项目的平均相比（百分点；关联而非因果）",
    ),
    "reasons_line": ("{deal}: {p} against {average}: {parts}", "{deal}：{p}，平均 {average}：{parts}"),
}  # fmt: skip
