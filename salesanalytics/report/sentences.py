"""What a reader has to know of a forecast, of scores and of the model behind them, in sentences."""

from __future__ import annotations

import pandas as pd

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import has_label, label, number, percent, signed
from salesanalytics.models import AucInterval
from salesanalytics.models.ladder import Rung

TOP_REASONS = 4
WHY_UNTESTED = ("note_no_backtest", "note_backtest_of_quarters")


def note_texts(forecast: QuarterForecast, lang: str) -> list[str]:
    """What the reader has to know, in words."""
    tested = forecast.record is not None or any(key in WHY_UNTESTED for key, _ in forecast.notes)
    notes = [*forecast.notes, *([] if tested else [("note_bands", {})])]
    return [label(key, lang, **values) for key, values in notes]


def ceiling_text(forecast: QuarterForecast, lang: str) -> str:
    """How wrong even perfect chances would be; nothing where nothing is expected."""
    told = forecast.amounts_known and forecast.ceiling == forecast.ceiling
    return label("accuracy_ceiling", lang, share=percent(forecast.ceiling)) if told else ""


def method_text(forecast: QuarterForecast, lang: str) -> str:
    """Draws, seed, and which model stands behind the numbers."""
    days = forecast.half_life_days
    half_life = label("half_life", lang, days=number(days)) if days < float("inf") else label("no_half_life", lang)
    shock, rung = f"{forecast.shock_spread:.2f}", label(f"rung_{forecast.rung.name}", lang)
    method = label("method_line", lang, rung=rung, half_life=half_life, shock=shock)
    line = label("draws_line", lang, n=number(len(forecast.total())), seed=forecast.seed, method=method)
    return label("two_sentences", lang, first=line, second=rung_text(forecast.rung, lang))


def rung_text(rung: Rung, lang: str) -> str:
    """Why the model in use is the one in use: by count, and by the test on past dates."""
    losses = label("list_comma", lang).join(
        f"{label(f'rung_{name}', lang)} {loss:.3f}" for name, loss in rung.log_loss.items()
    )
    by_test = label(f"rung_{rung.by_test}", lang)
    tested = label("rung_tested", lang, n=number(rung.n_judged), by_test=by_test, losses=losses)
    test = tested if len(rung.log_loss) > 1 else label("rung_untested", lang)
    by_count = label(f"rung_{rung.by_count}", lang)
    return label("rung_reasons", lang, n=number(rung.n_closed), by_count=by_count, test=test)


def signal_text(found: AucInterval, lang: str) -> str:
    """Whether the past could tell won deals from lost ones."""
    told = {name: f"{getattr(found, name):.2f}" for name in ("auc", "lower", "upper")}
    key = "signal" if found.signal else "no_signal"
    return label(key, lang, n=number(found.n_clusters), level=percent(found.confidence), **told)


def reason_lines(reasons: pd.DataFrame, lang: str) -> list[str]:
    """One line a deal (`close_reasons`): its chance, that of the average deal in its state, the strongest reasons."""
    lines = []
    for deal, part in reasons.groupby("deal_id", sort=False):
        strongest = part.head(TOP_REASONS)
        moves = [
            f"{reason_name(r, lang)} {signed(100 * e, 1)}"
            for r, e in zip(strongest["reason"], strongest["effect"], strict=True)
        ]
        p, average = (percent(part[c].iloc[0], 1) for c in ("p_won_until", "p_average"))
        parts = label("list_comma", lang).join(moves)
        lines.append(label("reasons_line", lang, deal=deal, p=p, average=average, parts=parts))
    return lines


def reason_name(reason: str, lang: str) -> str:
    """Words for a reason; an attribute that is not one of the contract's keeps its own name."""
    key = reason if reason.startswith("reason_") else f"reason_{reason}"
    return label(key, lang) if has_label(key) else reason
