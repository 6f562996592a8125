"""Everything the library raises or warns about on purpose."""

from __future__ import annotations

from salesanalytics.errors.chinese import in_chinese


class SalesAnalyticsError(Exception):
    """Root of all errors raised on purpose: an English message, and the same in Chinese as a note of the traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        chinese = in_chinese(message)
        if chinese != message:
            self.add_note(chinese)


class ProcessError(SalesAnalyticsError):
    """A process file breaks its rules; the message lists every fault."""


class SchemaError(SalesAnalyticsError):
    """Data break the contract so badly that reading stops; the message lists every fault."""


class AsOfError(SalesAnalyticsError):
    """A date lies outside what the book can know, or a period is written wrongly."""


class InsufficientDataError(SalesAnalyticsError):
    """There is too little history for the question; the message says what is there and what is needed."""


class SalesAnalyticsWarning(UserWarning):
    """Root of all warnings raised on purpose."""
