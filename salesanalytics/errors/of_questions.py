"""What errors about questions to a book say, in Chinese; ``{name}`` stands for what an error fills in."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # dates and periods
    "{name} must be a date such as 2026-09-30, got {got}.": "{name} 必须是 2026-09-30 这样的日期，得到的是 {got}。",
    "{got} is not a date such as 2026-09-30.": "{got} 不是 2026-09-30 这样的日期。",
    "as_of names no date.": "as_of 没有给出日期。",
    "as_of {day} lies after the end of the book, {end}: what happened between is not known. Read a later extract, or "
    "state extracted_on in book.yaml.": (
        "as_of {day} 晚于账本的截止日 {end}：其间发生的事无从得知。请读取更新的导出数据，"
        "或在 book.yaml 中写明 extracted_on。"
    ),
    "as_of must be one date here, got {n}.": "这里的 as_of 必须是一个日期，得到了 {n} 个。",
    "A period is written 2026Q4, 2026-11 or 2026, got {got}.": "时期写作 2026Q4、2026-11 或 2026，得到的是 {got}。",
    "until must lie after as_of {day}, got {got}.": "until 必须晚于 as_of {day}，得到的是 {got}。",
    "before must not lie after as_of {day}, got {got}.": "before 不得晚于 as_of {day}，得到的是 {got}。",
    "until must lie after {day}.": "until 必须晚于 {day}。",
    "{period} ended on {end}, as_of is {day}: there is nothing to forecast.": (
        "{period} 已于 {end} 结束，as_of 为 {day}：没有可预测的内容。"
    ),
    "{period} ended on {end}, as_of is {day}: nothing is to come in it.": (
        "{period} 已于 {end} 结束，as_of 为 {day}：其中不会再有签约。"
    ),
    "as_of must lie in {period} ({start} to {end}), got {got}.": (
        "as_of 必须在 {period} 之内（{start} 至 {end}），得到的是 {got}。"
    ),
    "An outlook starts from a quarter such as 2026Q4, got {got}.": "展望从 2026Q4 这样的季度开始，得到的是 {got}。",
    # arguments
    "{name} must be one of {names}, got {got}.": "{name} 必须是以下之一：{names}，得到的是 {got}。",
    "{name} must be one of {names}, got {got}": "{name} 必须是以下之一：{names}，得到的是 {got}",
    "by must be rep_id, team, a column of deals or a field of the history, got {got}; this book has: {names}.": (
        "by 必须是 rep_id、team、项目表的列或历史字段，得到的是 {got}；本账本有：{names}。"
    ),
    "by: the result has a column {got} of its own. Give the column or field of the book another name: a column in "
    "book.yaml, as `{own}: {name}` under tables.deals.columns.": (
        "by：结果本身已有名为 {got} 的列。请为账本的该列或字段另取名；"
        "列可在 book.yaml 的 tables.deals.columns 下写 `{own}: {name}`。"
    ),
    "{name} must be > 0, got {got}.": "{name} 必须大于 0，得到的是 {got}。",
    "{name} must be >= 1, got {got}.": "{name} 必须不小于 1，得到的是 {got}。",
    "{name} must be at least 0, got {got}.": "{name} 必须不小于 0，得到的是 {got}。",
    "{name} must lie between 0 and 1, got {got}.": "{name} 必须在 0 与 1 之间，得到的是 {got}。",
    "{name} must be a whole number from {least} on, got {got}.": "{name} 必须是不小于 {least} 的整数，得到的是 {got}。",
    "A path needs a target and amounts: state target, or give the book targets.": (
        "达标路径需要目标和金额：请给出 target，或在账本中提供目标表。"
    ),
    "target must be an amount above 0, got {got}.": "目标必须是大于 0 的金额，得到的是 {got}。",
    "measure must be amount or count, got {got}.": "measure 必须是 amount 或 count，得到的是 {got}。",
    "score must be brier or log_loss, got {got}.": "score 必须是 brier 或 log_loss，得到的是 {got}。",
    "edges must begin with 0 and rise, got {got}.": "edges 须从 0 开始并递增，得到的是 {got}。",
    "every must be year or quarter, got {got}.": "every 必须是 year 或 quarter，得到的是 {got}。",
    "quarters must be a whole number from 1 to {most}, got {got}.": (
        "quarters 必须是 1 到 {most} 的整数，得到的是 {got}。"
    ),
    "weeks must be one or more whole numbers from -52 to 13, got {got}.": (
        "weeks 必须是一个或多个 -52 到 13 的整数，得到的是 {got}。"
    ),
    "bins and resamples must be >= 1, got {bins} and {resamples}.": (
        "bins 与 resamples 必须不小于 1，得到的是 {bins} 与 {resamples}。"
    ),
    "every_days and horizon_days must be > 0 and confidence between 0 and 1, got {every}, {horizon}, {confidence}.": (
        "every_days 与 horizon_days 必须大于 0，confidence 在 0 与 1 之间，得到的是 {every}、{horizon}、{confidence}。"
    ),
    "account_id must be that of a deal known on {day}, got {got}.": (
        "account_id 必须属于 {day} 已知的某个项目，得到的是 {got}。"
    ),
    "deal_id must be a deal that is open on {day}, got {got}.": "deal_id 必须是 {day} 在跟进的项目，得到的是 {got}。",
    "No label {key} in the catalogue.": "词表中没有 {key}。",
    "A report is written as {kinds}, got {got}.": "报告的格式是 {kinds}，得到的是 {got}。",
    "The outlook is of another forecast: ask outlook(forecast, book=book) for this one.": (
        "该展望属于另一个预测：请用 outlook(forecast, book=book) 取得本预测的展望。"
    ),
    # arrays
    "All arrays must have one value per deal, got {sizes}.": "所有数组必须每个项目一个值，得到的是 {sizes}。",
    "{name} must be >= 0 and not missing: {n} are not.": "{name} 必须不小于 0 且不缺失：有 {n} 个不符。",
    "end has missing values; an open deal is written 'open'.": "end 有缺失值；在跟进的项目写作 'open'。",
    "{name} must have one value per deal: {n} ends, shape {shape}.": (
        "{name} 必须每个项目一个值：有 {n} 个结局，形状为 {shape}。"
    ),
    "{name} must be >= 0 and not missing: {n} are not, first at {places}.": (
        "{name} 必须不小于 0 且不缺失：有 {n} 个不符，最前的位置是 {places}。"
    ),
    "draws must have the shape of actual and one more axis: {draws} and {actual}.": (
        "draws 的形状必须是 actual 的形状再加一维：现为 {draws} 与 {actual}。"
    ),
    "lower must be <= upper: {n} are not, first at {places}.": (
        "lower 必须不大于 upper：有 {n} 个不符，最前的位置是 {places}。"
    ),
    "p must lie within 0..1: {n} do not, first at {places}.": (
        "p 必须在 0..1 之内：有 {n} 个不符，最前的位置是 {places}。"
    ),
    "outcome must be 0 or 1: {n} are not, first at {places}.": (
        "outcome 必须是 0 或 1：有 {n} 个不符，最前的位置是 {places}。"
    ),
    "{names} must have one value per row and equal lengths: {shapes}.": "{names} 必须每行一个值且长度相等：{shapes}。",
    "{names} have no row: there is nothing to score.": "{names} 没有任何行：没有可评分的内容。",
    "{name} must be finite and not missing: {n} are not, first at {places}.": (
        "{name} 必须是有限的数且不缺失：有 {n} 个不符，最前的位置是 {places}。"
    ),
    "{name} must be numbers and not missing: {error}.": "{name} 必须是数且不缺失：{error}。",
    "cluster must have one value per row: {n} for {rows} rows.": "cluster 必须每行一个值：{rows} 行却有 {n} 个。",
    "cluster must not be missing: {n} are.": "cluster 不能缺失：有 {n} 个缺失。",
    # too little history
    "No quarter that ended {grace} days before {day} has {n} closed deals before it.": (
        "在 {day} 的 {grace} 天之前结束的季度中，没有一个季度之前已有 {n} 个结束的项目。"
    ),
    "No date lies {horizon} days (and the recording lag) before {day} and after the first deal; choose a shorter "
    "horizon_days.": (
        "在 {day} 的 {horizon} 天（加登记滞后）之前、第一个项目之后，没有任何日期；请选择更短的 horizon_days。"
    ),
    "No deal was open on any of the past dates.": "在所有过往日期都没有在跟进的项目。",
    "No past date has an open deal and a horizon that was fully observed by {day}; origins asked: {n}.": (
        "没有一个过往日期既有在跟进的项目、其期限又在 {day} 前已完整观察；询问的日期数：{n}。"
    ),
    "The process has no nominal win rates to compare with.": "流程没有可供比较的名义赢率。",
    "The process has no nominal win rate of {names}: what nominal rates would have said of past pipelines cannot be "
    "told. State them as nominal_win_rate of these stages.": (
        "流程没有 {names} 的名义赢率：无法得知名义赢率对以往管道会给出什么结果。请在这些阶段写明 nominal_win_rate。"
    ),
    "Reasons compare the open deals of one date; the snapshot holds several.": (
        "理由比较的是同一日期的在跟进项目；该快照含有多个日期。"
    ),
    "A model of time to signing needs {least} signings for each covariate; under observation there are {n}, of {deals} "
    "deals.": "签约时间模型的每个协变量需要 {least} 次签约；观察期内有 {n} 次，来自 {deals} 个项目。",
    "No covariate can enter the model of time to signing: {why}.": "没有协变量可以进入签约时间模型：{why}。",
    "The model of time to signing could not be fitted: {error}": "签约时间模型无法拟合：{error}",
    "The book has no conditions (history field condition) known at {day}.": (
        "截至 {day}，账本中没有阶段条件记录（历史字段 condition）。"
    ),
    "Reps cannot be evaluated: of {n} deals created at least {days} days ago none has an owner. Name the column of "
    "owners as rep_id of deals.": (
        "无法评价销售：{n} 个立项已满 {days} 天的项目都没有负责人。请把项目表中的负责人一列写作 rep_id。"
    ),
    "Reps can be evaluated from {deals} deals created at least {days} days ago on, with {won} won, {lost} not won, and "
    "{reps} reps; here are deals: {n}, won: {n_won}, reps: {n_reps}.": (
        "销售评价至少需要 {deals} 个立项已满 {days} 天的项目，其中 {won} 个赢单、{lost} 个未赢，并有 {reps} 名销售；"
        "现有 {n} 个项目、{n_won} 个赢单、{n_reps} 名销售。"
    ),
    # forecasts, judgement, extracts, ledger
    "A forecast cannot be grouped by {got}; it can by: {names}.": "预测不能按 {got} 分组；可以按：{names}。",
    "won, lost and slipped are lists of deal ids, such as lost=['P01393'].": (
        "won、lost、slipped 是项目编号的列表，例如 lost=['P01393']。"
    ),
    "Deals must be open in the forecast and be named once; not so: {ids}.": (
        "项目必须是预测中在跟进的，且只能写一次；不符的有：{ids}。"
    ),
    "Two forecasts of one period are compared, the earlier one first: {first} as of {first_day} and {second} as of "
    "{second_day} are not.": (
        "比较的必须是同一时期的两次预测，较早的在前：截至 {first_day} 的 {first} 与截至 {second_day} 的 {second} 不是。"
    ),
    "Deals are decided by what_if already ({ids}): judge the forecast first, then ask what if.": (
        "已由 what_if 假定了项目的结果（{ids}）：请先加入人工判断，再做假设。"
    ),
    "judgements: columns missing: {missing}; unknown: {unknown}. Known: {names}.": (
        "人工判断：缺少的列：{missing}；未知的列：{unknown}。可用的列：{names}。"
    ),
    "judgements: row {row}: {column} must be {what}, got {got}.": (
        "人工判断：第 {row} 行：{column} 必须是{what}，得到的是 {got}。"
    ),
    "a chance such as 0.9 or 90%": " 0.9 或 90% 这样的概率",
    "an amount such as 1200000 or 1,200,000": " 1200000 或 120万 这样的金额",
    "yes or no": " yes 或 no（是或否）",
    "judgement of {deal}: deal_id, who, why are texts, chance and amount numbers.": (
        "对 {deal} 的判断：deal_id、who、why 是文本，chance 与 amount 是数。"
    ),
    "judgements: {faults}.": "人工判断：{faults}。",
    "not open in the forecast: {n} ({ids})": "不是预测中在跟进的项目：{n} 个（{ids}）",
    "judged twice: {n} ({ids})": "判断了两次：{n} 个（{ids}）",
    "without who or why: {n} ({ids})": "没有写 who 或 why：{n} 个（{ids}）",
    "must say one of chance, signs_on, excluded, or an amount: {n} ({ids})": (
        "必须在 chance、signs_on、excluded 中写一项，或写 amount：{n} 个（{ids}）"
    ),
    "chance not within 0 and 1: {n} ({ids})": "chance 不在 0 与 1 之间：{n} 个（{ids}）",
    "amount not above 0: {n} ({ids})": "amount 不大于 0：{n} 个（{ids}）",
    "The book has recorded_at: late recording is estimated from it, leave extracts out.": (
        "账本有 recorded_at：登记滞后由它估计，请不要给 extracts。"
    ),
    "extracts end on {end}, after as_of {day}: what they show was not known.": (
        "extracts 截止于 {end}，晚于 as_of {day}：其中的内容当时尚不可知。"
    ),
    "Both extracts must follow one process, got {first} and {second}.": (
        "两份导出必须用同一流程，得到的是 {first} 与 {second}。"
    ),
    "after must be the later extract; before ends on {first}, after on {second}. State extracted_on in book.yaml, or "
    "change their order.": (
        "after 必须是较晚的导出；before 截止于 {first}，after 截止于 {second}。"
        "请在 book.yaml 中写明 extracted_on，或调换顺序。"
    ),
    "The two extracts share no deal_id: are they of one pipeline, with ids that stay?": (
        "两份导出没有相同的 deal_id：它们是否出自同一销售漏斗，编号是否不变？"
    ),
    "{n} of {all} deals of the earlier extract stand in the later one under another deal_id (same creation, "
    "{columns}): {examples}. Give both extracts the same ids.": (
        "较早导出的 {all} 个项目中，有 {n} 个在较晚的导出中换了 deal_id（立项日、{columns} 相同）：{examples}。"
        "请使两份导出的编号一致。"
    ),
    "A what_if is no forecast: record the one that it was asked of.": "what_if 不是预测：请记录它所依据的那次预测。",
    "{folder} has no record {record}; Ledger.list() names those there are.": (
        "{folder} 中没有记录 {record}；Ledger.list() 列出现有的记录。"
    ),
    "The records are about {first} and {second}: not comparable.": "两条记录分别关于 {first} 与 {second}：不可比较。",
    "Record {record} was made {what}: make it again likewise.": "记录 {record} 做出时{what}：重做时也须如此。",
    "with an allowance from two extracts": "含有由两份导出估计的余量",
    "without extracts": "没有用 extracts",
    "Record {record} was made from other data than this book holds (recorded {recorded}, as of {day}). Read the "
    "extract it was made from.": (
        "记录 {record} 所用的数据与本账本不同（记录于 {recorded}，截至 {day}）。请读取当时所用的导出数据。"
    ),
    "Record {record} is damaged: {what}. Restore it from a copy.": "记录 {record} 已损坏：{what}。请用备份恢复。",
    "{file} missing": "{file} 缺失",
    "{file} unreadable": "{file} 无法读取",
    "{file} altered": "{file} 被改动",
    "{file} newer": "{file} 出自更新的版本",
    "{n} records are of another book (unit or fiscal year), e.g. {record}. Keep one ledger a book.": (
        "有 {n} 条记录属于另一个账本（单位或财年不同），例如 {record}。每个账本请单独用一个台账。"
    ),
    "A record keeps texts, numbers, dates, mappings and lists of them, got {kind}.": (
        "记录只保存文本、数、日期以及由它们组成的映射和列表，得到的是 {kind}。"
    ),
    # plots
    "clock_table draws a table with at least one cell; the process names no buyer stages.": (
        "clock_table 所画的表至少要有一格；该流程没有写买方阶段。"
    ),
    "rates_over_time draws one stage, got {got}; choose with over_time['stage'] == 'S5'.": (
        "rates_over_time 只画一个阶段，得到的是 {got}；请用 over_time['stage'] == 'S5' 选择。"
    ),
    "rep_odds draws one rep, got {got}; choose with odds['rep_id'] == 'R01'.": (
        "rep_odds 只画一名销售，得到的是 {got}；请用 odds['rep_id'] == 'R01' 选择。"
    ),
    "The record has no quarter {got}; it has: {names}.": "回测记录中没有季度 {got}；现有：{names}。",
    # simulated companies
    "until {until} lies before as_of {day}.": "until {until} 早于 as_of {day}。",
    "unknown deals: {ids}": "未知的项目：{ids}",
    "as_of {day} must be a day of the simulated years, {years}.": ("as_of {day} 必须在模拟的年份之内：{years}。"),
    # the command line
    "DIR must be a new or an empty folder, got {got}": "DIR 必须是新的或空的文件夹，得到的是 {got}",
    "a date is written 2026-09-30, got {got}": "日期写作 2026-09-30，得到的是 {got}",
    "a period is written 2026Q4, 2026-11 or 2026, got {got}": "时期写作 2026Q4、2026-11 或 2026，得到的是 {got}",
    "an amount is a number above 0, such as 1500 or 5e7, got {got}": (
        "金额是大于 0 的数，如 1500、5e7、3000万 或 1.2亿，得到的是 {got}"
    ),
    "a whole number from {least} to {most}, got {got}": "须为 {least} 到 {most} 的整数，得到的是 {got}",
    "weeks are written 0,4,8,12 and lie between 0 and 13, got {got}": (
        "周次写作 0,4,8,12，且在 0 与 13 之间，得到的是 {got}"
    ),
    "--out must be a folder: {path} is a file": "--out 必须是文件夹：{path} 是文件",
    "the name of this file ends in .csv, got {got}": "该文件名须以 .csv 结尾，得到的是 {got}",
    "the name of this file ends in .xlsx, got {got}": "该文件名须以 .xlsx 结尾，得到的是 {got}",
    "--rep: no rep {got}; this book names no reps": "--rep：没有销售 {got}；本账本没有任何销售",
    "--out cannot be written: {error}": "--out 无法写入：{error}",
    "--earlier is for a book without recorded_at: this one says when rows were recorded": (
        "--earlier 只用于没有 recorded_at 的账本：本账本已写明每行的登记时间"
    ),
    "--earlier: what the two extracts teach is known from the end of the later one on: --as-of must be {end}, got "
    "{got}": "--earlier：两份导出所能说明的内容，到较晚一份的截止日才可知：--as-of 必须是 {end}，得到的是 {got}",
    "--book and --as-of belong together": "--book 与 --as-of 必须一起给出",
    "{path} is not a folder.": "{path} 不是文件夹。",
    "--by: {error}": "--by 有误：{error}",
    "--rep: no rep {got}; known are {names}": "--rep：没有销售 {got}；已知的有 {names}",
    # argparse
    "argument {name}: {error}": "参数 {name}：{error}",
    "the following arguments are required: {names}": "缺少必需的参数：{names}",
    "unrecognized arguments: {names}": "无法识别的参数：{names}",
    "invalid choice: {got} (choose from {names})": "无效的取值 {got}（可选：{names}）",
    "expected one argument": "需要一个值",
    "ignored explicit argument {got}": "不接受取值 {got}",
}
