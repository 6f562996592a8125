"""The pack a person opens."""

from salesanalytics.report.html import write_report

__all__ = ["write_report"]
