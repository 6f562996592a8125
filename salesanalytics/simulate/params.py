"""What the simulated company is like: one frozen dataclass for each piece of its life."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Arrivals:
    """How many projects are opened, and when.

    Attributes
    ----------
    growth_per_year : float
        Relative growth of the rate a year.
    season : tuple of 12 floats
        Relative rate of each calendar month.
    spread : float
        Standard deviation of the log rate from quarter to quarter.
    """

    growth_per_year: float = 0.08
    season: tuple[float, ...] = (0.7, 0.6, 1.2, 1.1, 1.0, 1.1, 0.9, 0.9, 1.1, 1.0, 1.1, 1.3)
    spread: float = 0.15


@dataclass(frozen=True)
class Facts:
    """What is known of a project when it is opened. Values carry their share, and what they add to the log hazards
    of the buyer moving on (``pace``) and of the deal being lost (``risk``).
    """

    product: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "压缩机": (0.40, 0.00, 0.00),
            "换热器": (0.30, 0.10, -0.05),
            "控制系统": (0.20, 0.15, 0.10),
            "成套装置": (0.10, -0.30, 0.15),
        }
    )
    region: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {"华东": (0.45, 0.05, -0.05), "华北": (0.30, 0.0, 0.0), "西南": (0.25, -0.05, 0.05)}
    )
    source: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "老客户": (0.35, 0.10, -0.35),
            "设计院": (0.25, 0.0, -0.10),
            "展会": (0.20, -0.05, 0.15),
            "招标网": (0.20, 0.05, 0.40),
        }
    )
    route: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "open_tender": (0.40, -0.05, 0.20),
            "invited_tender": (0.25, 0.0, 0.05),
            "negotiated": (0.20, 0.10, -0.20),
            "rfq": (0.10, 0.20, 0.0),
            "single_source": (0.05, 0.30, -0.50),
        }
    )
    log_amount_mean: float = 13.8
    log_amount_spread: float = 1.0
    product_amount: dict[str, float] = field(default_factory=lambda: {"成套装置": 1.2, "控制系统": -0.3})
    size_pace: float = -0.12
    quality_spread: float = 0.8
    fast_track: float = 0.18
    fast_entry_stage: int = 4
    late_entry: float = 0.12


@dataclass(frozen=True)
class Walk:
    """Daily hazards. ``buyer_days`` is the mean time the customer spends in each buying stage; the other hazards are
    a day, by buying stage where there are eight.
    """

    buyer_days: tuple[float, ...] = (45, 40, 45, 40, 30, 25, 22, 14)
    lost: tuple[float, ...] = (0.0016, 0.0016, 0.0016, 0.0022, 0.0075, 0.0080, 0.0030, 0.0010)
    no_decision: tuple[float, ...] = (0.0030, 0.0022, 0.0014, 0.0010, 0.0006, 0.0004, 0.0003, 0.0002)
    withdrawn: float = 0.0003
    seller_days: float = 9.0
    ahead_days: float = 90.0
    quality_pace: float = 0.20
    quality_risk: float = -0.55
    skill_risk: float = -1.0
    fast_pace: float = 1.5
    hold: float = 0.0007
    resume_days: float = 70.0
    regress: float = 0.0006
    skip: float = 0.06
    dead: float = 0.0005
    reopen: float = 0.0006
    reopen_days: int = 240
    quarter_end_pull: float = 1.6
    pull_days: int = 12
    shock: float = 0.25


@dataclass(frozen=True)
class Reps:
    """The sales force. ``harder_for_strong`` gives strong reps the hard deals (correlation of skill and quality)."""

    n: int = 14
    teams: tuple[str, ...] = ("华东一部", "华北二部", "西南三部")
    skill_spread: float = 0.35
    harder_for_strong: float = 0.4
    discipline_mean: float = 0.68
    discipline_spread: float = 0.13
    optimism_spread: float = 0.6
    owner_change: float = 0.0004
    effective_conditions: tuple[str, ...] = ("S1.C2", "S2.C4", "S3.C2", "S4.C3", "S5.C2", "S6.C1")
    condition_effect: float = 0.35


@dataclass(frozen=True)
class Recording:
    """How late things are typed in: a share at once, the rest after an exponential lag in days."""

    at_once: float = 0.6
    mean_lag_days: float = 4.0
    slow_share: float = 0.06
    slow_mean_days: float = 25.0
    creation_mean_lag_days: float = 6.0


@dataclass(frozen=True)
class Company:
    """All of it."""

    arrivals: Arrivals = Arrivals()
    facts: Facts = Facts()
    walk: Walk = Walk()
    reps: Reps = Reps()
    recording: Recording = Recording()
    start: str = "2022-07-01"
    end: str = "2026-09-30"
