"""Files written by the tests themselves, each with one fault or form."""

import datetime
import gzip
import io
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesanalytics.book.files import find_table, read_text_table, tidy_table
from salesanalytics.errors import SchemaError

CHINESE = "deal_id,名称\n1,华东水泥厂余热发电项目\n2,城市轨道交通三期工程，招标中\n"


@pytest.fixture
def write(tmp_path):
    def _write(data, name="deals.csv"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return _write


def rows_of(text_table):
    return [tuple(row.values()) for row in text_table.table.to_pylist()]


def xlsx(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


# csv: values


def test_values_stay_text_and_blank_is_null(write):
    read = read_text_table(write('a,b,c\n007,NA,null\n None ,nan,""\n\u00a0, ,\u3000x\u3000\n'))
    assert rows_of(read) == [("007", "NA", "null"), ("None", "nan", None), (None, None, "x")]
    assert read.table.schema.types == [pa.string()] * 3
    assert (read.rows.tolist(), read.malformed, read.encoding) == ([1, 2, 3], [], "utf-8")


def test_names_are_trimmed_and_keep_their_order(write):
    assert read_text_table(write(" b ,\u00a0a\n1,2\n")).table.column_names == ["b", "a"]


def test_quoted_newlines_delimiters_and_quotes(write):
    read = read_text_table(write('a,b\n1,"x\ny, ""z"""\n2,6" pipe\n'))
    assert rows_of(read) == [("1", 'x\ny, "z"'), ("2", '6" pipe')]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_on_the_header(write, delimiter, newline):
    text = newline.join([f"a{delimiter}b c", f'"1{delimiter}2"{delimiter}3', ""])
    assert rows_of(read_text_table(write(text))) == [(f"1{delimiter}2", "3")]


def test_tsv_is_split_at_tabs_only(write):
    assert read_text_table(write("a,b,c\td\n1\t2\n", "x.tsv")).table.column_names == ["a,b,c", "d"]


def test_one_column(write):
    read = read_text_table(write("deal_id\n1\n\n2\n", "x.txt"))
    assert (rows_of(read), read.rows.tolist()) == ([("1",), ("2",)], [1, 2])


def test_gzip(write):
    assert rows_of(read_text_table(write(gzip.compress(b"a,b\n1,2\n"), "x.csv.gz"))) == [("1", "2")]
    with pytest.raises(SchemaError, match="gzip"):
        read_text_table(write(gzip.compress(b"a,b\n1,2\n")[:-9], "y.csv.gz"))


def test_header_without_rows(write):
    read = read_text_table(write("a,b,\n"))
    assert (read.table.column_names, read.table.num_rows, len(read.rows)) == (["a", "b"], 0, 0)


# csv: rows that do not fit


def test_malformed_rows_are_set_aside_with_their_number(write):
    read = read_text_table(write("a,b\n1,2\n3\n4,5\n6,7,8\n9,10\n"))
    assert rows_of(read) == [("1", "2"), ("4", "5"), ("9", "10")]
    assert read.rows.tolist() == [1, 3, 5]
    assert read.malformed == [(2, "3"), (4, "6,7,8")]


def test_blank_rows_are_no_source_rows(write):
    read = read_text_table(write("\n,\na,b\n\n1,2\n,\n  \n , \u00a0\n3\n4,5\n"))
    assert rows_of(read) == [("1", "2"), ("4", "5")]
    assert (read.rows.tolist(), read.malformed) == ([1, 3], [(2, "3")])


@given(st.lists(st.sampled_from(["1,2", "1", "1,2,3", "", ",", " , "]), max_size=30))
def test_rows_read_are_rows_kept_plus_rows_set_aside(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("law") / "x.csv"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    read = read_text_table(path)
    numbers = [*read.rows.tolist(), *(number for number, _ in read.malformed)]
    n_rows = sum(bool(line.strip(" ,")) for line in lines)
    assert sorted(numbers) == list(range(1, n_rows + 1))


def test_row_numbers_hold_over_many_blocks(write, monkeypatch):
    monkeypatch.setattr("salesanalytics.book.delimited._BLOCK_BYTES", 1000)
    lines = [f"{i},x" if i % 97 else f"{i}" for i in range(1, 5001)]
    read = read_text_table(write("a,b\n" + "\n".join(lines)))
    assert read.table["a"].to_pylist() == [str(i) for i in read.rows]
    assert read.malformed == [(i, str(i)) for i in range(97, 5001, 97)]


@pytest.mark.parametrize("text", ['a,b\n1,"x\n2,y\n3,z\n', 'a,b\n1,2\n"3,x\n4,5\n'])
def test_open_quote_swallows_nothing(write, text):
    with pytest.raises(SchemaError, match=r"quote .* never closed"):
        read_text_table(write(text))


@pytest.mark.parametrize(
    "text",
    [
        'a,b,c\n1,"x, y\n z",5\n2,"Rohr,7\n3,x,8\n4,"Rohr,9\n5,x,6\n',  # row 2 had the 9 of row 4, row 3 was gone
        'a,b\n1,x\n2,"x\n3,y\n4,"z\n5,z\n',
        'a;b\n1;x\n"2;x\n3;y\n"4;z\n5;z\n',
    ],
)
def test_two_open_quotes_swallow_nothing_between_them(write, text):
    with pytest.raises(SchemaError, match=r'quote \("\) opened in data row 2 is never closed'):
        read_text_table(write(text))


def test_quotes_within_a_line_and_around_lines_are_as_before(write):
    text = 'a,b\n1,5" pipe\n2,"A" pipe\n3,"x\ny" ,\n4,"x ""y""\nz"\n5,"x\r\ny"\r\n6,6" pipe'
    read = read_text_table(write(text))
    assert [row[0] for row in rows_of(read)] == ["1", "2", "4", "5", "6"]
    assert [row for row, _ in read.malformed] == [3]


def test_closed_quotes_in_the_last_row_are_fine(write):
    assert rows_of(read_text_table(write('a,b,c\n1,"x\ny",,\n2,"x\ny",\n'))) == [("2", "x\ny", None)]
    assert len(read_text_table(write('a,b,c\n1,2,3\n2,"x\ny",z,4\n')).malformed) == 1


# csv: names


def test_nameless_columns(write):
    read = read_text_table(write("a,,b,,\n1,x,2,,\n3,,4, ,\n"))
    assert read.table.column_names == ["a", "unnamed_2", "b"]
    assert rows_of(read) == [("1", "x", "2"), ("3", None, "4")]


def test_column_name_twice(write):
    with pytest.raises(SchemaError, match=r"'a' \(2×\)"):
        read_text_table(write("a,b, a\n1,2,3\n"))


def test_header_below_title_rows(write):
    text = "Report 2024\nmade by,someone\n\ndeal_id;amount;note\n1;2,5;deal_id\n"
    read = read_text_table(write(text), expect=frozenset({"deal_id", "amount"}))
    assert read.table.column_names == ["deal_id", "amount", "note"]
    assert (rows_of(read), read.rows.tolist()) == ([("1", "2,5", "deal_id")], [1])


def test_header_is_the_first_row_with_most_names(write):
    text = "amount,x\ndeal_id,amount\ndeal_id,amount\n"
    read = read_text_table(write(text), expect=frozenset({"deal_id", "amount", "owner"}))
    assert read.rows.tolist() == [1]
    other_case = read_text_table(write("DEAL_ID,b\n1,2\n"), expect=frozenset({"deal_id"}))
    assert other_case.table.column_names == ["DEAL_ID", "b"]


# csv: encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_text(write, encoding):
    read = read_text_table(write(CHINESE.encode(encoding)))
    assert read.table.column_names == ["deal_id", "名称"]
    assert rows_of(read) == [("1", "华东水泥厂余热发电项目"), ("2", "城市轨道交通三期工程，招标中")]
    assert read.encoding == encoding.removesuffix("-sig")


def test_utf_16_big_endian(write):
    assert rows_of(read_text_table(write(b"\xfe\xff" + "a\né\n".encode("utf-16-be")))) == [("é",)]


def test_gb18030_of_four_bytes_and_rare_names(write):
    text = "客户,经理\n中国建筑第八工程局有限公司,王喆\n北京市政路桥集团,张䶮𠮷\n"
    assert rows_of(read_text_table(write(text.encode("gb18030"))))[1] == ("北京市政路桥集团", "张䶮𠮷")


@pytest.mark.parametrize("name", ["Müller", "Größe", "naïve café", "Site\u00a0A", "£5\u00a0m – “ok”", "ÅÄÖ", "éé"])
def test_cp1252_text(write, name):
    read = read_text_table(write(f"id,name\n1,{name}\n2,Zoë \u00a0\n".encode("cp1252")))
    assert (rows_of(read), read.encoding) == ([("1", name), ("2", "Zoë")], "cp1252")


def test_cp1252_that_is_also_valid_gb18030(write):
    data = "id,name\n1,Müller\n".encode("cp1252")
    assert data.decode("gb18030") != data.decode("cp1252")
    assert rows_of(read_text_table(write(data))) == [("1", "Müller")]


def test_doubtful_encoding_is_asked_for(write):
    data = "id,name\n1,ÄÖa\n2,Müller\n3,Füller\n".encode("cp1252")
    with pytest.raises(SchemaError, match="gb18030 and cp1252 both fit"):
        read_text_table(write(data))
    assert rows_of(read_text_table(write(data), encoding="cp1252"))[0] == ("1", "ÄÖa")


@pytest.mark.parametrize("data", [b"a\n\x81 \n", b"a\n\xff\xfe\x81\n\x8d", "a\nb\n".encode("utf-16-le")])
def test_undecodable(write, data):
    with pytest.raises(SchemaError, match="cannot be read as"):
        read_text_table(write(data))


def test_stated_encoding_is_obeyed(write):
    path = write("a\nŁódź\n".encode("cp1250"))
    assert rows_of(read_text_table(path, encoding="cp1250")) == [("Łódź",)]
    with pytest.raises(SchemaError, match="utf-8"):
        read_text_table(path, encoding="utf-8")
    with pytest.raises(SchemaError, match="unknown"):
        read_text_table(path, encoding="no-such")


# xlsx and parquet


def test_xlsx_cells_become_text(tmp_path):
    day, moment = datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 9, 30)  # noqa: DTZ001
    path = xlsx(
        tmp_path / "x.xlsx",
        deals=[
            ["id ", "n", "at", "ok"],
            ["007", 3.0, day, True],
            [None] * 4,
            [8, 0.1, moment, False],
            [" ", 1234567890123456.0],
        ],
    )
    read = read_text_table(path)
    assert read.table.column_names == ["id", "n", "at", "ok"]
    assert rows_of(read) == [
        ("007", "3", "2024-03-01", "true"),
        ("8", "0.1", "2024-03-01T09:30:00", "false"),
        (None, "1234567890123456", None, None),
    ]
    assert read.rows.tolist() == [1, 2, 3]


def test_xlsx_title_rows_and_nameless_column(tmp_path):
    path = xlsx(tmp_path / "x.xlsx", s=[["Pipeline", None, None], [], ["deal_id", "amount"], ["1", 5, "stray"]])
    read = read_text_table(path, expect=frozenset({"deal_id"}))
    assert read.table.to_pylist() == [{"deal_id": "1", "amount": "5", "unnamed_3": "stray"}]


def test_xlsx_sheets(tmp_path):
    path = xlsx(tmp_path / "x.xlsx", one=[["a"], [1]], two=[["b"], [2]], empty=[])
    with pytest.raises(SchemaError, match="one, two"):
        read_text_table(path)
    assert rows_of(read_text_table(path, sheet="two")) == [("2",)]
    with pytest.raises(SchemaError, match="no sheet 'three'"):
        read_text_table(path, sheet="three")
    with pytest.raises(SchemaError, match="empty"):
        read_text_table(path, sheet="empty")


def test_a_hidden_sheet_counts_only_where_no_other_holds_data(tmp_path):
    path = xlsx(tmp_path / "x.xlsx", Opportunities=[["a"], [1]], hiddenSheet=[["b"], [2]])  # as Dynamics writes it
    book = openpyxl.load_workbook(path)
    book["hiddenSheet"].sheet_state = "veryHidden"
    book.save(path)
    assert rows_of(read_text_table(path)) == [("1",)]
    assert rows_of(read_text_table(path, sheet="hiddenSheet")) == [("2",)]
    book["Opportunities"].delete_rows(1, 2)
    book.save(path)
    assert rows_of(read_text_table(path)) == [("2",)]


def test_a_formula_that_was_never_computed_is_not_a_blank_cell(tmp_path):
    path = xlsx(tmp_path / "x.xlsx", s=[["deal_id", "amount"], ["1", 5], ["2", "=B2*2"]])
    with pytest.raises(SchemaError, match="cell B3 is a formula that was never computed") as error:
        read_text_table(path)
    assert "单元格 B3" in error.value.__notes__[0]
    # as a program saves it that computes: with the number, or with a text, which may be empty
    for said, cell in ((b'<c r="B3"><f>B2*2</f><v>10</v>', "10"), (b'<c r="B3" t="str"><f>B2*2</f><v></v>', None)):
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "y.xlsx", "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b'<c r="B3"><f>B2*2</f><v />', said))
        assert rows_of(read_text_table(tmp_path / "y.xlsx")) == [("1", "5"), ("2", cell)]


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("xl/worksheets/sheet1.xml", lambda xml: xml[:-40]),  # not copied to the end
        (
            "xl/worksheets/sheet1.xml",
            lambda xml: xml.replace(b'r="A2" t="n"', b'r="A2" t="s"'),
        ),  # a text that is missing
        ("xl/styles.xml", lambda xml: xml.replace(b'<fill><patternFill patternType="gray125" /></fill>', b"<fill />")),
    ],
)
def test_a_damaged_workbook_is_refused_in_words(tmp_path, part, damage):
    path = xlsx(tmp_path / "x.xlsx", s=[["a"], [1]])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "y.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, damage(old.read(name)) if name == part else old.read(name))
    with pytest.raises(SchemaError, match=r"y\.xlsx: not a real xlsx file"):
        read_text_table(tmp_path / "y.xlsx")


def test_not_an_xlsx(write):
    with pytest.raises(SchemaError, match="not a real xlsx"):
        read_text_table(write("a,b\n1,2\n", "x.xlsx"))


def test_parquet_keeps_types(tmp_path):
    frame = pd.DataFrame({" id": ["1 ", " "], "n": [1.5, None], "at": pd.to_datetime(["2024-03-01", None])})
    frame.to_parquet(tmp_path / "x.parquet")
    read = read_text_table(tmp_path / "x.parquet")
    assert read.table.column_names == ["id", "n", "at"]
    assert read.table["id"].to_pylist() == ["1"]
    assert pa.types.is_timestamp(read.table["at"].type)
    assert read.rows.tolist() == [1]


def test_parquet_faults(write, tmp_path):
    with pytest.raises(SchemaError, match="not a parquet file"):
        read_text_table(write("a,b\n", "x.parquet"))
    pq.write_table(pa.table([[1], [2]], names=["a", "a "]), tmp_path / "y.parquet")
    with pytest.raises(SchemaError, match="repeated: 'a'"):
        read_text_table(tmp_path / "y.parquet")


def test_tidy_table_of_categories():
    read = tidy_table(pa.table({" a ": pa.array(["x ", "", None]).dictionary_encode()}), source="deals")
    assert read.table.to_pydict() == {"a": ["x"]}


# files that are not there


def test_missing_file_names_the_nearest(write):
    path = write("a\n1\n", "deals.csv")
    with pytest.raises(SchemaError, match=r"no such file.*deals\.csv"):
        read_text_table(path.with_name("deal.csv"))
    with pytest.raises(SchemaError, match="does not exist"):
        read_text_table(path.parent / "nowhere" / "deals.csv")


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n \n,,\n"])
def test_empty_file(write, data):
    with pytest.raises(SchemaError, match="empty"):
        read_text_table(write(data))


def test_unknown_kind(write):
    with pytest.raises(SchemaError, match=r"\.xlsx"):
        read_text_table(write("a", "deals.xls"))


def test_find_table(write):
    path = write("a\n1\n", "deals.csv.gz")
    assert find_table(path.parent, "deals") == path
    assert find_table(path.parent, "history") is None
    write("a\n1\n", "deals.tsv")
    with pytest.raises(SchemaError, match=r"deals\.csv\.gz, deals\.tsv"):
        find_table(path.parent, "deals")


@given(st.lists(st.tuples(st.text("ab,;\n\r\"'é中 ", min_size=1, max_size=8), st.integers()), min_size=1, max_size=8))
def test_round_trip(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("round") / "x.csv"
    frame = pd.DataFrame(values, columns=["text", "n"])
    buffer = io.StringIO(newline="")
    frame.to_csv(buffer, index=False, quoting=1)
    path.write_bytes(buffer.getvalue().encode())
    assert rows_of(read_text_table(path)) == [(text.strip() or None, str(n)) for text, n in values]
