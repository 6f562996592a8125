"""Words of the command line: what ``--help`` says of each command and option."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "help_about": ("Forecasts of project sales that show their work.", "项目型销售的预测，每一步都可查证。"),
    "help_usage": ("usage: ", "用法："),
    "help_error": ("error: ", "错误："),
    "help_commands": ("commands", "命令"),
    "help_arguments": ("positional arguments", "位置参数"),
    "help_options": ("options", "选项"),
    "help_help": ("show this help and stop", "显示本帮助后退出"),
    "help_book": ("folder of the book", "账本（数据）文件夹"),
    "help_new_folder": ("a new or an empty folder", "新的或空的文件夹"),
    "help_ledger_folder": ("folder of the ledger", "台账所在文件夹"),
    "help_json": ("print one JSON object for machines", "输出一个供程序读取的 JSON 对象"),
    "help_lang": ("language of the texts, this help too (en)", "文字（含本帮助）的语言（默认 en）"),
    "help_as_of": ("use only what was known at the end of that day", "只用截至该日日终已知的信息"),
    "help_period": ("2026Q4, 2026-11 or 2026", "2026Q4、2026-11 或 2026"),
    "help_check": (
        "read a book and say what was kept, set aside and why",
        "读取账本，说明保留了什么、剔除了什么及原因",
    ),
    "help_rates": ("stage win rates against their nominal values", "各阶段实际赢率与名义赢率对比"),
    "help_rates_by": (
        "one row a stage and value: rep_id, team, a column of deals, a history field",
        "按阶段和取值各一行：rep_id、team、deals 表的列或历史字段",
    ),
    "help_rates_horizon": ("a signing counts within (730)", "在多少天内签约才算（默认 730）"),
    "help_score": ("chances of every open deal", "每个在跟进项目的签约概率"),
    "help_score_until": ("a signing counts up to that day, inclusive", "截至该日（含）签约才算"),
    "help_score_why": (
        "reasons of the N deals with the largest expected amount (5)",
        "给出预期金额最大的 N 个项目的理由（默认 5）",
    ),
    "help_score_backtest": (
        "also what became of chances given on N past dates, 91 days apart, by method (each is fitted anew)",
        "另列过去 N 个日期（相隔 91 天）各方法给出的概率与实际结果（逐一重新拟合）",
    ),
    "help_score_out": ("write all deals to this csv file", "把全部项目写入该 csv 文件"),
    "help_forecast": ("the quarter as a distribution", "以概率分布预测季度"),
    "help_forecast_target": (
        "amount to reach, such as 5e7 or 30,000,000 (default: from targets of the book)",
        "要达到的金额，如 3000万、1.2亿 或 5e7（默认取账本中的目标）",
    ),
    "help_forecast_draws": ("number of draws (10000)", "模拟次数（默认 10000）"),
    "help_forecast_seed": ("same seed, same numbers (0)", "随机种子相同则结果相同（默认 0）"),
    "help_forecast_by": (
        "also one row a team, rep_id, manager_id, manager_level_1, region, stage, month or attribute",
        "另按 team、rep_id、manager_id、manager_level_1、region、stage、month 或属性列各一行",
    ),
    "help_forecast_since": (
        "also tell what moved the forecast and the open pipeline since that day",
        "同时说明自该日以来预测与在跟进项目为何变动",
    ),
    "help_forecast_judgement": (
        "csv of what people put over the model: deal_id, who, why, chance, ...",
        "人工判断的 csv：deal_id、who、why、chance 等列",
    ),
    "help_forecast_earlier": (
        "an earlier extract of the book, where it has no recorded_at",
        "账本没有 recorded_at 时，同一账本较早的一次导出",
    ),
    "help_forecast_backtest": (
        "test the bands on N past quarters and widen them by it (12 with --out, else 0)",
        "用过去 N 个季度检验区间并据此放宽（有 --out 时默认 12，否则 0）",
    ),
    "help_forecast_out": (
        "write forecast.html, forecast.xlsx, deals.csv there; record in ledger",
        "在该处写出 forecast.html、forecast.xlsx、deals.csv，并记入台账",
    ),
    "help_backtest": ("past quarters forecast again, beside what was signed", "对过去季度重新预测，并与实际签约对照"),
    "help_backtest_quarters": ("how many finished quarters (12)", "已结束的季度数（默认 12）"),
    "help_backtest_weeks": ("weeks into the quarter, such as 0,4,8,12 (0)", "季度内第几周，多个以逗号分隔（默认 0）"),
    "help_backtest_cache": (
        "keep the result there; found again while the past stays as it was",
        "把结果存于该处；只要历史数据不变便可直接取用",
    ),
    "help_change": (
        "what moved a forecast and the open pipeline between two dates",
        "两个日期之间预测与在跟进项目为何变动",
    ),
    "help_change_before": ("the earlier date", "较早的日期"),
    "help_alerts": ("what is wrong with open deals, by the rules of the process", "按流程规则找出在跟进项目的异常"),
    "help_alerts_top": ("the N gravest (20)", "最严重的 N 条（默认 20）"),
    "help_alerts_out": (
        "write control.html there: the whole page of deal control",
        "在该处写出项目管控页 control.html",
    ),
    "help_scrub": ("what to mend in the open deals before a forecast", "预测前在跟进项目需要修正之处"),
    "help_scrub_quarter": (
        "also the amount that each deal is expected to bring then",
        "另列出每个项目在该期间的期望金额",
    ),
    "help_first": ("the first N (20)", "前 N 条（默认 20）"),
    "help_tasks": ("what is due for the open deals", "在跟进项目的待办事项"),
    "help_tasks_rep": ("of one rep only", "只看一名销售"),
    "help_tasks_out": ("write a sheet for each owner to this .xlsx file", "按负责人分表写入该 .xlsx 文件"),
    "help_reps": ("how reps do, given the deals they were dealt", "考虑所分项目之后的销售表现"),
    "help_reps_out": (
        "write index.html, a page a rep and reps.xlsx there",
        "在该处写出 index.html、每人一页及 reps.xlsx",
    ),
    "help_ledger": ("recorded forecasts, and how they did", "已记录的预测及其表现"),
    "help_ledger_book": ("judge those whose quarter is over by this book", "用该账本评判季度已结束的预测"),
    "help_sample": ("write a simulated company to practise on", "写出一家模拟公司的数据供练习"),
    "help_sample_deals": ("projects opened in four years (1500)", "四年内立项数（默认 1500）"),
    "help_sample_seed": ("same seed, same company (20260930)", "种子相同则公司相同（默认 20260930）"),
}
