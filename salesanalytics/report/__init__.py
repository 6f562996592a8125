"""The pack a person opens."""

from salesanalytics.report.write import write_report

__all__ = ["write_report"]
