import itertools
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from salesanalytics import plots, signing_curves, simulate_book, stage_flow
from salesanalytics.errors import InsufficientDataError
from salesanalytics.forecast import Change, PipelineChange, QuarterForecast, TrackRecord
from salesanalytics.forecast.draws import Signings
from salesanalytics.labels import amount_label, label, number, percent, short
from salesanalytics.models.ladder import Rung
from salesanalytics.plots.fonts import beside_axis, chinese_woff, drawable
from salesanalytics.process import read_process
from salesanalytics.report import pipeline_rows
from salesanalytics.report.review_rows import cause_rows, change_ends, moved_deal_rows
from salesanalytics.timeline import parse_period

LANGUAGES = ("en", "zh")
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(1)",
    "-2",
    "$\\frac{$ $x",
    "西河造纸 𠀀\n乙",
    None,
)

BARE = SimpleNamespace(ratios={})  # amounts do not change
NO_SIGNINGS = Signings(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0), 2000)
RUNG = Rung("logistic", "logistic", "blend", 120, 400, {"stage_table": 0.3, "logistic": 0.25, "blend": 0.24})


def small_forecast(*, names=HOSTILE, scale=1.0, target=60.0, unit="CNY", recorded=True):
    """A forecast of a few deals, made without a model."""
    rng, n = np.random.default_rng(1), len(names)
    p, amount = np.linspace(0.9, 0.05, n), scale * np.linspace(20, 5, n)
    amount[-1:] = np.nan
    drawn = rng.random((2000, n)) < p
    count = {"signed": np.full(2000, 2.0), "open": drawn.sum(1).astype(float), "reopened": np.zeros(2000)}
    money = {"signed": np.full(2000, 7.0 * scale), "open": drawn @ np.nan_to_num(amount), "reopened": np.zeros(2000)}
    if recorded:
        count["unrecorded"], money["unrecorded"] = np.zeros(2000), np.zeros(2000)
    count["new"] = rng.poisson(1.0, 2000).astype(float)
    money["new"] = 10 * scale * count["new"]
    deals = pd.DataFrame(
        {
            "deal_id": [name or f"D{i}" for i, name in enumerate(names)],
            "name": pd.Series(names, dtype=object),
            "rep_id": pd.Series(names, dtype=object),
            "state": "S3",
            "stage": "S3",
            "days_in_state": np.arange(n) * 400,
            "amount": amount,
            "p_in_period": p,
            "p_won": p,
            "p_model": p,
            "p_rep": np.nan,
            "close_date": pd.NaT,
            "usual_amount": 10 * scale,
            "expected_amount": p * np.where(np.isnan(amount), 10 * scale, amount),
            "sign_q50": pd.Series(pd.Timestamp("2026-11-01"), index=range(n)).where(p > 0.1),
            "older_than_any_win": p < 0.1,
        }
    )
    methods = ["nominal_weighted", "stage_week_conversion", "same_quarter_last_year", "mean_of_last_four"]
    simple = pd.DataFrame(
        {"method": methods, "count": [3.0, 4, np.nan, 2], "amount": [30 * scale, 40 * scale, np.nan, 20]}
    )
    return QuarterForecast(
        period=parse_period("2026Q4"), as_of=date(2026, 9, 30), count=count, amount=money, deals=deals,
        signings=NO_SIGNINGS, signed=deals.head(0)[["deal_id", "amount"]], prepared=BARE, ceiling=0.2, record=None,
        baselines=simple.assign(basis=["all open deals", "last 4 periods", "actual", "actual"]),
        target=None if target is None else target * scale, unit=unit, process=read_process(), half_life_days=365.0,
        rung=RUNG, shock_spread=0.2, notes=(("note_dead_stock", {"n": 1, "largest": "1.2 %"}),), seed=0,
    )  # fmt: skip


def drawn(ax):
    """Draw it for good: a glyph that is missing warns, and a warning is an error."""
    ax.figure.canvas.draw()
    return ax


def texts(ax):
    return [text.get_text() for text in ax.findobj(matplotlib.text.Text)]


@pytest.fixture(scope="module")
def forecast():
    return small_forecast()


@pytest.fixture
def rates():
    stage = [f"S{i}" for i in range(1, 9)]
    p = np.linspace(0.1, 0.95, 8)
    frame = pd.DataFrame({"stage": stage, "p_won_in_stock": p, "n_in_stock": 1200, "closed_only_rate": p})
    frame = frame.assign(lower_in_stock=p - 0.05, upper_in_stock=p + 0.04, nominal=p + 0.02)
    return frame.assign(horizon_days=730, confidence=0.9)


@pytest.fixture(autouse=True)
def _close_figures():
    plt.close("all")  # those of other files
    yield
    plt.close("all")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("measure", ["amount", "count"])
@pytest.mark.parametrize("plot", [plots.forecast_distribution, plots.forecast_components])
def test_pictures_of_a_forecast_draw_on_the_axes_given(forecast, plot, measure, lang):
    figure, (left, right) = plt.subplots(1, 2)
    right.set_title("mine", fontfamily="DejaVu Serif")
    settings = dict(matplotlib.rcParams)
    ax = plot(forecast, measure=measure, ax=left, lang=lang)
    assert ax is left
    assert drawn(ax).get_title(loc="left")
    assert dict(matplotlib.rcParams) == settings
    assert right.title.get_fontfamily() == ["DejaVu Serif"]
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_contributions_and_rates_draw_on_the_axes_given(forecast, rates, lang):
    ax = plt.subplots()[1]
    assert drawn(plots.contributions(forecast, ax=ax, lang=lang)) is ax
    ax = plt.subplots()[1]
    assert drawn(plots.stage_rates(rates, ax=ax, lang=lang)) is ax


def test_distribution_shows_the_draws_their_bands_the_mean_and_the_target(forecast):
    ax = drawn(plots.forecast_distribution(forecast))
    total, bands = forecast.total(), forecast.bands()
    outline = [patch for patch in ax.patches if hasattr(patch, "get_data")]
    shares, edges = outline[0].get_data().values, outline[0].get_data().edges
    expected = np.histogram(total, bins=edges)[0] / len(total)
    np.testing.assert_allclose(shares, expected)
    assert shares.sum() > 0.99
    for patch, level in zip(outline[1:], ("80", "50"), strict=True):
        np.testing.assert_allclose(ax.transData.inverted().transform(patch.clipbox)[:, 0], bands[level], rtol=1e-6)
    assert [line.get_xdata()[0] for line in ax.lines] == [total.mean(), forecast.target]
    assert ax.get_xlabel() == "Amount (CNY)"


@pytest.mark.parametrize(("target", "arrow"), [(60.0, ""), (60_000.0, " →"), (-60_000.0, " ←")])
def test_a_target_far_off_leaves_the_axis_to_the_draws(target, arrow):
    forecast = small_forecast(target=target)
    low, high = np.quantile(forecast.total(), [0.001, 0.995])
    for plot in (plots.forecast_distribution, plots.target_curve):
        ax = drawn(plot(forecast))
        left, right = ax.get_xlim()
        assert left <= low < high <= right
        assert high - low > 0.5 * (right - left)
        assert any(short(target) in text for text in texts(ax))
    ax = drawn(plots.forecast_distribution(forecast))
    assert [t.get_text() for t in ax.get_legend().get_texts()][-1] == f"Target {short(target)}{arrow}"


def test_counts_have_one_bar_each(forecast):
    ax = drawn(plots.forecast_distribution(forecast, measure="count"))
    edges = ax.patches[0].get_data().edges
    assert set(np.diff(edges)) == {1.0}
    assert edges[0] % 1 == 0.5
    assert len(ax.lines) == 1  # the target is an amount


@pytest.mark.parametrize("recorded", [True, False])
def test_components_are_those_of_the_table(recorded):
    forecast = small_forecast(recorded=recorded)
    ax = drawn(plots.forecast_components(forecast, lang="zh"))
    table = forecast.components().dropna(subset="amount").iloc[::-1]
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], table["amount"])
    ends = [(line[0][0], line[1][0]) for line in ax.collections[0].get_segments()]
    np.testing.assert_allclose(ends, table[["amount_lower", "amount_upper"]])
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == [label(c, "zh") for c in table["component"]]
    assert (label("unrecorded", "zh") in names) is recorded


def test_contributions_are_the_largest_expected_amounts(forecast):
    ax = drawn(plots.contributions(forecast, top=3))
    largest = forecast.deals.nlargest(3, "expected_amount").iloc[::-1]
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], largest["expected_amount"])
    first = largest.iloc[-1]
    assert f"{percent(first['p_in_period'], 1)} × {number(first['amount'], 1)}" in texts(ax)
    assert ax.get_yticklabels()[-1].get_text() == "<script>alert(1)</script>"


@pytest.mark.parametrize(("lang", "unit", "factor"), [("en", "million CNY", 1e6), ("zh", "万元", 1e4)])
def test_long_amounts_are_drawn_in_large_units(lang, unit, factor):
    forecast = small_forecast(scale=1e6)
    ax = drawn(plots.forecast_distribution(forecast, lang=lang))
    assert unit in ax.get_xlabel()
    assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx(
        [forecast.total().mean() / factor, forecast.target / factor]
    )
    ax = drawn(plots.forecast_components(forecast, lang=lang))
    assert unit in ax.get_xlabel()
    assert ax.patches[0].get_width() == pytest.approx(forecast.total().mean() / factor)
    ax = drawn(plots.contributions(forecast, lang=lang, top=2))
    assert unit in ax.get_xlabel()
    shown = [text.split("× ")[1] for text in texts(ax) if "×" in text and "%" in text]
    assert shown == (["17.9", "20.0"] if lang == "en" else ["1,786", "2,000"])


@pytest.mark.parametrize(("lang", "of_sum", "of_deals"), [("en", "billion", "million"), ("zh", "亿元", "万元")])
def test_sums_of_billions_are_drawn_in_them_and_deals_in_the_unit_below(lang, of_sum, of_deals):
    forecast = small_forecast(scale=1e9)
    assert of_sum in drawn(plots.forecast_components(forecast, lang=lang)).get_xlabel()
    assert of_deals in drawn(plots.contributions(forecast, lang=lang)).get_xlabel()


def test_a_deal_without_an_amount_says_so(forecast):
    assert any(text.endswith("× 无金额") for text in texts(plots.contributions(forecast, lang="zh")))


def test_names_are_drawn_as_they_are_written(forecast):
    ax = drawn(plots.contributions(forecast))
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert "$\\frac{$ $x" in names
    assert "西河造纸 □ 乙" in names
    assert drawable("a\x1b[31m\u202eb") == "a [31m b"


@pytest.mark.parametrize("name", ["喆堃昇镕珺玥", "臺灣積體電路製造股份有限公司", "𬭎𫖮㛃"])
def test_rare_characters_of_names_and_traditional_ones_are_drawn(name):
    assert drawable(name) == name
    drawn(plots.contributions(small_forecast(names=(name, "D2"))))


def test_a_long_name_leaves_room_beside_it_and_keeps_its_end():
    names = [f"2026年西河造纸集团第三分厂余热回收与锅炉给水系统改造项目（{part}）" for part in ("一期", "二期")]
    ax = drawn(plots.contributions(small_forecast(names=(*names, "three"))))
    shown = [tick.get_text() for tick in ax.get_yticklabels()]
    assert shown == ["three", "2026年西河造纸集…改造项目（二期）", "2026年西河造纸集…改造项目（一期）"]
    assert ax.get_position().width > 0.55
    latin = "Replacement of the boiler feed water system, phase one"
    assert beside_axis(latin) == "Replacement of t…ystem, phase one"


def test_the_font_knows_level_1_of_big5():
    codes = (bytes([lead, trail]) for lead in range(0xA4, 0xC7) for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    level_1 = b"".join(code for code in codes if code <= b"\xc6\x7e").decode("big5")
    assert len(level_1) == 5401
    assert drawable(level_1) == level_1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_book_without_open_deals_can_be_drawn(forecast, lang):
    empty = replace(forecast, deals=forecast.deals.iloc[:0])
    ax = drawn(plots.contributions(empty, lang=lang))
    assert not ax.patches
    assert label("no_open_deals", lang) in texts(ax)
    nothing = replace(empty, amount={"signed": np.zeros(10)}, count={"signed": np.zeros(10)}, target=None)
    for measure in ("amount", "count"):
        drawn(plots.forecast_distribution(nothing, measure=measure, lang=lang))
        drawn(plots.forecast_components(nothing, measure=measure, lang=lang))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e9])
def test_axis_numbers_do_not_overlap_and_differ(scale):
    for plot in (plots.forecast_distribution, plots.forecast_components, plots.contributions):
        ax = drawn(plot(small_forecast(scale=scale)))
        low, high = ax.get_xlim()
        ticks = [t for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high and t.get_text()]
        assert len({t.get_text() for t in ticks}) == len(ticks) >= 2
        boxes = [t.get_window_extent() for t in ticks]
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("n", [9, 20])
def test_names_of_many_stages_do_not_overlap(rates, n):
    names = [f"Stage_number_{k:02}" if n > 9 else f"S{k}" for k in range(n)]
    many = pd.concat([rates.iloc[:1]] * n, ignore_index=True).assign(stage=names)
    proposal = many.assign(proposed=0.5, lower=0.4, upper=0.6)
    for ax in (drawn(plots.stage_rates(many)), drawn(plots.proposed_rates(proposal))):
        boxes = [text.get_window_extent() for text in ax.get_xticklabels()]
        assert len(boxes) == n
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
        assert not any(box.overlaps(ax.get_legend().get_window_extent()) for box in boxes)
    plt.close("all")


def test_rates_are_those_of_the_table(rates):
    ax = drawn(plots.stage_rates(rates))
    observed, closed, nominal = (line.get_ydata() for line in (ax.lines[0], *ax.lines[-2:]))
    np.testing.assert_allclose(observed, rates["p_won_in_stock"])
    np.testing.assert_allclose(closed, rates["closed_only_rate"])
    np.testing.assert_allclose(nominal, rates["nominal"])
    bars = np.array([segment[:, 1] for segment in ax.collections[0].get_segments()])
    np.testing.assert_allclose(bars, rates[["lower_in_stock", "upper_in_stock"]])
    assert ax.get_ylabel() == "Chance to sign within 730 days"
    assert ax.get_xticklabels()[0].get_text() == "S1\n1,200 deals"


def test_rates_without_nominal_values_or_deals_can_be_drawn(rates):
    ax = drawn(plots.stage_rates(rates.assign(nominal=np.nan, p_won_in_stock=np.nan, n_in_stock=0)))
    assert label("nominal") not in texts(ax)


@pytest.mark.parametrize(("lang", "pause"), [("en", "On hold"), ("zh", "暂停")])
def test_the_pause_has_a_word_and_a_line_of_its_own(rates, lang, pause):
    held = rates.assign(stage=[*rates["stage"][:-1], "on_hold"])
    names = [tick.get_text() for tick in drawn(plots.stage_rates(held, lang=lang)).get_xticklabels()]
    assert names[-1].startswith(f"{pause}\n")
    assert names[0].startswith("S1\n")
    curve = pd.DataFrame({"days": [0, 9], "p_won": [0.0, 0.5], "lower_won": [0.0, 0.4], "upper_won": [0.0, 0.6]})
    curves = pd.concat([curve.assign(stage=stage) for stage in ("S1", "S2", "on_hold")])
    ax = drawn(plots.signing_curves(curves, lang=lang))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [pause, "S2", "S1"]  # as the curves lie
    assert [line.get_linestyle() for line in ax.lines] == ["-", "-", "--"]


def test_web_font_holds_the_glyphs_of_the_text_only():
    assert chinese_woff("Latin only – 1,234 %") == b""
    font = chinese_woff("预测 金额 𠀀")
    assert font[:4] == b"wOFF"
    assert len(font) < 20_000
    assert font == chinese_woff("预测 金额 𠀀")


def test_funnel_and_signing_curves_draw_their_tables():
    book = simulate_book(n_deals=150, seed=3)
    flow = stage_flow(book, as_of="2026-09-30")
    ax = drawn(plots.funnel(flow))
    assert [b.get_width() for b in ax.patches] == [*flow["n_entered"], *flow["n_passed"]]
    shown = [text for text in texts(ax) if "=" in text]
    for row, text in zip(flow.itertuples(), shown, strict=True):
        passed, rest = text.split(" / ")
        assert int(passed) / int(rest.split(" = ")[0]) == pytest.approx(row.pass_rate)
        assert text.endswith(percent(row.pass_rate))
    young = flow.assign(n_undecided=flow["n_entered"], n_passed=0, pass_rate=np.nan)
    assert {text.get_text() for text in drawn(plots.funnel(young, lang="zh")).texts} == {"尚无结果"}
    curves = signing_curves(book, as_of="2026-09-30")
    lines = plots.signing_curves(curves, lang="zh").get_lines()
    for line, (_, curve) in zip(lines, curves.groupby("stage", sort=False), strict=True):
        assert line.get_ydata() == pytest.approx(curve["p_won"].to_numpy())
    plt.close("all")


def past_record():
    rows = []
    for k, quarter in enumerate(["2025Q3", "2025Q4", "2026Q1"]):
        for week in (0, 6):
            for measure in ("amount", "count"):
                y = 10.0 + 8 * k
                row = {"quarter": quarter, "week": week, "measure": measure, "actual": y, "comparable": True}
                bands = {"q10": 8.0, "q25": 10.0, "q50": 12.0, "q75": 14.0, "q90": 20.0 - week}
                inside = {"in_50": float(10 <= y <= 14), "in_80": float(8 <= y <= 20 - week), "pit": 0.2 + 0.3 * k}
                rows.append(row | bands | inside | {"method": "forecast", "forecast": 12.0, "crps": 1.0})
                rows.append(row | {"method": "stage_table", "forecast": 20.0, "crps": 3.0})
    return TrackRecord(pd.DataFrame(rows))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_past_forecasts_are_drawn_as_they_were(lang):
    record = past_record()
    ax = drawn(plots.past_quarters(record, lang=lang))
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2025Q3", "2025Q4", "2026Q1"]
    dots = {c.get_label(): c.get_offsets()[:, 1].tolist() for c in ax.collections if hasattr(c, "get_offsets")}
    assert dots[label("signed_inside", lang)] == [10, 18]
    assert dots[label("signed_outside", lang)] == [26]
    fan = drawn(plots.quarter_fan(record, quarter="2025Q4", measure="count", lang=lang))
    assert [t.get_text() for t in fan.get_xticklabels()] == ["0", "6"]
    few = TrackRecord(record.scores.assign(q50=6.0, q75=8.0, q90=18.0, actual=17.0))
    ticks = drawn(plots.past_quarters(few, measure="count", lang=lang)).get_yticks()
    assert all(tick % 1 == 0 for tick in ticks)  # nobody signs half a deal
    with pytest.raises(InsufficientDataError, match="2025Q3, 2025Q4"):
        plots.quarter_fan(record, quarter="2020Q1")
    hits = drawn(plots.hits_by_week(record, lang=lang))
    assert {t.get_text() for t in hits.texts} == {"2/3", "1/3"}
    errors = drawn(plots.errors_by_week(record, lang=lang))
    ours = next(line for line in errors.lines if line.get_label() == label("our_forecast", lang))
    np.testing.assert_allclose(ours.get_ydata(), [(2 + 6 + 14) / 54] * 2)
    pit = drawn(plots.pit_histogram(record, lang=lang))
    assert [bar.get_height() for bar in pit.patches] == [0, 2, 2, 0, 2]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pictures_of_amounts_say_so_where_no_amount_is_known(lang):
    known = small_forecast(target=None)
    unknown = replace(known, amount={name: 0.0 * draws for name, draws in known.amount.items()})
    nothing = {"mean": None, "q10": None, "q90": None, "p_target": None}
    change = Change(
        pd.DataFrame({"cause": ["signed"], "amount": [0.0], "count": 1.0}), pd.DataFrame(), nothing, nothing
    )
    scores = past_record().scores
    sums = ["q10", "q25", "q50", "q75", "q90", "actual", "forecast"]
    record = TrackRecord(scores.assign(**scores[sums].where(scores["measure"].eq("count"), 0.0)))
    weeks = pd.DataFrame({"quarter": "2026Q3", "week": [1, 2], "is_current": True, "amount": 0.0, "count": [1, 2]})
    pictures = [
        *(draw(unknown, lang=lang) for draw in (plots.forecast_distribution, plots.forecast_components)),
        plots.target_curve(unknown, lang=lang),
        plots.forecast_waterfall(change, lang=lang),
        plots.pipeline_waterfall(small_flow(amount=None), lang=lang),
        *(draw(record, lang=lang) for draw in (plots.past_quarters, plots.errors_by_week)),
        plots.quarter_fan(record, quarter="2025Q4", lang=lang),
        plots.pacing(weeks, lang=lang),
    ]
    assert [ax.texts[0].get_text() for ax in pictures] == [label("no_amounts", lang)] * len(pictures)
    hits = drawn(plots.hits_by_week(record, lang=lang))
    assert [text.get_text() for text in hits.get_legend().texts] == [label("count", lang)]
    assert drawn(plots.target_curve(replace(unknown, count=unknown.amount), lang=lang)).get_xlim() == (0, 1)
    plt.close("all")


def test_small_amounts_fill_their_pictures():
    spread = drawn(plots.forecast_distribution(small_forecast(scale=1e-3, target=None, unit="MW"))).get_xlim()
    assert spread[1] < 0.2
    weeks = pd.DataFrame(
        {"quarter": "2026Q3", "week": [1, 2], "is_current": True, "amount": [0.1, 0.3], "count": [1, 2]}
    )
    ticks = [text.get_text() for text in drawn(plots.pacing(weeks, unit="MW")).get_yticklabels()]
    assert len(set(ticks)) == len(ticks) > 2


@pytest.mark.parametrize("n_weeks", [1, 4, 5, 13])
def test_counts_of_hits_stand_clear_of_each_other_and_of_the_legend(n_weeks):
    scores = past_record().scores.query("week == 0")
    weeks = [scores.assign(week=week, in_80=1.0) for week in range(n_weeks)]
    ax = drawn(plots.hits_by_week(TrackRecord(pd.concat(weeks * 4, ignore_index=True))))
    boxes = [text.get_window_extent() for text in [*ax.texts, ax.get_legend(), ax.title]]
    assert ax.texts[0].get_text() == "12/12"
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_the_unit_of_past_quarters_suits_the_largest_number_drawn():
    scores = past_record().scores
    bands = scores[["q10", "q25", "q50", "q75", "q90"]] * 1e6
    large = TrackRecord(scores.assign(**bands, actual=0.0))  # nothing was signed
    assert "万元" in drawn(plots.past_quarters(large, unit="CNY", lang="zh")).get_ylabel()
    far = TrackRecord(scores.assign(forecast=scores["forecast"] * 1e3))
    assert "," in drawn(plots.errors_by_week(far)).get_yticklabels()[-1].get_text()


def small_flow(amount=20.0):
    """A pipeline of 3 deals that came to 4; without amounts where ``amount`` is None."""
    steps = {"new": 9.0, "up": 0.001, "won": -4.0}
    amounts = [np.nan if amount is None else step for step in steps.values()]
    causes = pd.DataFrame({"cause": list(steps), "amount": amounts, "weighted": np.nan, "count": [2.0, 0.0, -1.0]})
    ends = [None, None] if amount is None else [amount, amount + 5.001]
    told = [
        {"amount": x, "weighted": None, "count": n, "without_amount": 1.0} for x, n in zip(ends, (3, 4), strict=True)
    ]
    return PipelineChange(
        causes.assign(without_amount=0.0), pd.DataFrame(), *told, date(2026, 8, 31), date(2026, 9, 30)
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_waterfall_ends_where_the_pipeline_does(lang):
    ax = drawn(plots.pipeline_waterfall(small_flow(), unit="MW", lang=lang))
    names = [t.get_text() for t in ax.get_yticklabels()]
    wanted = [label(key, lang) for key in ("flow_new", "flow_won", "cause_small")]
    assert names == ["2026-08-31", *wanted, "2026-09-30"]
    np.testing.assert_allclose([bar.get_x() + bar.get_width() for bar in ax.patches], [20, 29, 25, 25.001, 25.001])
    assert ax.get_title(loc="left") == label("title_pipeline_waterfall", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pipeline_is_told_between_its_ends(lang):
    rows = pipeline_rows.flow_rows(small_flow(), "MW", lang)
    assert rows[label("cause", lang)].tolist() == [
        "2026-08-31", *(label(f"flow_{cause}", lang) for cause in ("new", "up", "won")), "2026-09-30",
    ]  # fmt: skip
    assert rows[amount_label("amount", "MW", lang)].tolist() == ["20.0", "+9.0", "0", "−4.0", "25.0"]
    assert rows[amount_label("weighted", "MW", lang)].tolist() == ["–"] * 5
    assert rows[label("count", lang)].tolist() == ["3", "+2", "0", "−1", "4"]
    unknown = pipeline_rows.flow_rows(small_flow(amount=None), "", lang)
    assert unknown[label("amount", lang)].tolist() == ["–"] * 5
    assert unknown[label("count", lang)].tolist() == rows[label("count", lang)].tolist()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_waterfall_ends_where_the_forecast_does(lang):
    causes = pd.DataFrame({"cause": ["signed", "time", "draws"], "amount": [5.0, -3.0, 0.001], "count": 0.0})
    change = Change(causes, pd.DataFrame(), {"mean": 20.0}, {"mean": 22.001})
    ax = drawn(plots.forecast_waterfall(change, unit="MW", lang=lang))
    names = [t.get_text() for t in ax.get_yticklabels()]
    wanted = ["mean_before", "cause_signed", "cause_time", "cause_small", "mean_after"]
    assert names == [label(key, lang) for key in wanted]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(ends, [20, 25, 22, 22.001, 22.001])


def test_the_curve_of_a_target_falls_from_certain_to_never(forecast):
    ax = drawn(plots.target_curve(forecast))
    x, y = ax.lines[0].get_data()
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) < 0).all()
    legend = [t.get_text() for t in ax.get_legend().get_texts()]
    assert legend[0] == label("reached_with", amount=short(np.quantile(forecast.total(), 0.2)), p="80 %")
    assert legend[-1] == label("target_with", amount=short(60.0), p=percent(forecast.p_target))


def test_an_amount_that_many_draws_bring_is_named_with_the_share_that_reaches_it(forecast):
    nothing, some = np.zeros(2000), np.where(np.arange(2000) < 1200, 0.0, 5.0)  # 40 % of the draws bring 5
    idle = replace(forecast, amount=dict.fromkeys(forecast.amount, nothing) | {"new": some}, target=None)
    legend = [t.get_text() for t in drawn(plots.target_curve(idle)).get_legend().get_texts()]
    assert legend == [label("reached_with", amount="0", p="100 %")]
    often = replace(idle, amount=idle.amount | {"new": 5.0 - some})  # 60 %
    legend = [t.get_text() for t in drawn(plots.target_curve(often)).get_legend().get_texts()]
    assert legend == [label("reached_with", amount=x, p=p) for x, p in (("0", "100 %"), ("5", "60 %"))]


@pytest.mark.parametrize("measure", ["amount", "count"])
def test_a_component_that_is_hardly_there_does_not_read_nothing(forecast, measure):
    rare = {"reopened": np.where(np.arange(2000) < 2, 1.0, 0.0), "new": np.zeros(2000)}
    ax = drawn(
        plots.forecast_components(replace(forecast, **{measure: getattr(forecast, measure) | rare}), measure=measure)
    )
    assert {"<0.1", "0"} <= set(texts(ax))


def test_what_moved_reads_alike_in_table_and_picture():
    causes = pd.DataFrame({"cause": ["signed", "time", "draws"], "amount": [0.3, -0.04, 0.0], "count": [0.7, -0.02, 0]})
    deals = pd.DataFrame({"deal_id": ["a", "b"], "amount": [0.3, -0.04], "signed": [0.3, 0], "time": [0, -0.04]})
    change = Change(causes, deals, {"mean": 1.2}, {"mean": 1.46})
    rows = cause_rows(change, "MW", "en")
    assert rows["Amount (MW)"].tolist() == ["+0.30", "−0.04", "0"]
    assert rows["Deals"].tolist() == ["+0.70", "−0.02", "0"]
    moved = moved_deal_rows(change, pd.Series({"a": "A"}), "MW", "en")
    assert moved["Amount (MW)"].tolist() == ["+0.30", "−0.04"]
    assert {"+0.30", "−0.04"} <= set(texts(drawn(plots.forecast_waterfall(change, unit="MW"))))


@pytest.mark.parametrize(("lang", "told"), [("en", "2 – 5 deals"), ("zh", "2 – 5 个项目")])
def test_what_moved_is_told_in_deals_where_no_amount_is_known(forecast, lang, told):
    nothing = {"mean": None, "q10": None, "q90": None, "p_target": None}
    causes = pd.DataFrame({"cause": ["signed"], "amount": [0.0], "count": [1.0]})
    unknown = replace(
        forecast,
        amount={name: 0.0 * draws for name, draws in forecast.amount.items()},
        count={"signed": np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 400)},
    )
    change = Change(causes, pd.DataFrame(), nothing, nothing)
    first, *lines = change_ends(change, unknown, unknown, lang)
    assert first == label("no_amounts", lang)
    assert all(line.endswith(told) for line in lines)
    assert cause_rows(change, "", lang).iloc[0].tolist() == [label("cause_signed", lang), "–", "+1"]


def test_a_band_without_width_is_still_to_be_seen(forecast):
    mostly = np.where(np.arange(2000) < 1900, 0.0, 5.0)  # both bands are from 0 to 0
    idle = replace(forecast, amount=dict.fromkeys(forecast.amount, 0.0 * mostly) | {"new": mostly}, target=None)
    ax = drawn(plots.forecast_distribution(idle))
    shown = [bar.get_clip_box().width for bar in ax.patches[-2:]]  # the two bands, in pixels
    assert shown == pytest.approx([np.diff(ax.transData.transform([(0, 0), (5 / 60, 0)])[:, 0])[0]] * 2)
