import csv
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from test_plots import HOSTILE, small_forecast
from worlds import tiny

from salesanalytics import (
    Judgement,
    coverage_ratio,
    forecast_quarter,
    outlook,
    pacing,
    score_open_deals,
    simulate_book,
    what_if,
    with_judgement,
)
from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.labels import amount_label, band, cells, label, number, percent, short
from salesanalytics.labels.units import unit_for
from salesanalytics.models.close_model import fitted_close_model
from salesanalytics.plots.units import in_units
from salesanalytics.process import read_process
from salesanalytics.report import write_report
from salesanalytics.report.columns import group_names, id_and_name, state_namer
from salesanalytics.report.sections import sections
from salesanalytics.report.tables import (
    baseline_rows,
    component_rows,
    deal_rows,
    group_rows,
    p_target_text,
    summary_rows,
    write_csv,
)
from salesanalytics.report.text import fold, forecast_text, score_text, text_table

LANGUAGES = ("en", "zh")


class Page(HTMLParser):
    """Tags with attributes, and the text of a page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def forecast():
    return small_forecast()


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request, forecast, tmp_path_factory):
    hostile = replace(forecast, unit="<b>CNY</b>")
    path = write_report(hostile, tmp_path_factory.mktemp("page") / "new" / "forecast.html", lang=request.param)
    return request.param, Page(path.read_text(encoding="utf-8"))


def test_page_is_one_file_that_asks_nothing_of_the_network(page):
    _, parsed = page
    tags = [tag for tag, _ in parsed.tags]
    assert not {"script", "link", "iframe", "object", "form", "b>"} & set(tags)
    assert tags.count("img") == 3  # distribution, contributions, the curve of the target
    for tag, attrs in parsed.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "action"):
            assert attrs.get(name, "data:").startswith("data:"), tag
        if tag == "img":
            assert attrs["alt"]
    source = "".join(parsed.text)
    assert not re.search(r"https?:|@import|url\((?!data:)", source)
    policy = next(a for _, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy["content"]


def test_page_can_be_read_on_a_telephone_and_aloud(page):
    _, parsed = page
    heads = [attrs for tag, attrs in parsed.tags if tag == "th"]
    assert heads
    assert all(attrs["scope"] == "col" for attrs in heads)
    above = [parsed.tags[at - 1] for at, (tag, _) in enumerate(parsed.tags) if tag == "img"]
    assert above == [("div", {"class": "wide"})] * 3  # a picture scrolls before its letters are too small


def test_page_escapes_every_value(page):
    _, parsed = page
    text = "".join(parsed.text)
    for name in HOSTILE[:-1]:
        assert name in text
    assert "<b>CNY</b>" in text
    assert ("b", {}) in parsed.tags  # only ours, in the tiles
    assert sum(tag == "b" for tag, _ in parsed.tags) == 3


def test_page_answers_how_sure_are_we_first(page):
    lang, parsed = page
    text = "".join(parsed.text)
    order = ["p_target", "title_distribution", "title_parts", "title_contributions", "title_baselines", "title_notes"]
    places = [text.index(label(key, lang), text.index("</style>") if "</style>" in text else 0) for key in order]
    assert places == sorted(places)
    assert ("html", {"lang": "zh-CN" if lang == "zh" else "en"}) in parsed.tags
    assert ("meta", {"charset": "utf-8"}) in parsed.tags


def test_page_is_the_same_when_written_again(forecast, tmp_path):
    first, second = (write_report(forecast, tmp_path / name, lang="zh").read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert b"font/woff" in first


def test_no_figure_is_left_open(forecast, tmp_path):
    plt.close("all")
    write_report(forecast, tmp_path / "a.html")
    assert plt.get_fignums() == []


def test_page_without_chinese_carries_no_font(tmp_path):
    english = small_forecast(names=("one", "two", "three"))
    assert "font/woff" not in write_report(english, tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_quarter_that_has_begun_is_set_beside_past_ones(tmp_path, lang):
    book = simulate_book(n_deals=200, seed=5)
    asked = {"quarter": "2026Q3", "as_of": "2026-08-20"}
    told, pace = forecast_quarter(book, **asked, draws=50, target=3e7), pacing(book, **asked)
    part = next(s for s in sections(told, lang, before=None, groups=None, outlook=None, pacing=pace)
                if s.title == label("title_coverage", lang))  # fmt: skip
    (covered, _), (pace_rows, _) = part.tables
    scale = unit_for(told.total().mean(), told.unit, lang)[0]
    so_far = float(pace.loc[pace["is_current"], "amount"].iloc[-1])
    assert so_far == coverage_ratio(told)["signed"] > 0
    assert covered.iloc[0, 1] in (number((3e7 - so_far) / scale, digits) for digits in (0, 1))
    assert pace_rows.iloc[:, 0].tolist() == pace["quarter"].unique().tolist()
    same_week = pace[pace["week"].eq(7)].set_index("quarter")  # the eighth has only begun
    assert pace_rows.columns[1].endswith(label("by_week", lang, week=7))
    shares = (same_week["amount"] / same_week["final_amount"]).tolist()
    assert pace_rows.iloc[1:, 3].tolist() == [percent(x) for x in shares[1:]]
    assert pace_rows.iloc[0, 2] == pace_rows.iloc[0, 3] == "–"
    page = write_report(told, tmp_path / "a.html", lang=lang, pacing=pace).read_text(encoding="utf-8")
    assert page.count(label("title_coverage", lang)) == 2  # the heading, and the name of its picture
    sheet = load_workbook(write_report(told, tmp_path / "a.xlsx", lang=lang, pacing=pace))[label("sheet_pacing", lang)]
    assert sheet.max_row == len(pace) + 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_how_wrong_perfect_chances_would_be_is_said_beside_the_bands(forecast, tmp_path, lang):
    assert forecast.to_dict()["ceiling"] == 0.2
    said = label("accuracy_ceiling", lang, share="20 %")
    assert said in write_report(forecast, tmp_path / "a.html", lang=lang).read_text(encoding="utf-8")
    assert said in forecast_text(forecast, lang)
    nothing = replace(forecast, ceiling=float("nan"))
    assert nothing.to_dict()["ceiling"] is None
    assert "nan" not in forecast_text(nothing, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_and_text_of_a_book_without_open_deals(forecast, tmp_path, lang):
    empty = replace(forecast, deals=forecast.deals.iloc[:0], target=None, notes=(), unit="")
    text = Page(write_report(empty, tmp_path / "a.html", lang=lang).read_text(encoding="utf-8")).text
    assert not {"nan", "None", "NaT"} & set("".join(text).split())
    assert label("nothing", lang) in forecast_text(empty, lang)
    body = "".join(text)
    assert label("no_open_deals", lang) in body  # in words, not as an empty picture
    assert label("title_key_deals", lang) not in body


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_book_without_amounts_is_told_in_deals(forecast, tmp_path, lang):
    nothing = {name: np.zeros_like(draws) for name, draws in forecast.amount.items()}
    deals = forecast.deals.assign(amount=np.nan, expected_amount=0.0)
    told = replace(forecast, amount=nothing, deals=deals, target=None, unit="")
    page = Page(write_report(told, tmp_path / "a.html", lang=lang).read_text(encoding="utf-8"))
    body = "".join(page.text)
    low, high = told.bands("count")["80"]
    assert label("n_deals", lang, n=band(low, high)) in body
    assert sum(tag == "img" for tag, _ in page.tags) == 1  # of the number of deals
    assert not [key for key in ("title_contributions", "title_key_deals") if label(key, lang) in body]
    assert label("title_key_deals", lang) not in forecast_text(told, lang)


def test_page_says_how_many_deals_it_leaves_out(tmp_path):
    many = small_forecast(names=tuple(f"deal {i}" for i in range(130)))
    source = write_report(many, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Open deals not shown: 30." in source
    assert "12 of 130 open deals" in source


def test_report_refuses_what_it_cannot_write(forecast, tmp_path):
    with pytest.raises(SalesAnalyticsError):
        write_report(forecast, tmp_path / "a.doc")
    with pytest.raises(SalesAnalyticsError, match="lang must be one of"):
        write_report(forecast, tmp_path / "a.html", lang="fr")


def test_components_and_simple_methods_are_those_of_the_forecast(forecast):
    rows = component_rows(forecast, "en").set_index("Component")
    table = forecast.components().set_index("component")
    assert rows.loc["Total", "Amount (CNY)"] == f"{table.at['total', 'amount']:.1f}"
    assert rows.loc["Signed already"].tolist() == ["7.0", "7.0", "2.0", "2"]
    assert rows.loc["Reopened"].tolist() == ["0"] * 4
    unknown = component_rows(small_forecast(recorded=False), "en").set_index("Component")
    assert unknown.loc["Not recorded yet"].tolist() == ["–"] * 4
    simple = baseline_rows(forecast, "zh")
    assert simple.iloc[0, 0] == "本预测"
    assert simple.iloc[1].tolist() == ["名义赢率加权", "全部在跟进项目", "30.0", "3.0"]
    assert simple.iloc[3].tolist() == ["去年同期", "实际值", "–", "–"]


def test_deals_show_the_state_by_id_and_name(forecast):
    for lang in LANGUAGES:
        shown = deal_rows(forecast, lang)[label("state", lang)]
        assert set(shown) == {f"S3 · {forecast.process.label('S3', lang)}"}
        paused = deal_rows(replace(forecast, deals=forecast.deals.assign(state="on_hold")), lang)
        assert set(paused[label("state", lang)]) == {forecast.process.label("on_hold", lang)}


def test_owners_are_shown_with_their_names_where_the_book_has_them(forecast):
    owner = forecast.deals["rep_id"].dropna().iloc[0]
    named = replace(forecast, rep_names={owner: "王伟"})
    shown = deal_rows(named, "zh")[label("rep_id", "zh")]
    mine = forecast.deals["rep_id"].eq(owner).to_numpy()
    assert set(shown[mine]) == {f"{owner} 王伟"}
    assert shown[~mine].tolist() == forecast.deals["rep_id"][~mine].fillna("").tolist()
    groups = pd.DataFrame({"rep_id": [owner, "to come"]} | {f"{m}{e}": [1.0, 1.0] for m in ("amount", "count")
                          for e in ("", "_lower", "_upper")})  # fmt: skip
    assert group_rows(groups, named, "zh").iloc[:, 0].tolist() == [f"{owner} 王伟", label("not_by_deal", "zh")]


def test_groups_have_a_head_in_words(forecast):
    sums = {f"{m}{e}": [1.0] for m in ("amount", "count") for e in ("", "_lower", "_upper")}
    heads = [
        group_rows(pd.DataFrame({by: ["x"]} | sums), forecast, "zh").columns[0] for by in ("region", "product", "AB")
    ]
    assert heads == ["区域", "产品", "AB"]  # an attribute of the book's own keeps its name


def test_a_flag_that_no_deal_has_needs_no_column(forecast):
    assert "Older than any win" in deal_rows(forecast, "en")
    young = forecast.deals[~forecast.deals["older_than_any_win"]]
    assert "Older than any win" not in deal_rows(replace(forecast, deals=young), "en")


def test_a_chance_from_draws_is_never_quite_certain(forecast):
    assert p_target_text(replace(forecast, target=1e9)) == "<1 %"
    assert p_target_text(replace(forecast, target=7.001)) == ">99 %"
    assert p_target_text(replace(forecast, target=7.0)) == "100 %"  # signed already
    assert p_target_text(replace(forecast, target=None)) == "–"


def test_long_amounts_are_shown_in_larger_units():
    forecast = small_forecast(scale=1e6)
    english, chinese = in_units(forecast, "en"), in_units(forecast, "zh")
    assert (english.unit, chinese.unit) == ("million CNY", "万元")
    np.testing.assert_allclose(english.total() * 1e6, forecast.total())
    np.testing.assert_allclose(chinese.baselines["amount"] * 1e4, forecast.baselines["amount"])
    assert english.p_target == forecast.p_target
    assert english.target == forecast.target / 1e6
    assert unit_for(9e6, "EUR", "zh") == (1.0, "EUR")
    assert "Amount (million CNY)" in summary_rows(english, "en")["Total"].tolist()


@pytest.mark.parametrize(
    ("lang", "units", "largest"), [("en", ("billion", "million"), "20,000"), ("zh", ("亿", "万"), "2,000,000")]
)
def test_sums_of_billions_have_a_unit_of_their_own_and_deals_are_read_to_the_last_figure(lang, units, largest):
    forecast = small_forecast(scale=1e9, unit="EUR")
    of_sums, of_deals = (label("with_unit", lang, text=label("amount", lang), unit=f"{u}{' ' * (lang == 'en')}EUR")
                         for u in units)  # fmt: skip
    assert of_sums in component_rows(in_units(forecast, lang), lang)
    assert of_sums in summary_rows(in_units(forecast, lang), lang).iloc[:, 0].tolist()
    assert deal_rows(forecast, lang)[of_deals].tolist()[0] == largest
    told = forecast_text(forecast, lang)
    assert of_sums in told
    assert of_deals in told


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80, 120, 160, None])
def test_text_keeps_to_the_width_of_the_terminal(forecast, lang, width):
    for some in (forecast, small_forecast(scale=1e6), small_forecast(names=("甲" * 200, "x" * 200, "three"))):
        lines = forecast_text(some, lang, width).splitlines()
        if width:
            assert max(map(cells, lines)) <= width
        assert not any(line != line.rstrip() for line in lines)
        assert all(c.isprintable() for line in lines for c in line)


def test_numbers_stand_in_line_and_are_never_cut():
    frame = pd.DataFrame({"名称": ["中文", "latin name"], "Amount": ["1,234", "9"], "Long head here": ["12", "–"]})
    assert text_table(frame, title="T", n_text=1, lang="en").splitlines() == [
        "T",
        "",
        "名称        Amount  Long head here",
        "----------  ------  --------------",
        "中文         1,234              12",
        "latin name       9               –",
    ]
    narrow = text_table(frame, title="T", n_text=1, lang="en", width=26).splitlines()
    assert narrow[2:] == [
        "                      Long",
        "                      head",
        "名称        Amount    here",
        "----------  ------  ------",
        "中文         1,234      12",
        "latin name       9       –",
    ]
    least = text_table(frame, title="T", n_text=1, lang="zh", width=20).splitlines()
    assert least[-1] == "宽度不足，未显示：Long head here" or "Long" in "".join(least[-2:])
    assert "1,234" in "".join(least)


def test_fold_breaks_at_spaces_and_between_chinese_characters_only():
    assert fold("one two three", 8) == ["one two", "three"]
    assert fold("金额（万元）为正，很好。", 8) == ["金额（万", "元）为", "正，很", "好。"]
    assert fold("unbreakablelongword x", 6) == ["unbreakablelongword", "x"]
    assert fold("", 5) == [""]


def test_csv_is_safe_in_a_spreadsheet_and_exact(tmp_path):
    names = [*HOSTILE[:-1], None, "＝1+1", " =1", "\t=1", "plain, with comma", "00123"]
    frame = pd.DataFrame({"deal_id": [f"D{i}" for i in range(len(names))], "name": pd.Series(names, dtype=object)})
    frame = frame.assign(amount=12_345_678.91, p=1 / 3, on=pd.Timestamp("2026-11-01"), flag=True)
    frame.loc[0, ["amount", "on"]] = [np.nan, pd.NaT]
    path = write_csv(frame, tmp_path / "new" / "deals.csv")
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(frame)
    for row, name in zip(rows, names, strict=True):
        assert row["name"].removeprefix("'") == (name or "")
        assert not row["name"].lstrip().startswith(("=", "+", "-", "@", "＝"))
    assert (rows[0]["amount"], rows[0]["on"]) == ("", "")
    assert rows[1] | {"name": ""} == {
        "deal_id": "D1", "name": "", "amount": "12345678.91", "p": "0.333333", "on": "2026-11-01", "flag": "True",
    }  # fmt: skip
    assert frame["name"].tolist()[1] == HOSTILE[1]  # the frame itself is not changed
    assert len(pd.read_csv(path)) == len(frame)


@pytest.fixture(scope="module")
def drawn_book():
    return simulate_book(n_deals=200, seed=5)


def rows_of(part):
    return part.tables[0][0].set_index(part.tables[0][0].columns[0])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_months_and_year_stand_beside_the_same_forecast(drawn_book, lang):
    asked = {"quarter": "2026Q4", "as_of": "2026-09-30", "draws": 500, "seed": 3}
    told = forecast_quarter(drawn_book, target=2e7, **asked)
    deal = told.deals["deal_id"].iloc[0]
    told = with_judgement(told, book=drawn_book, judgements=[Judgement(deal, "Li", "heard it", chance=0.99)])
    own, ahead = (outlook(one, book=drawn_book) for one in (told, told.unjudged))
    of_kind, plain = own.set_index("kind"), ahead.set_index("kind")
    assert of_kind.at["quarter", "amount"] == told.total().mean() != plain.at["quarter", "amount"]
    assert of_kind.loc["month", "amount"].sum() == pytest.approx(told.total().mean())
    assert of_kind.at["quarter", "p_target"] == told.p_target
    assert of_kind.at["next", "amount"] == plain.at["next", "amount"]
    *_, part = sections(told, lang, before=None, groups=None, outlook=own)
    row = rows_of(part).loc[label("with_unit", lang, text="2026Q4", unit=label("kind_quarter", lang))]
    shown = in_units(told, lang)
    assert amount_label("amount", shown.unit, lang) in rows_of(part)
    assert float(row.iloc[0].replace(",", "")) == pytest.approx(shown.total().mean(), rel=0.01)
    assert row.iloc[-1] == p_target_text(told)
    assert label("without_judgement_part", lang) in part.below[0]
    plain = sections(told.unjudged, lang, before=None, groups=None, outlook=ahead)[-1]
    assert plain.below == ()
    supposed = what_if(told.unjudged, won=[deal])
    *_, part = sections(supposed, lang, before=None, groups=None, outlook=outlook(supposed, book=drawn_book))
    assert label("without_what_if_part", lang) in part.below[0]


def test_an_outlook_of_another_forecast_is_not_written(drawn_book, tmp_path):
    told = forecast_quarter(drawn_book, quarter="2026Q4", as_of="2026-09-30", draws=300)
    other = outlook(what_if(told, lost=told.deals["deal_id"].tolist()[:3]), book=drawn_book)
    for name in ("f.html", "f.xlsx"):
        with pytest.raises(SalesAnalyticsError, match="outlook is of another forecast"):
            write_report(told, tmp_path / name, outlook=other)
    assert write_report(told, tmp_path / "f.xlsx", outlook=outlook(told, book=drawn_book)).exists()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_reader_sees_up_to_which_day_a_young_book_can_say_anything(lang):
    paths = {f"w{k}": [("S1", 2 * k), ("won", 2 * k + 40 + k % 5)] for k in range(20)}
    book = tiny(paths | {f"o{k}": [("S1", 2 * k + 30)] for k in range(30)}, last=100)
    day = date(2010, 4, 11)
    told = forecast_quarter(book, quarter="2010Q2", as_of=day, draws=50)
    ahead = outlook(told, book=book)
    *_, part = sections(told, lang, before=None, groups=None, outlook=ahead)
    periods = label("list_comma", lang).join(["2010Q3", "2010"])  # 84 days: to the 4th of July
    said = label("outlook_beyond_watched", lang, n=84, day=date(2010, 7, 4), periods=periods)
    assert part.below == (said,)
    model = fitted_close_model(book, as_of=day)
    for days, there in ((84, False), (85, True)):
        until = day + timedelta(days=days)
        scores = score_open_deals(book, as_of=day, until=until)
        text = score_text(scores, pd.DataFrame(), book, lang, model=model, as_of=day, until=until)
        said = label("score_beyond_watched", lang, n=84, day=date(2010, 7, 4), until=until)
        assert (said in text) == there
        assert label("interval_note_table", lang, level="80 %") in text
        assert label("p_rep", lang) not in text  # nobody stated a chance
    first = scores[scores["sign_q10"].notna()].iloc[0]
    assert f"{first['sign_q10'].date()} – {first['sign_q90'].date()}" in text
    assert f"{100 * first['p_stage_table']:.1f} %" in text
    shown = score_text(scores.assign(p_rep=0.37), pd.DataFrame(), book, lang, model=model, as_of=day, until=until)
    assert label("p_rep", lang) in shown
    assert " 37 %" in shown


def test_a_chance_from_draws_is_told_in_one_way(drawn_book):
    told = forecast_quarter(drawn_book, quarter="2026Q4", as_of="2026-09-30", draws=500, target=1e12)
    assert told.p_target == 0
    blocks = sections(told, "en", before=told, groups=None, outlook=outlook(told, book=drawn_book))
    said = [line for part in blocks for line in part.lead] + [
        cell for part in blocks for table, _ in part.tables for name in ("Chance to reach the target", "Target if won")
        if name in table for cell in table[name]
    ]  # fmt: skip
    assert sum("<1 %" in text for text in said) >= 4
    assert "0 %" not in said
    assert not any(text.endswith("target 0 %") for text in said)


def test_the_mean_without_the_largest_deals_is_one_of_draws_and_never_negative(drawn_book):
    told = forecast_quarter(drawn_book, quarter="2026Q4", as_of="2026-09-30", draws=50)
    largest = told.deals["deal_id"][told.deals["expected_amount"].nlargest(3).index].tolist()
    without = what_if(told, lost=largest).total().mean()
    shown = in_units(told, "en")
    scale = told.total().mean() / shown.total().mean()
    rows = largest_of(told)
    assert rows.iloc[1, 0] == f"Without the largest 3 by expected amount: {', '.join(largest)}"
    assert rows["Mean"].tolist() == [short(told.total().mean() / scale), short(without / scale)]
    assert "largest 2 by" in largest_of(small_forecast(names=("one", "two"))).iloc[1, 0]
    signed = {name: draws * (name == "open") for name, draws in told.amount.items()}
    alone = largest_of(replace(told, amount=signed, target=None))
    assert not alone.map(lambda text: text.startswith("-")).any(axis=None)


def largest_of(told):
    parts = {part.title: part for part in sections(told, "en", before=None, groups=None, outlook=None)}
    return parts[label("title_key_deals")].tables[0][0]


def test_an_id_that_is_a_name_is_said_once(forecast):
    assert [id_and_name("R1", "李娜"), id_and_name("李娜", "李娜"), id_and_name("R1", None)] == [
        "R1 李娜",
        "李娜",
        "R1",
    ]
    stages = (replace(forecast.process.stages[0], id="线索", name=replace(forecast.process.stages[0].name, zh="线索")),)
    process = replace(forecast.process, stages=stages)
    assert state_namer(process, "zh")("线索") == "线索"
    owner = forecast.deals["rep_id"].dropna().iloc[0]
    assert owner in set(deal_rows(replace(forecast, rep_names={owner: owner}), "zh")[label("rep_id", "zh")])


@pytest.mark.parametrize(
    ("by", "groups", "zh"),
    [
        ("route", ["open_tender", "ours", "missing"], ["公开招标", "ours", "未填写"]),
        ("deal_class", ["small_deal", "standard"], ["小额项目", "standard"]),
        ("stage", ["S1", "on_hold", "won"], ["S1 · 项目立项", "暂停", "成交"]),
        ("state", ["S1", "signed", "missing"], ["S1 · 项目立项", "已签约", "未填写"]),
        ("product", ["signed"], ["signed"]),
        ("rep_id", ["r1", "r2", "to come"], ["r1 王娟", "r2", "重启及未来项目"]),
    ],
)
def test_groups_have_the_names_that_the_process_and_the_book_give_them(by, groups, zh):
    assert group_names(pd.Series(groups, name=by), read_process(), {"r1": "王娟"}, "zh") == zh
