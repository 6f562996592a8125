"""The pack a person opens."""

from salesanalytics.report.control_page import write_control_report
from salesanalytics.report.rep_page import write_rep_report
from salesanalytics.report.tasks import write_tasks
from salesanalytics.report.write import write_report

__all__ = ["write_control_report", "write_rep_report", "write_report", "write_tasks"]
