"""Deal control: where each deal really is, what looks wrong, what to do next."""

from salesanalytics.control.anomalies import Anomalies, find_anomalies
from salesanalytics.control.clock_table import clock_table
from salesanalytics.control.clocks import deal_clocks
from salesanalytics.control.rule_backtest import backtest_rules
from salesanalytics.control.tasks import next_tasks, week_sheet

__all__ = [
    "Anomalies", "backtest_rules", "clock_table", "deal_clocks", "find_anomalies", "next_tasks", "week_sheet",
]  # fmt: skip
