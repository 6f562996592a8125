"""Features: pure functions from a snapshot to columns."""

from salesanalytics.features.snapshots import DEFAULT_FEATURES, snapshots

__all__ = ["DEFAULT_FEATURES", "snapshots"]
