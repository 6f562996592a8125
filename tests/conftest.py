import pytest
from joblib import parallel_config

from salesanalytics.models import past


@pytest.fixture(scope="module")
def on_the_stage_table():
    """For what holds on every rung of the ladder: the lowest one is fitted in no time.

    Backtests stay in this process, for another one would not know of it.
    """
    with pytest.MonkeyPatch.context() as patch, parallel_config(backend="sequential"):
        for rung in ("logistic", "blend"):
            patch.setitem(past.MIN_CLOSED, rung, 10**9)
        yield
