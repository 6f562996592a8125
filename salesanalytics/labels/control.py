"""Words of deal control: the rules and what they found."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "alert_A01": (
        "Ours {s}, the customer's {b} (stages ahead: {gap}), for {days} days.",
        "我方在 {s}，客户在 {b}：超前 {gap} 个阶段，已 {days} 天。",
    ),
    "alert_A02": (
        "Ours {s}, the customer's {b} (stages behind: {gap}), for {days} days.",
        "客户在 {b}，我方在 {s}：落后 {gap} 个阶段，已 {days} 天。",
    ),
    "alert_A03": ("Buyer stage {b} was last confirmed {days} days ago.", "客户阶段 {b} 上次确认于 {days} 天前。"),
    "alert_A03_unknown": ("The buyer's stage was never stated.", "从未记录客户采购阶段。"),
    "alert_A04": (
        "The three clocks disagree: ours {s}, the customer's {b}, last milestone in a row {m}.",
        "三方不一致：我方 {s}，客户 {b}，连续达成的里程碑 {m}。",
    ),
    "alert_A04_none": (
        "The three clocks disagree: ours {s}, the customer's {b}, last milestone in a row: none.",
        "三方不一致：我方 {s}，客户 {b}，第一个里程碑尚未达成。",
    ),
    "alert_A05": (
        "We stand in {s}, but the milestones in a row end at {m}.",
        "我方在 {s}，但连续达成的里程碑只到 {m}。",
    ),
    "alert_A05_none": (
        "We stand in {s}, but the first milestone is still open.",
        "我方在 {s}，但第一个里程碑尚未达成。",
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
        "{days} days in {s}: of deals that stood there so long {p} are won, of those just entering it {fresh}.",
        "在 {s} 已 {days} 天：停留这么久的项目赢率为 {p}，刚进入该阶段的项目为 {fresh}。",
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
    "alert_T06_none": ("No next step is planned.", "没有安排下一步。"),
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
        "Pushes of the signing date: {n}; it was {first} at first and is {last} now.",
        "预计成交日推迟 {n} 次：最初为 {first}，现为 {last}。",
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
    "silent_parameter": (
        "its entry in the process file lacks the parameter {name} (under params)",
        "流程文件中该规则缺少参数 {name}（写在 params 中）",
    ),
    "no_rules": (
        "The process file has no `rules`: nothing was checked.",
        "流程文件没有 rules：未检查任何规则。",
    ),
    "no_work": (
        "The process file has no {names} in its stages: no such task can be named.",
        "流程文件的阶段中没有 {names}：无法给出这类任务。",
    ),
    "silent_needs": ("the book does not keep: {needs}", "数据中没有：{needs}"),
    "silent_no_deals": ("no open deals", "没有在跟进项目"),
    "rules_without_deals": ("There are no open deals; rules not checked: {n}.", "没有在跟进项目，未检查规则 {n} 条。"),
    "none_defined": ("none defined in the process file", "流程文件中未定义"),
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
    "no_buyer_stage": (
        "No open deal has a stated buyer's stage, and too few past deals had one.",
        "没有在跟进项目记录了客户采购阶段，过去记录过的也太少。",
    ),
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
}  # fmt: skip
