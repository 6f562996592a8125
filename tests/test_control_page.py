"""The page of deal control: what it shows, in both languages, and of a book that keeps nothing but stages."""

import re
from dataclasses import replace

import pandas as pd
import pytest
import worlds

import salesanalytics as sa
from salesanalytics.control import review_deals
from salesanalytics.report.control_page import write_control_report
from salesanalytics.report.control_tables import ahead_rows, deal_or_rep


@pytest.fixture(scope="module")
def review():
    book = sa.simulate_book(n_deals=250, seed=2)
    as_of = book.settings.extracted_on
    effects = sa.condition_effects(book, as_of=as_of).effects
    return review_deals(book, as_of=as_of, effects=effects, n_similar=2)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_all_of_deal_control_and_asks_nothing_of_the_network(review, tmp_path, lang):
    page = write_control_report(review, tmp_path / "new" / "control.html", lang=lang).read_text("utf-8")
    body = page.partition("<body>")[2]
    assert body.count("<h2>") == len(set(re.findall("<h2>(.*?)</h2>", body))) == 9
    assert body.count("<table>") + body.count('<table class="tight">') == body.count("</table>") == 8
    assert not re.search(r"https?://|<script|src=\"(?!data:)", page.replace("http://www.w3.org", ""))
    gravest = review.anomalies.hits.iloc[0]
    assert gravest["deal_id"] in body
    assert review.similar[0].deals["deal_id"].iloc[0] in body
    assert review.key_people.reps["rep_id"].iloc[0] in body
    assert "nan" not in re.sub(r"data:[^\"]*", "", body).lower().replace("finan", "")


def test_the_sums_on_the_page_are_those_of_the_frames(review, tmp_path):
    page = write_control_report(review, tmp_path / "control.html").read_text("utf-8")
    tiles = re.findall(r"<small>(.*?)</small><b>(.*?)</b>", page)
    ahead = (review.clocks["seller_rank"] > review.clocks["supported_rank"]).sum()
    assert tiles[0] == ("Open deals", f"{len(review.clocks):,}")
    assert tiles[1] == ("Deals ahead of the evidence", f"{ahead:,}")
    assert tiles[3] == ("Tasks", f"{len(review.tasks):,}")


def test_an_alert_about_a_rep_adds_no_amount_to_those_of_his_deals(review, tmp_path):
    hits = review.anomalies.hits
    a_rep = hits.head(1).assign(severity="high", deal_id=None, value_at_stake=5e9)
    more = replace(review, anomalies=replace(review.anomalies, hits=pd.concat([a_rep, hits], ignore_index=True)))
    pages = [write_control_report(r, tmp_path / "control.html").read_text("utf-8") for r in (review, more)]
    grave = [re.search(r"<small>Grave alerts</small><b>([\d,]+)</b><small>(.*?)</small>", page) for page in pages]
    assert int(grave[1][1].replace(",", "")) == int(grave[0][1].replace(",", "")) + 1
    assert grave[1][2] == grave[0][2]


def test_amounts_of_a_column_have_the_same_decimals_and_only_nothing_reads_0(review):
    clocks = review.clocks.head(4).assign(amount=[17e6, 8.26e6, 1e3, 0.0], seller_rank=9.0, supported_rank=1.0)
    shown = ahead_rows(replace(review, clocks=clocks), 1e6, "million CNY", "en")["Amount (million CNY)"]
    assert shown.tolist() == ["17.0", "8.3", "<0.1", "0"]


@pytest.mark.parametrize(("lang", "buyer"), [("en", "Find and raise the problem"), ("zh", "发现问题，提出问题")])
def test_deals_have_their_names_and_stages_their_words(review, tmp_path, lang, buyer):
    review = replace(review, deal_names={deal: f"<{deal}>" for deal in review.clocks["deal_id"]})
    page = write_control_report(review, tmp_path / "control.html", lang=lang).read_text("utf-8")
    assert not re.search(r"<td[^>]*>P\d+</td>", page.partition("</table>")[0])
    deal = review.similar[0].deal_id
    assert f"<b>{deal} &lt;{deal}&gt;" in page
    clocks = review.clocks.head(1).assign(seller_rank=2.0, supported_rank=1.0, buyer_rank=1.0, stage="S2")
    told = ahead_rows(replace(review, clocks=clocks), 1e6, "million CNY", lang).iloc[0].tolist()
    s1, s2 = (f"{stage} · {review.process.label(stage, lang)}" for stage in ("S1", "S2"))
    assert told[0] == "{0} <{0}>".format(clocks["deal_id"].iloc[0])
    assert told[2:5] == [s2, f"B1 · {buyer}", s1]


def test_a_deal_and_a_rep_of_one_id_keep_their_own_names():
    hits = pd.DataFrame({"deal_id": ["1", None, "2"], "rep_id": ["1", "1", None]})
    assert deal_or_rep(hits, {"1": "Mill"}, {"1": "Li", "2": "Wu"}).tolist() == ["1 Mill", "1 Li", "2"]


def test_long_counts_are_separated(review, tmp_path):
    many = review.anomalies.hits.sample(1306, replace=True, random_state=0)
    more = replace(review, anomalies=replace(review.anomalies, hits=many))
    assert "显示 30 条，共 1,306 条。" in write_control_report(more, tmp_path / "control.html", lang="zh").read_text(
        "utf-8"
    )


def test_names_from_the_book_are_escaped_and_a_bare_book_has_a_page(tmp_path):
    facts = {"name": ["<b>x</b>", "y", "z"], "amount": [5.0, 7.0, 9.0], "rep_id": ["<i>r</i>", None, None]}
    paths = {"a": [("S1", 0), ("S2", 40)], "b": [("S1", 0), ("S2", 30), ("won", 90)], "c": [("S1", 0), ("lost", 9)]}
    book = worlds.tiny(paths, last=100, deals=facts)
    review = review_deals(book, as_of=worlds.day_of(100))
    page = write_control_report(review, tmp_path / "control.html", lang="zh").read_text("utf-8")
    assert "<i>r" not in page
    assert "&lt;i&gt;r" in page
    assert "数据中没有输单原因。" in page
    assert "<img" not in page  # nobody states a buyer's stage
