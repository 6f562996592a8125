"""Dates and numbers in every written form, by hand and as round trips."""

import datetime
import decimal as dec
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesanalytics.book.dates import parse_dates
from salesanalytics.book.numbers import parse_numbers
from salesanalytics.errors import SchemaError


def dates(values, *, date_format=None, timezone=None):
    """ISO text without a midnight; None where null, "failed" where failed."""
    parsed, failed = parse_dates(_arrow(values), column="signed", date_format=date_format, timezone=timezone)
    assert parsed.dtype == "datetime64[us]"
    assert failed.dtype == bool
    assert parsed[failed].isna().all()
    texts = [None if pd.isna(t) else t.isoformat().removesuffix("T00:00:00") for t in parsed]
    return ["failed" if f else t for t, f in zip(texts, failed, strict=True)]


def numbers(values, *, decimal=None):
    parsed, failed = parse_numbers(_arrow(values), column="amount", decimal=decimal)
    assert (parsed.dtype, failed.dtype) == (float, bool)
    assert parsed[failed].isna().all()
    return ["failed" if f else None if np.isnan(n) else n for n, f in zip(parsed, failed, strict=True)]


def _arrow(values):
    return pa.array(values, pa.string()) if isinstance(values, list) else values


# dates: forms

ISO = ["2024-03-01", "2024/03/01", "2024.3.1", "20240301", "2024年3月1日", "2024/3/1"]


def test_year_first_forms():
    assert dates(ISO) == ["2024-03-01"] * len(ISO)


@pytest.mark.parametrize("text", ["01/03/2024", "1.3.2024", "01-03-2024", "1/3/2024"])
def test_day_first_forms(text):
    assert dates([text, "31/03/2024"]) == ["2024-03-01", "2024-03-31"]


def test_month_first():
    assert dates(["03/01/2024", "03/31/2024"]) == ["2024-03-01", "2024-03-31"]


@pytest.mark.parametrize("text", ["01 Mar 2024", "1-Mar-2024", "Mar 1, 2024", "MARCH 01 2024", "1 march 2024"])
def test_named_months(text):
    assert dates([text]) == ["2024-03-01"]


def test_every_month_name():
    months = [datetime.date(2024, i, 1).strftime("%B") for i in range(1, 13)]
    assert dates([f"2 {m} 2024" for m in months]) == [f"2024-{i:02d}-02" for i in range(1, 13)]
    assert dates([f"2 {m[:3]} 2024" for m in months]) == [f"2024-{i:02d}-02" for i in range(1, 13)]
    assert dates(["2 Sept 2024", "2 Sex 2024"]) == ["2024-09-02", "failed"]


@pytest.mark.parametrize("day", ["2024-03-01", "1/3/2024", "1 Mar 2024", "Mar 1, 2024", "2024年3月1日"])
@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (" 9:05", "T09:05:00"),
        (" 09:05:07", "T09:05:07"),
        ("T09:05:07.25", "T09:05:07.250000"),
        (" 09:05:07,123456789", "T09:05:07.123456"),
        (" 9:05 PM", "T21:05:00"),
        (" 12:05am", "T00:05:00"),
        (" 12:05:00 PM", "T12:05:00"),
        (" 00:00", ""),
    ],
)
def test_time_of_day(day, clock, expected):
    assert dates([day + clock, "31/3/2024"] if "/" in day else [day + clock])[0] == f"2024-03-01{expected}"


@pytest.mark.parametrize(
    "text",
    [
        "24-03-01",
        "01/03/24",
        "1 Mar 24",
        "25568",
        "73051",
        "430101",
        "31/02/2020",
        "2023-02-29",
        "2024-13-01",
        "2024-00-01",
        "2024-03-00",
        "0000-01-01",
        "0024-01-01",
        "2024-03/01",
        "20240230",
        "2024031",
        "2024-03-01x",
        "2024-03-01 24:00",
        "2024-03-01 10:60",
        "2024-03-01 10:00:60",
        "2024-03-01 13:00 PM",
        "2024-03-01 0:10 PM",
        "2024-03-01 1000",
        "2024-03-01 10:00 foo",
        "2024-03-01\n2024-03-02",
        "NA",
        "nan",
        "null",
        "10:00",
    ],
)
def test_no_date(text):
    assert dates([text, "2024-03-01", "2024-03-02"]) == ["failed", "2024-03-01", "2024-03-02"]
    assert dates([text]) == ["failed"]


def test_dates_as_excel_counts_them():
    assert dates(["46023", "46023.5", "45351.37847222222"]) == [
        "2026-01-01",
        "2026-01-01T12:00:00",
        "2024-02-29T09:05:00",
    ]
    assert dates(["2026-01-02", "46023", "2026/1/3", "25569"]) == [
        "2026-01-02",
        "2026-01-01",
        "2026-01-03",
        "1970-01-01",
    ]
    assert dates(["31/01/2026", "46023", "30/01/2026"]) == ["2026-01-31", "failed", "2026-01-30"]


def test_milliseconds_since_1970():
    millis = ["1719878400000", None, "1719912345678"]
    assert dates(millis, timezone="Asia/Shanghai") == ["2024-07-02T08:00:00", None, "2024-07-02T17:25:45.678000"]
    assert dates(millis, timezone="UTC")[2] == "2024-07-02T09:25:45.678000"
    with pytest.raises(SchemaError, match=r"'signed'.*milliseconds.*2 value\(s\).*1719878400000.*timezone: "):
        dates(millis)
    assert dates([*millis, "9999999999999"], timezone="UTC")[3] == "failed"
    assert dates(["2024-07-02", "2024-07-03", "1719878400000"]) == ["2024-07-02", "2024-07-03", "failed"]


def test_milliseconds_that_are_all_midnights_are_days_in_any_zone():
    millis = ["1719878400000", None, "1719964800000"]
    for timezone in (None, "America/New_York", "Asia/Shanghai"):
        assert dates(millis, timezone=timezone) == ["2024-07-02", None, "2024-07-03"]
    assert dates(pa.array([1719878400000, None])) == ["2024-07-02", None]
    assert dates(pa.array([1719878400000.0, None])) == ["2024-07-02", None]


def test_null_and_blank_do_not_fail():
    assert dates([None, "", " \u00a0", " 2024-03-01\u3000"]) == [None, None, None, "2024-03-01"]
    assert dates([]) == []
    assert dates([None, None]) == [None, None]


def test_leap_days_and_far_years():
    texts = ["2024-02-29", "2000-02-29", "1900-02-29", "1906-01-01", "9999-12-31"]
    assert dates(texts) == ["2024-02-29", "2000-02-29", "failed", "1906-01-01", "9999-12-31"]


# dates: one reading per column


def test_order_is_decided_by_one_value():
    assert dates(["01/02/2024"] * 9 + ["13/02/2024"])[0] == "2024-02-01"
    assert dates(["01/02/2024"] * 9 + ["02/13/2024"])[0] == "2024-01-02"


def test_undecided_order_is_an_error():
    pattern = r"(?s)'signed'.*3 value\(s\).*'01/02/2024', '03/04/2024'.*date_format: \"%d/%m/%Y\".*\"%m/%d/%Y\""
    with pytest.raises(SchemaError, match=pattern):
        dates(["01/02/2024", "01/02/2024", "03/04/2024", "05/05/2024", "31/02/2024", None])


def test_same_day_and_month_needs_no_decision():
    assert dates(["05/05/2024", "6.6.2024"]) == ["2024-05-05", "2024-06-06"]


def test_contrary_minority_fails_row_by_row():
    got = dates(["13/02/2024"] * 9 + ["02/13/2024", "01/02/2024"])
    assert got[8:] == ["2024-02-13", "failed", "2024-02-01"]


def test_both_orders_are_an_error():
    with pytest.raises(SchemaError, match=r"day first in 8 .*'13/02/2024'; month first in 1 .*'02/13/2024'"):
        dates(["13/02/2024"] * 8 + ["02/13/2024"])


def test_majority_family_wins():
    assert dates(["2024-03-01", "2024-03-02", "13/03/2024", "1 Mar 2024"])[2:] == ["failed", "failed"]
    assert dates(["13/03/2024", "14/03/2024", "2024-03-01"]) == ["2024-03-13", "2024-03-14", "failed"]
    assert dates(["1 Mar 2024", "2 Mar 2024", "2024-03-01"]) == ["2024-03-01", "2024-03-02", "failed"]
    # the minority's order is not asked for
    assert dates(["2024-03-01", "2024-03-02", "01/02/2024"])[2] == "failed"


# dates: stated format


def test_stated_format_is_strict():
    got = dates(["03/01/2024", "13/01/2024", "2024-01-02", None, "01/02/24"], date_format="%d/%m/%Y")
    assert got == ["2024-01-03", "2024-01-13", "failed", None, "failed"]
    assert dates(["01/02/24"], date_format="%d/%m/%y") == ["2024-02-01"]
    assert dates(["2024年03月01日 09时"], date_format="%Y年%m月%d日 %H时") == ["2024-03-01T09:00:00"]


def test_several_formats():
    got = dates(["01/02/2024", "2024-03-01", "x"], date_format=["%d/%m/%Y", "%Y-%m-%d"])
    assert got == ["2024-02-01", "2024-03-01", "failed"]


@pytest.mark.parametrize("date_format", ["dd/mm/yyyy", "%Q", []])
def test_bad_format(date_format):
    with pytest.raises(SchemaError, match=r"date_format.*%d/%m/%Y"):
        dates(["01/02/2024"], date_format=date_format)


def test_stated_format_with_zone():
    got = dates(["2024-07-01 22:00:00 +0000"], date_format="%Y-%m-%d %H:%M:%S %z", timezone="Asia/Shanghai")
    assert got == ["2024-07-02T06:00:00"]


# dates: zones


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+0000", "+00", " UTC"])
def test_zones_become_local(zone):
    got = dates([f"2024-07-01T22:00:00{zone}", "2024-07-01T22:00:00"], timezone="Europe/Berlin")
    assert got == ["2024-07-02", "2024-07-01T22:00:00"]


def test_offsets():
    texts = ["2024-01-01T10:00+08:00", "2024-01-01T10:00-0330", "2024-01-01T10:00+15:00"]
    assert dates(texts, timezone="Asia/Shanghai") == ["2024-01-01T10:00:00", "2024-01-01T21:30:00", "failed"]


def test_zone_needs_timezone():
    with pytest.raises(SchemaError, match=r"'signed'.*1 value\(s\).*2024-01-01T10:00Z.*timezone: "):
        dates(["2024-01-01T10:00Z", "2024-01-01"])
    with pytest.raises(SchemaError, match="timezone 'Mars/North' is unknown"):
        dates(["2024-01-01"], timezone="Mars/North")


# dates: typed columns


def test_typed_dates_pass_through():
    days = [datetime.date(2024, 3, 1), None]
    assert dates(pa.array(days)) == ["2024-03-01", None]
    assert dates(pd.Series(days)) == ["2024-03-01", None]
    assert dates(pd.Series(pd.to_datetime(["2024-03-01 09:00", None]))) == ["2024-03-01T09:00:00", None]
    assert dates(pa.chunked_array([pa.array(days), pa.array(days)])) == ["2024-03-01", None] * 2
    assert dates(pd.Series(["2024-03-01", None], dtype="category")) == ["2024-03-01", None]
    assert dates(pa.array([20240301, 430101])) == ["2024-03-01", "failed"]
    assert dates(pa.array([True])) == ["failed"]
    assert dates(pa.array([datetime.time(9), None])) == ["failed", None]
    assert dates(pa.array([datetime.timedelta(1), None])) == ["failed", None]
    assert dates(pa.array([["2024-03-01"], None])) == ["failed", None]


def test_typed_zoned_dates():
    moments = pd.Series(pd.to_datetime(["2024-07-01 22:00Z", None]))
    assert dates(moments, timezone="Europe/Berlin") == ["2024-07-02", None]
    with pytest.raises(SchemaError, match="timezone: "):
        dates(moments)


def test_mixed_python_objects():
    mixed = pd.Series(["2024-03-01", datetime.date(2024, 3, 2), 43101, None], dtype=object)
    assert dates(mixed) == ["2024-03-01", "2024-03-02", "2018-01-01", None]


def test_index_is_kept_and_argument_is_not_changed():
    values = pd.Series([" 2024-03-01", "x"], index=[7, 9])
    copy = values.copy()
    parsed, failed = parse_dates(values, column="c", date_format=None, timezone=None)
    assert list(parsed.index) == list(failed.index) == [7, 9]
    pd.testing.assert_series_equal(values, copy)


FORMATS = ["%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S.%f", "%d/%m/%Y %H:%M:%S.%f", "%d %b %Y %I:%M:%S.%f %p"]
MOMENTS = st.datetimes(datetime.datetime(1001, 1, 1), datetime.datetime(9998, 1, 1))  # noqa: DTZ001


@given(st.lists(MOMENTS, min_size=1, max_size=20), st.sampled_from(FORMATS))
def test_dates_round_trip(moments, form):
    moments = [*moments, datetime.datetime(2024, 1, 31)]  # noqa: DTZ001 decides the order
    texts = pa.array([m.strftime(form) for m in moments])
    parsed, failed = parse_dates(texts, column="c", date_format=None, timezone=None)
    assert not failed.any()
    assert parsed.tolist() == [pd.Timestamp(m) for m in moments]


# numbers: forms


def test_plain_forms():
    texts = [
        "1234",
        "-5",
        "1234.50",
        "1,234.50",
        "1 234.5",
        "1e6",
        "1.5E-2",
        "+7",
        ".5",
        "007",
        "0.125",
        "-1,234,567",
    ]
    expected = [1234, -5, 1234.5, 1234.5, 1234.5, 1e6, 0.015, 7, 0.5, 7, 0.125, -1234567]
    assert numbers(texts) == expected


def test_decimal_comma():
    texts = ["1.234,50", "1 234,50", "1\u00a0234,50", "1234,5", "1.234", "12", "-0,5"]
    assert numbers(texts) == [1234.5, 1234.5, 1234.5, 1234.5, 1234, 12, -0.5]


def test_chinese_units_and_full_width():
    texts = ["12万", "1.2亿", "1.1万", "1,234.5 万", "１２３", "１，２３４．５", "－５", "−5", "３万"]
    assert numbers(texts) == [120000, 120000000, 11000, 12345000, 123, 1234.5, -5, -5, 30000]


def test_yuan_at_the_end():
    assert numbers(["120万元", "5,713,726.01元", "1.2亿元", "3 元"]) == [1_200_000, 5_713_726.01, 1.2e8, 3]


def test_weekdays_and_halves_of_the_day_in_chinese():
    texts = ["2025/7/19 上午 9:30", "2025/7/19 下午1:05:09", "2025-07-19 星期六", "2025年7月19日（周六） 12:00"]
    assert dates(texts) == ["2025-07-19T09:30:00", "2025-07-19T13:05:09", "2025-07-19", "2025-07-19T12:00:00"]


def test_currency_in_front():
    texts = ["¥5", "￥1,234.5", "€ 7", "$-3", "-$3", "£0.5", "¥12万"]
    assert numbers(texts) == [5, 1234.5, 7, -3, -3, 0.5, 120000]


def test_currency_behind_and_codes():
    texts = ["5 €", "5€", "5 EUR", "USD 5", "CNY 1,200,000", "RMB12万", "-USD 5", "usd -5", "US$1,000.50", "￥ 3 CNY"]
    assert numbers(texts) == [5, 5, 5, 5, 1_200_000, 120_000, -5, -5, 1000.5, 3]
    assert numbers(["1.234.567,50 €", "1.200,00\u00a0EUR", "-3,5 CHF"]) == [1_234_567.5, 1200, -3.5]


@pytest.mark.parametrize(
    "text",
    [
        "5%",
        "3千",
        "5 ABC",
        "TBD 5",
        "5 EURO",
        "EUR",
        "5m²",
        "1,23,456.0",
        "12,34.5",
        "1,2345.6",
        "1e",
        "--5",
        "(5)",
        "1.2.3",
        "10²",
        "½",
        "①",
        "NA",
        "nan",
        "inf",
        "null",
        "1e999",
        "1万亿",
        "元",
        "5元万",
        "1e3万",
        "0x10",
        "1_000",
        "1'234",
        "5-",
        "5\n6",
        "-",
        ".",
        "¥",
    ],
)
def test_no_number(text):
    assert numbers([text, "1.5", None, " "]) == ["failed", 1.5, None, None]


# numbers: one convention per column


def test_comma_alone_is_thousands_unless_decimal_commas_show():
    assert numbers(["1,234", "5"]) == [1234, 5]
    assert numbers(["1,234", "5,5"]) == [1.234, 5.5]
    assert numbers(["1.234", "5.5"]) == [1.234, 5.5]


def test_dot_alone_before_three_digits_is_asked_for():
    with pytest.raises(SchemaError, match=r"'amount'.*2 value\(s\).*'1\.234', '12\.500'.*decimal: \"\.\""):
        numbers(["1.234", "12.500", "7"])
    assert numbers(["1.234"], decimal=".") == [1.234]
    assert numbers(["1.234"], decimal=",") == [1234]


def test_both_conventions_are_an_error():
    pattern = r"'amount': decimal point in 8 .*'1\.5'; decimal comma in 1 .*'2,5'.*decimal: \"\.\""
    with pytest.raises(SchemaError, match=pattern):
        numbers(["1.5"] * 8 + ["2,5"])


def test_contrary_minority_of_numbers_fails():
    assert numbers(["1.5"] * 9 + ["2,5", "1,234"])[8:] == [1.5, "failed", 1234]
    assert numbers(["1,5"] * 9 + ["2.5", "1,234"])[8:] == [1.5, "failed", 1.234]


def test_stated_decimal():
    assert numbers(["1,5", "1.5", "1.234"], decimal=",") == [1.5, "failed", 1234]
    with pytest.raises(SchemaError, match="decimal must be"):
        numbers(["1"], decimal=";")


# numbers: typed columns


def test_typed_numbers_pass_through():
    assert numbers(pa.array([1, None, -3])) == [1, None, -3]
    assert numbers(pa.array([1.5, float("nan"), float("inf"), None])) == [1.5, None, "failed", None]
    assert numbers(pa.array([dec.Decimal("1.50"), None])) == [1.5, None]
    assert numbers(pd.Series([1, np.nan])) == [1, None]
    assert numbers(pd.Series([1.5, "2.5", None, "x"], dtype=object)) == [1.5, 2.5, None, "failed"]
    assert numbers(pa.array([True])) == ["failed"]
    assert numbers([]) == []


def test_message_is_one_line():
    with pytest.raises(SchemaError) as caught:
        numbers(["1.5", "2,5"])
    assert re.fullmatch(r"[^\n]+", str(caught.value))


CENTS = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20)


@given(CENTS)
def test_numbers_round_trip(cents):
    exact = [c / 100 for c in cents]
    english = [f"{x:,.2f}" for x in exact]
    german = [t.translate(str.maketrans(",.", ".,")) for t in english]
    assert numbers(english) == numbers(german) == numbers([repr(x) for x in exact], decimal=".") == exact
