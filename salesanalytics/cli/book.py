"""Commands about the book and its chances: check, rates, score, sample."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING, Any

from salesanalytics.cli.options import records, width
from salesanalytics.labels import label

if TYPE_CHECKING:
    from salesanalytics.book import DealBook
    from salesanalytics.cli.options import Answer


def check(book: DealBook, given: Namespace) -> Answer:
    """What the door of the book saw."""
    from salesanalytics.report.text import check_text

    if given.json:
        tables = {"rows": records(book.rows), "faults": records(book.faults)}
        return {"process": book.process.id, "extracted_on": book.settings.extracted_on, **tables}
    return check_text(book, given.lang, width())


def rates(book: DealBook, given: Namespace) -> Answer:
    """Stage win rates."""
    from salesanalytics.models import (
        nominal_rates_effect,
        propose_nominal_rates,
        rate_drift,
        rising_rates,
        segments_differ,
        stage_rates_over_time,
        stage_win_rates,
    )
    from salesanalytics.report import rates as texts
    from salesanalytics.report.text import fold
    from salesanalytics.timeline.asof_values import groupings, is_grouping

    if given.by and not is_grouping(book, given.by):
        raise ArgumentTypeError(f"--by must be one of {', '.join(groupings(book))}, got {given.by!r}")
    asked: dict[str, Any] = {"as_of": given.as_of, "horizon_days": given.horizon}
    rates = stage_win_rates(book, by=given.by, **asked)
    tests = segments_differ(book, as_of=given.as_of, by=given.by) if given.by else None
    if tests is not None and not given.json:
        table = texts.rates_text(rates, book, given.lang, width(), as_of=given.as_of, by=given.by)
        more = "\n".join([*fold(label("rates_by_whole", given.lang), width()), ""])
        return "\n".join([table, texts.differ_text(tests, book, given.lang, width()), more])
    proposal, rising = propose_nominal_rates(book, **asked), rising_rates(book, **asked)
    nominal = book.process.nominal_win_rates.values()
    has_nominal = any(nominal) and None not in nominal
    effect = nominal_rates_effect(book, **asked) if has_nominal else None
    over_time = stage_rates_over_time(book, **asked)
    drift = rate_drift(over_time)
    if given.json:
        return {
            "as_of": given.as_of, "rates": records(rates), "proposal": records(proposal),
            "rising": {"rise": rising.rise, "p_value": rising.p_value, "stages": records(rising.stages)},
            "effect": effect and {"quarters": records(effect.quarters), "methods": records(effect.methods)},
            "over_time": records(over_time), "drift": records(drift),
            "segments_differ": None if tests is None else records(tests),
        }  # fmt: skip
    parts = [
        texts.rates_text(rates, book, given.lang, width(), as_of=given.as_of),
        texts.gap_text(rates, book, given.lang, width()),
        texts.over_time_text(over_time, drift, book, given.lang, width()),
        texts.proposal_text(proposal, rising, book, given.lang, width()),
    ]
    return "\n".join(parts) + (texts.effect_text(effect, given.lang, width()) if effect else "")


def score(book: DealBook, given: Namespace) -> Answer:
    """Chances of open deals, with reasons."""
    from salesanalytics.features import snapshots
    from salesanalytics.forecast import score_open_deals
    from salesanalytics.models import backtest_probabilities, close_reasons
    from salesanalytics.models.close_model import fitted_close_model
    from salesanalytics.report.chances import chances_text
    from salesanalytics.report.tables import write_csv
    from salesanalytics.report.text import score_text

    deals = score_open_deals(book, as_of=given.as_of, until=given.until)
    model = fitted_close_model(book, as_of=given.as_of)
    snapshot = snapshots(book, as_of=given.as_of)
    reasons = close_reasons(model, snapshot, until=given.until, deal_ids=deals["deal_id"].head(given.why))
    if given.out:
        write_csv(deals, given.out)
    past = backtest_probabilities(book, as_of=given.as_of, origins=given.backtest) if given.backtest else None
    asked = {"as_of": given.as_of, "until": given.until}
    if given.json:
        told = model.won_or_lost()
        stands = vars(model.rung_) | {"won_or_lost": vars(told) if told else None}
        found = asked | {"model": stands, "deals": records(deals), "reasons": records(reasons)}
        return found | ({"backtest": {"scores": records(past.scores), "rungs": records(past.rungs)}} if past else {})
    text = score_text(deals, reasons, book, given.lang, width(), model=model, **asked)
    return text + ("\n" + chances_text(past, given.lang, width()) if past else "")


def sample(given: Namespace) -> Answer:
    """A company to practise on."""
    from salesanalytics.simulate import Company, write_sample

    if given.path.exists() and (not given.path.is_dir() or any(given.path.iterdir())):
        raise ArgumentTypeError(f"DIR must be a new or an empty folder, got {given.path}")
    folder = write_sample(given.path, n_deals=given.deals, seed=given.seed)
    as_of, files = Company().end, sorted(map(str, folder.iterdir()))
    if given.json:
        return {"as_of": as_of, "deals": given.deals, "seed": given.seed, "files": files}
    paths = label("list_comma", given.lang).join(files)
    return f"{label('written', given.lang, paths=paths)}\n{label('known_until', given.lang, as_of=as_of)}\n"
