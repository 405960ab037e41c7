"""`tacit screen` on files: the reference data, and everything that can be wrong with a CSV."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from support.paths import ROOT
from support.terminal import Terminal, mistake_lines

from tacit.envs.errors import ConfigError
from tacit.training.screening.bid_file import BidColumns, read_bids
from tacit.training.user_files.row_sieve import reason_lines

DATA = Path(os.environ.get("TACIT_DATA", ROOT.parent / "shared/data")) / "tsuchiura/bids.csv"
needs_data = pytest.mark.skipif(not DATA.is_file(), reason=f"{DATA} is not there (see TACIT_DATA)")

GOOD = "lot,firm,bid,limit,day\na,x,90,100,2020-01-02\na,y,95,100,2020-01-02\n"
GOOD += "b,y,45,50,2019-05-01\nb,x,46,50,2019-05-01\nb,z,47,50,2019-05-01\n"


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def read(tmp_path):
    def _read(text, **columns):
        path = tmp_path / "bids.csv"
        path.write_text(text, encoding="utf-8")
        return read_bids(path, BidColumns(**{"tender": "lot", "bid": "bid"} | columns))

    return _read


# --- the reference data --------------------------------------------------------------------------


@pytest.mark.slow
@needs_data
def test_the_published_residual_demand(tacit):
    """Chassang, Kawai, Nakabayashi, Ortner, Econometrica 2022: the authors' own test data."""
    result = tacit("screen", str(DATA), "--tender", "pid", "--bid", "norm_bid", "--json")
    found = json.loads(result.out)
    assert found["tenders"] == 1469
    assert found["D(-0.05)"] == pytest.approx(0.86096, abs=1e-5)
    assert found["D(0.01)"] == pytest.approx(0.105599, abs=1e-5)
    assert found["readings"]["hole"]["ci95"][1] < found["readings"]["hole"]["control95"][0]
    assert found["rows"]["read"] == 6013
    assert {k: v["rows"] for k, v in found["rows"]["left_out"].items()} == {
        "no norm_bid": 41, "the only bid of its tender": 96
    }  # fmt: skip
    assert (tacit.folder / "results/screen/bids.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
@needs_data
def test_with_bidders_reserve_and_dates(tacit):
    words = "--tender pid --bid bid --reserve reserveprice --bidder bidder_id --date year,month,day"
    result = tacit("screen", str(DATA), *words.split())
    assert result.code == 0
    for part in ("Rotation, ", "Pairs that met", "Rolling cv", "not a finding", "figure: "):
        assert part in result.out


# --- what a file may hold ------------------------------------------------------------------------


def test_tenders_are_numbered_in_order_of_time(read):
    kept = read(GOOD, bidder="firm", reserve="limit", date="day")
    assert kept.tender.tolist() == [1, 1, 0, 0, 0]
    assert kept.bid == pytest.approx([0.9, 0.95, 0.9, 0.92, 0.94])
    assert [kept.bidders[k] for k in kept.bidder] == ["x", "y", "y", "x", "z"]
    assert kept.dates == ["2019-05-01", "2020-01-02"]
    assert (kept.rows, kept.left_out, kept.notes) == (5, {}, [])
    assert read(GOOD).tender.tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_a_mark_and_blank_lines(read, separator):
    kept = read("\ufeff" + GOOD.replace(",", separator) + "\n\n")
    assert kept.bid.tolist() == [90, 95, 45, 46, 47]


LEFT_OUT = [
    ("c,x,,100,2020-01-03\n", "1 row: no bid (line 7)"),
    ("a,x,n/a,100,2020-01-03\n", "1 row: no bid (line 7)"),
    ("a,z,about 90,100,2020-01-03\n", "1 row: bid is no number (line 7)"),
    ("a,z,inf,100,2020-01-03\n", "1 row: bid is no number (line 7)"),
    ("a,z,-5,100,2020-01-03\n", "1 row: bid is not above 0 (line 7)"),
    ("c,x,70,100,2020-01-03\n", "1 row: the only bid of its tender (line 7)"),
    ("a,y,95,100,2020-01-02\n", "1 row: the same row again (line 7)"),
    ("a,z,96,,2020-01-02\n", "1 row: no limit (line 7)"),
    ("a,z,96,0,2020-01-02\n", "1 row: limit is not above 0 (line 7)"),
    ("c,x,9,10,2020-01-02\nc,y,9,11,2020-01-02\n",
     "2 rows: two reserves in its tender (lines 7, 8)"),
    ("a,,96,100,2020-01-02\n", "1 row: no firm (line 7)"),
    (",z,96,100,2020-01-02\n", "1 row: no lot (line 7)"),
    ("a,z,96,100,soon\n", "1 row: day is no date (line 7)"),
    ("a,z,96,100,2020-02-30\n", "1 row: day is no date (line 7)"),
    ("a,z,96\n", "1 row: fewer cells than the header (line 7)"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "reason"), LEFT_OUT)
def test_rows_are_left_out_with_their_reason(rows, reason, read):
    kept = read(GOOD + rows, bidder="firm", reserve="limit", date="day")
    assert reason_lines(kept.left_out) == [reason]
    assert len(kept.bid) == 5
    assert sum(r.rows for r in kept.left_out.values()) == kept.rows - 5


def test_many_rows_are_named_by_their_first_lines(read):
    kept = read(GOOD + "a,w,x,100,2020-01-02\n" * 2 + "b,w,y,50,2020-01-02\n" * 2)
    assert reason_lines(kept.left_out) == ["4 rows: bid is no number (lines 7, 8, 9, ...)"]


def test_without_a_column_that_tells_them_apart_equal_rows_are_kept(read):
    kept = read("lot,bid\na,1\na,1\nb,2\nb,3\n")
    assert len(kept.bid) == 4
    assert kept.notes[0].startswith("rows that equal an earlier one: 1, kept;")
    kept = read(GOOD + "a,x,91,100,2020-01-02\n", bidder="firm")
    assert kept.notes == ["bids of a bidder that has bid in the tender before: 1, kept"]


@pytest.mark.parametrize(
    ("bids", "told"),
    [
        (["1", "2", "3", "4", *"wxyz"], None),  # exactly half of the cells that say something
        (["1", "2", "3", "4", "", *"wxyz"], None),
        (["1", "", "x", "y"], "3 of 4 cells are none (line 4: 'x')"),
        (["x", "1", "y"], "2 of 3 cells are none (line 2: 'x')"),
        (["", "", ""], "3 of 3 cells are none (line 2: '')"),
    ],
)
def test_a_column_of_mostly_no_numbers_is_refused_at_the_first_of_them(read, bids, told):
    text = "lot,bid\n" + "".join(f"{k // 2},{bid}\n" for k, bid in enumerate(bids))
    if told is None:
        assert read(text).bid.tolist() == [1.0, 2.0, 3.0, 4.0]
        return
    with pytest.raises(ConfigError) as error:
        read(text)
    assert f"--bid: column 'bid' of bids.csv holds no numbers: {told}. " in str(error.value)


# --- refusals ------------------------------------------------------------------------------------

REFUSED = [
    (GOOD, "--tender lott --bid bidd --bidder firms", [
        "--tender: bids.csv has no column 'lott'. Did you mean 'lot'?",
        "--bid: bids.csv has no column 'bidd'. Did you mean 'bid'?",
        "--bidder: bids.csv has no column 'firms'. Did you mean 'firm'?",
    ]),
    (GOOD, "--tender lot --bid firm", [
        "--bid: column 'firm' of bids.csv holds no numbers: 5 of 5 cells are none (line 2: 'x'). "
        "Write numbers as 1234.5.",
    ]),
    (GOOD, "--tender lot --bid bid --date firm", [
        "--date: column 'firm' of bids.csv holds no dates: 5 of 5 cells are none (line 2: 'x'). "
        "Name their format, such as --dates DD/MM/YYYY or --dates %m.%Y, or the columns of year, "
        "month and day: --date y,m,d.",
    ]),
    (GOOD, "--tender lot --bid bid --rho x,2", [
        "--rho: must be numbers between -1 and 1, got 'x'.",
        "--rho: must be numbers between -1 and 1, got '2'.",
    ]),
    ("lot,bid\na,1\nb,2\nb,3\n", "--tender lot --bid bid", [
        "bids.csv: screens need two tenders with two bids or more; of 3 rows 2 can be used (1 row: "
        "the only bid of its tender (line 2)).",
    ]),
    ("lot,bid,bid\na,1,1\n", "--tender lot --bid bid", ["--bid: bids.csv has 2 columns 'bid'. "
        "If a row holds several bids of one tender: --wide."]),
    ("", "--tender lot --bid bid", [
        "bids.csv: is empty; its first line must name the columns.",
    ]),
    ("lot,bid\n", "--tender lot --bid bid", ["bids.csv: holds no rows below its header."]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "lines"), REFUSED)
def test_a_file_that_cannot_be_screened_is_refused(text, words, lines, tacit):
    (tacit.folder / "bids.csv").write_text(text, encoding="utf-8")
    assert mistake_lines(tacit("screen", "bids.csv", *words.split())) == lines


def test_no_file_and_no_text(tacit):
    words = ("--tender", "lot", "--bid", "bid")
    assert mistake_lines(tacit("screen", "none.csv", *words)) == [
        "none.csv: there is no such file."
    ]
    (tacit.folder / "bids.csv").write_bytes(b"lot,bid\n\x81\xfe,1\n")
    (line,) = mistake_lines(tacit("screen", "bids.csv", *words))
    assert line.startswith("bids.csv: cannot be read: 'charmap' codec can't decode byte 0x81")


SPREADSHEET = (
    "Export 2021;;\n\nlot;firm;bid\na;M\u00fcller;1.234,50\na;y;1.300,00\nb;x;950,5\nb;y;960\n"
)
LOTS = "notice,lot,bid,day\nn,1,5,13/1/2021\nn,1,6,13/1/2021\nn,2,7,1/2/2021\nn,2,8,1/2/2021\n"
MONTHS = "lot|bid|day\na|1.023|2.2021\na|950|2.2021\nb|970|1.2021\nb|1.100|1.2021\n"


@pytest.mark.parametrize(
    ("text", "columns", "reading"),
    [
        (GOOD, {}, "commas; bid: decimal point; line 2: tender a, bid 90"),
        (
            SPREADSHEET,
            {"bidder": "firm"},
            "semicolons, names in line 3, not UTF-8: read as Windows-1252; bid: decimal comma, "
            "points between thousands; line 4: tender a, bid 1,234.5",
        ),
        (
            LOTS,
            {"tender": "notice,lot", "date": "day"},
            "commas; bid: decimal point; day: DD/MM/YYYY; line 2: tender n-1, bid 5, "
            "date 13/1/2021",
        ),
        (
            MONTHS,
            {"decimal": ",", "date": "day", "dates": "%m.%Y", "separator": "|"},
            "bars; bid: decimal comma, points between thousands; day: %m.%Y; line 2: tender a, "
            "bid 1,023, date 2.2021",
        ),
    ],
)
def test_how_a_file_was_read_is_told(tmp_path, text, columns, reading):
    path = tmp_path / "bids.csv"
    path.write_text(text, encoding="cp1252")
    found = read_bids(path, BidColumns(**{"tender": "lot", "bid": "bid"} | columns))
    assert found.reading == reading
    assert len(found.bid) == 4 + (text == GOOD)


AMBIGUOUS = "lot,bid,day\na,1,3/4/2021\na,2,3/4/2021\nb,1,5/6/2021\nb,3,5/6/2021\n"


@pytest.mark.parametrize(
    ("text", "columns", "told"),
    [
        ("lot,bid\na,1.023\na,950\nb,980\nb,1.100\n", {},
         r"--bid: column 'bid': '1.023' can be 1.023 .* say which, --decimal . or --decimal ,\."),
        (AMBIGUOUS, {"date": "day"},
         r"--date: column 'day': '3/4/2021' can be 2021-04-03 .* --dates MM/DD/YYYY\."),
        ("lot,bid,day\na,1,03.2021\na,2,03.2021\nb,1,04.2021\nb,3,04.2021\n", {"date": "day"},
         r"--date: column 'day' of bids.csv holds no dates: .*'03.2021'.* --dates %m.%Y"),
        ('lot,firm,bid\na,"x,1\na,y,2\nb,x,1\nb,y",3\n', {},
         r"a quote that opens in line 2 closes in line 5 and takes in the rows between"),
        ('lot,firm,bid\na,x,1\na,"y,2\nb,x,1\nb,y,3\n', {}, r"a quote opens and never closes"),
        (GOOD, {"decimal": "x"}, "--decimal: must be . or , but is 'x'"),
        (GOOD, {"separator": "ab"}, "--separator: must be one character, got 'ab'"),
        ('lot,firm,bid\na,"x"y,1\na,y,2\n', {}, "line 2 is no row of CSV: ',' expected after"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_would_be_lost_is_refused(tmp_path, text, columns, told):
    path = tmp_path / "bids.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_bids(path, BidColumns(**{"tender": "lot", "bid": "bid"} | columns))


@pytest.mark.parametrize(
    ("months", "told"),
    [
        (["01.2021", "02.2021", "03.2021"], "%m.%Y"),
        (["2021-01", "2021-02", "2021-03"], "%Y-%m"),
        (["01/2021", "02/2021", "03/2021"], "%m/%Y"),
        (["Jan 2021", "Feb 2021", "Mar 2021"], "%b %Y"),
        (["01-Jan-21", "02-Jan-21", "03-Jan-21"], "%d-%b-%y"),
    ],
)
def test_months_are_no_numbers_and_their_format_is_named(read, months, told):
    """Tenders stand in the file from the last month to the first."""
    text = "lot,bid,day\n" + "".join(
        f"{k},{10 + k},{month}\n{k},{20 + k},{month}\n" for k, month in enumerate(months[::-1])
    )
    with pytest.raises(ConfigError, match=f"holds no dates: .* Here it may be --dates {told}"):
        read(text, date="day")
    kept = read(text, date="day", dates=told)
    assert kept.dates == months
    assert kept.bid[kept.tender == 0].tolist() == [12, 22]


@pytest.mark.parametrize(
    ("bids", "is_noted"),
    [
        ([(100, 110), (100, 5_000), (100, 120)], True),  # lots of one notice
        ([(1.023, 950), (1.1, 990), (970, 1_010)], True),  # a misread point
        ([(100, 110), (15, 100), (100, 120)], False),  # one low bid
        ([(100, 110)] * 20 + [(1, 100)], False),
    ],
)
def test_bids_of_several_orders_of_magnitude_in_a_tender_are_noted(read, bids, is_noted):
    text = "lot,firm,bid\n" + "".join(
        f"{k},{f},{bid}\n" for k, own in enumerate(bids) for f, bid in enumerate(own)
    )
    notes = read(text, decimal=".").notes
    assert any("10 times the lowest or more" in note for note in notes) is is_noted


def test_amounts_with_units_are_read_and_few_that_name_one_are_left_out(read):
    text = "lot,bid\n" + "".join(f"{k // 2},{10 + k}{' EUR' * (k != 3)}\n" for k in range(8))
    kept = read(text)
    assert (len(kept.bid), kept.left_out) == (8, {})
    assert "bid: decimal point, in EUR" in kept.reading
    text = "lot,bid\n" + "".join(f"{k // 2},{10 + k}{' EUR' * (k == 3)}\n" for k in range(8))
    kept = read(text)
    assert kept.left_out["bid names a unit, most others none"].lines == [5]
    with pytest.raises(ConfigError, match=r"column 'bid': numbers are in several units: EUR, PLN"):
        read("lot,bid\n" + "".join(f"{k // 2},{k} {'EURPLN'[k % 2 * 3 :][:3]}\n" for k in range(8)))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32",
                                      "utf-16", "utf-8-sig"])  # fmt: skip
def test_wide_encodings_are_read_with_and_without_a_mark(tmp_path, encoding):
    path = tmp_path / "bids.csv"
    path.write_bytes(GOOD.replace("x", "\u0159").encode(encoding))
    kept = read_bids(path, BidColumns("lot", "bid", "firm"))
    assert kept.bid.tolist() == [90, 95, 45, 46, 47]
    assert kept.bidders[0] == "\u0159"


@pytest.mark.parametrize("data", [b"lot,bid\0\na,1\n", b"\0" * 100, b"PK\x03\x04\0\0\0x,y"])
def test_a_file_with_zero_bytes_is_no_text(tmp_path, data):
    path = tmp_path / "bids.xlsx"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"holds zero bytes, so it is no text. Export it as CSV"):
        read_bids(path, BidColumns("lot", "bid"))


def test_of_a_bidder_s_bids_the_last_counts(read):
    """By date; without dates in the order of the file."""
    text = "lot,firm,bid,day\na,x,1,2\na,y,2,1\na,x,3,1\nb,x,4,1\nb,y,5,1\n"
    assert sorted(read(text, bidder="firm", date="day", last=True).bid) == [1, 2, 4, 5]
    kept = read(text, bidder="firm", last=True)
    assert sorted(kept.bid) == [2, 3, 4, 5]
    assert kept.left_out["an earlier bid of its bidder"].lines == [2]
    with pytest.raises(ConfigError, match="--last: needs --bidder"):
        read(text, last=True)


def test_a_row_may_be_a_tender(read):
    text = "lot;firm;bid;firm;bid\na;x;1;y;2\nb;y;3;x;4\nc;x;5;;\n"
    kept = read(text, bidder="firm", wide=True)
    assert kept.bid.tolist() == [1, 2, 3, 4]
    assert [kept.bidders[k] for k in kept.bidder] == ["x", "y", "y", "x"]
    with pytest.raises(ConfigError, match=r"--bid: bids.csv has 2 columns 'bid'.* --wide"):
        read(text, bidder="firm")


def test_a_remark_of_several_lines_is_a_cell(read):
    kept = read('lot,bid,firm,remark\na,1,x,"one\ntwo, and more"\na,2,y,\nb,1,x,\nb,2,y,\n')
    assert len(kept.bid) == 4


@pytest.mark.slow
def test_a_million_rows(read, luck):
    lots = np.repeat(np.arange(250_000), 4)
    bids = 1.0 + 0.03 * luck.standard_normal(len(lots))
    lines = [f"{lot},{k},{bid:.6f}" for k, (lot, bid) in enumerate(zip(lots, bids, strict=True))]
    kept = read("lot,row,bid\n" + "\n".join(lines) + "\n")
    assert (len(kept.bid), kept.rows) == (1_000_000, 1_000_000)
