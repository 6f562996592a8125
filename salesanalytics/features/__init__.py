"""Features: pure functions from a snapshot to columns."""

from salesanalytics.features.history import DEFAULT_FEATURES
from salesanalytics.features.snapshots import snapshots

__all__ = ["DEFAULT_FEATURES", "snapshots"]
