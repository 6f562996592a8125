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
    of the buyer moving on (``pace``) and of the deal being lost (``risk``). Amounts are lognormal, in CNY; large deals
    are slower by ``size_pace`` a unit of log amount. ``fast_track`` deals start at ``fast_entry_stage`` and are smaller
    by ``fast_discount`` (log); a share ``late_entry`` of the others is heard of when the customer is in stage 3 to 5.
    The source ``old_customer`` comes from an account that had a deal before.
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
    old_customer: str = "老客户"
    log_amount_mean: float = 13.8
    log_amount_spread: float = 1.0
    product_amount: dict[str, float] = field(default_factory=lambda: {"成套装置": 1.2, "控制系统": -0.3})
    size_pace: float = -0.12
    quality_spread: float = 0.8
    fast_track: float = 0.13
    fast_entry_stage: int = 4
    fast_discount: float = 0.8
    late_entry: float = 0.12


@dataclass(frozen=True)
class Walk:
    """Hazards of a working day; weekends move nothing. By buying stage where there are eight.

    Attributes
    ----------
    buyer_days : tuple of 8 floats
        Mean time of a neutral deal in each buying stage, working days; from the last it signs.
    lost, no_decision, withdrawn : float or tuple
        Hazards of the ends of a neutral deal.
    seller_days, ahead_days : float
        Mean working days until the rep follows the customer, and until he runs one stage ahead of it.
    quality_pace, quality_risk, skill_risk : float
        What one unit of hidden quality, of the rep's skill, adds to the log hazards.
    fast_pace : float
        What the fast track adds to the log hazard of moving on.
    hold, resume_days, regress, skip, dead : float
        Put on hold and mean working days until resumed; going back; share of steps that skip a stage, of those that
        could; becoming dead stock.
    reopen, reopen_days : float, int
        Hazard of an ended deal coming back, and for how many calendar days.
    quarter_end_pull, pull_days : float, int
        Factor on signing in the last days (calendar) of a quarter; before that it is its fourth root lower.
    shock : float
        Standard deviation of the common shift of a quarter on the log hazards of moving on and signing.
    """

    buyer_days: tuple[float, ...] = (42, 40, 42, 36, 26, 22, 20, 12)
    lost: tuple[float, ...] = (0.0028, 0.0030, 0.0032, 0.0042, 0.0140, 0.0150, 0.0060, 0.0020)
    no_decision: tuple[float, ...] = (0.0075, 0.0055, 0.0035, 0.0022, 0.0012, 0.0008, 0.0005, 0.0003)
    withdrawn: float = 0.0004
    seller_days: float = 6.0
    ahead_days: float = 110.0
    quality_pace: float = 0.20
    quality_risk: float = -0.55
    skill_risk: float = -1.0
    fast_pace: float = 1.5
    hold: float = 0.0010
    resume_days: float = 50.0
    regress: float = 0.0008
    skip: float = 0.15
    dead: float = 0.0005
    reopen: float = 0.0006
    reopen_days: int = 240
    quarter_end_pull: float = 3.0
    pull_days: int = 12
    shock: float = 0.25


@dataclass(frozen=True)
class Reps:
    """The sales force.

    Attributes
    ----------
    harder_for_strong : float
        Strong reps get the hard deals: minus the correlation of skill and hidden quality.
    discipline_mean, discipline_spread : float
        Chance that a rep does a condition.
    optimism_spread : float
        Of the logit of a rep's own probabilities: happy ears above 0, sandbagging below. Optimists also run ahead of
        the customer more often.
    insight : float
        How much of one unit of hidden quality a rep's own probability knows, on the logit scale.
    owner_change : float
        Hazard a calendar day that a colleague of the same region takes over.
    bulk_tick : float
        Share of stages whose conditions are ticked all at once on leaving it, done or not.
    back_date : float
        Share of stages left whose conditions are typed in weeks later and dated as if that had been done in time.
    effective_conditions : tuple of str
        Those that help, by ``condition_effect`` on the log hazards while the stage lasts; all others do nothing.
    """

    n: int = 14
    teams: tuple[str, ...] = ("华东一部", "华北二部", "西南三部")
    skill_spread: float = 0.35
    harder_for_strong: float = 0.4
    discipline_mean: float = 0.68
    discipline_spread: float = 0.13
    optimism_spread: float = 0.6
    insight: float = 0.5
    owner_change: float = 0.0010
    bulk_tick: float = 0.10
    back_date: float = 0.0
    effective_conditions: tuple[str, ...] = ("S1.C2", "S2.C4", "S3.C2", "S4.C3", "S5.C2", "S6.C1")
    condition_effect: float = 0.5


@dataclass(frozen=True)
class Recording:
    """How late things are typed in, in working days: a share on the same day, the rest after 1 day or more
    (geometric), a share of those after weeks; nothing before the deal itself, which is typed in some days after its
    creation (geometric, 0 included). The means are exact.
    """

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
