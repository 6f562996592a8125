import pytest
from joblib import parallel_config

from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.models import past


@pytest.fixture(autouse=True)
def _errors_speak_chinese(monkeypatch):
    """Whatever error a test provokes, its message is known in Chinese."""
    made, init = [], SalesAnalyticsError.__init__
    monkeypatch.setattr(SalesAnalyticsError, "__init__", lambda self, text: (init(self, text), made.append(self))[0])
    yield
    assert [str(error) for error in made if not hasattr(error, "__notes__")] == []


@pytest.fixture(scope="module")
def on_the_stage_table():
    """For what holds on every rung of the ladder: the lowest one is fitted in no time.

    Backtests stay in this process, for another one would not know of it.
    """
    with pytest.MonkeyPatch.context() as patch, parallel_config(backend="sequential"):
        for rung in ("logistic", "blend"):
            patch.setitem(past.MIN_CLOSED, rung, 10**9)
        yield
