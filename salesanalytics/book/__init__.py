"""The doors of the house: files and frames become a validated book."""

from salesanalytics.book.dealbook import DealBook
from salesanalytics.book.read import make_book, read_book
from salesanalytics.book.settings import BookSettings, TableSource

__all__ = ["BookSettings", "DealBook", "TableSource", "make_book", "read_book"]
