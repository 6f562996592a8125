"""Rules and notes of `DealBook.faults`, names of tables, what simple methods rest on, in Chinese; ``{}``: any word."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "deals": "项目表", "history": "历史表", "reps": "销售人员表", "accounts": "客户表", "targets": "目标表",
    "amount": "金额", "owner": "负责人", "stage": "阶段", "buyer stage": "买方阶段", "milestone": "里程碑",
    "condition": "条件", "row": "行", "deal": "项目", "measure": "度量", "field": "字段", "{} missing": "缺少 {}",
    "{} unreadable": "{} 无法读取", "{} not a number": "{} 不是数字", "negative {}": "{} 为负数",
    "duplicate {}": "{} 重复", "unknown {}": "未知的{}", "date value unreadable": "日期值无法读取",
    "implausible date": "日期不合理",
    "neither creation nor history": "既无立项日期也无历史记录",
    "newest rows first": "最新的行在前",
    "rows of one instant count from the bottom up": "同一时刻的行自下而上计",
    "kept in the order of the source, from the bottom up": "按来源自下而上的顺序保留",
    "created after the extract": "立项日期晚于导出日",
    "recorded after the extract": "登记日期晚于导出日", "scheduled, not an event": "计划日期，并非已发生",
    "end before creation": "结束早于立项", "ended without a usable date": "已结束但没有可用日期",
    "deal set aside": "所属项目已剔除", "wrong number of columns": "列数不符",
    "quarter not like 2026Q4": "季度写法不是 2026Q4", "no stage row": "没有阶段记录",
    "is in the first stage since creation": "视为立项起处于第一阶段", "row before creation": "记录早于立项",
    "creation is the first known row": "以最早的记录为立项日", "two stages at one instant": "同一时刻有两个阶段",
    "kept in source order": "按原始顺序保留", "won without the last milestone": "赢单但缺最后的里程碑",
    "is won, unproved": "计为赢单，未经证实", "no recorded_at": "没有 recorded_at",
    "late recording is invisible to forecasts": "预测看不到滞后登记", "{} is the current one": "{}为导出时的值",
    "dates before the extract see the {} of the extract": "较早日期看到的也是导出时的{}", "actual": "实际值",
    "all open deals": "全部在跟进项目", "no finished period": "没有已结束的时期",
    "the process has no nominal rates": "流程没有名义赢率",
    "open deals whose expected close date lies in the period": "预计签约日在期内的在跟进项目",
    "the reps do not say": "销售没有填写",
    "how their calls came out before": "以往判断的兑现情况",
    "open deals that their reps date in the period": "销售预计在期内签约的在跟进项目",
    "last {} periods": "近 {} 期",
}  # fmt: skip
