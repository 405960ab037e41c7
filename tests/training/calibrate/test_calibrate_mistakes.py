"""Files and requests that `tacit calibrate` refuses: field, bound and value, all at once."""

from __future__ import annotations

import pytest
from support.deliveries import DEMAND, ORDERS, csv, demand, orders
from support.terminal import Terminal, mistake_lines

CALM = [1.0, 1.1, 0.9] * 10


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def refused(tacit, market: str, *words: str) -> list[str]:
    return mistake_lines(tacit("calibrate", market, "data.csv", *words))


def test_a_market_that_nothing_fits(tacit):
    (line,) = refused(tacit, "procurment", "--columns", ORDERS)
    assert line == "MARKET: nothing fits 'procurment'. Did you mean 'procurement'?"


def test_no_file_an_empty_file_and_one_that_is_no_text(tacit):
    (line,) = refused(tacit, "procurement", "--columns", ORDERS)
    assert line == "DATA: there is no file 'data.csv'."
    path = tacit.folder / "data.csv"
    path.write_text("")
    (line,) = refused(tacit, "procurement", "--columns", ORDERS)
    assert line == "data.csv: is empty; its first line must name the columns."
    path.write_bytes(b"Sent,Due,Delivered\n\x81,1,2\n")
    (line,) = refused(tacit, "procurement", "--columns", ORDERS)
    assert line.startswith("data.csv: cannot be read: 'charmap' codec can't decode byte 0x81")


def test_one_row(tacit):
    orders(tacit.folder / "data.csv", [(5, 0)])
    (line,) = refused(tacit, "procurement", "--columns", ORDERS)
    assert line == "data.csv: 1 row, at least 10 are needed to fit quantiles."


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        ("", ["--columns.sent: missing. Give sent=COLUMN: when the order was sent",
              "--columns.scheduled: missing. Give scheduled=COLUMN: when it was to be",
              "--columns.delivered: missing. Give delivered=COLUMN: when it was delivered. One of: "
              "Delivered, Due, Sent."]),
        ("sent=Sent,scheduled=Due", ["--columns.delivered: missing."]),
        (ORDERS.replace("Due", "Duo"),
         ["--columns.scheduled: data.csv has no column 'Duo'. Did you mean 'Due'?"]),
        (f"{ORDERS},lead=Due", ["--columns: unknown name 'lead'. One of: delivered, scheduled,"]),
        (f"{ORDERS},Due", ["--columns: must be NAME=COLUMN,..., got 'Due'."]),
    ],
)  # fmt: skip
def test_columns_that_are_missing_or_unknown(columns, lines, tacit):
    orders(tacit.folder / "data.csv", [(5, 0)] * 20)
    found = refused(tacit, "procurement", "--columns", columns)
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True))


def test_a_column_that_stands_twice(tacit):
    csv(tacit.folder / "data.csv", ("Sent", "Due", "Due", "Delivered"), [["2024-01-01"] * 4] * 20)
    (line,) = refused(tacit, "procurement", "--columns", ORDERS)
    assert line == "--columns.scheduled: data.csv has more than one column 'Due'. Rename one."


def test_dates_and_amounts_that_are_none_are_reported_together(tacit):
    rows = [("2024-01-01", "1")] * 12 + [("soon", "-2"), ("later", "nan"), ("2024-13-01", "2")]
    csv(tacit.folder / "data.csv", ("Time", "Value"), rows)
    assert refused(tacit, "ad_auction", "--columns", DEMAND) == [
        "data.csv, line 14, time (column 'Time'): must be a date, got 'soon' (3 rows so). Its "
        "format: --dates FORMAT, such as DD/MM/YYYY, epoch, index or %m.%Y. If it stands for "
        "nothing: --missing 'soon'.",
        "data.csv, line 14, value (column 'Value'): must be an amount >= 0, got '-2' (2 rows so). "
        "If it stands for nothing: --missing '-2'.",
    ]
    first, _ = refused(tacit, "ad_auction", "--columns", DEMAND, "--dates", "%d.%m.%y")
    assert "must be a date of format %d.%m.%y, got '2024-01-01' (15 rows so)" in first


def test_lines_of_another_length(tacit):
    path = demand(tacit.folder / "data.csv", CALM)
    path.write_text(path.read_text() + "2024-02-01\n")
    (line,) = refused(tacit, "ad_auction", "--columns", DEMAND)
    assert line == "data.csv, line 32: fewer cells than the header (1 row so)."
    path.write_text(path.read_text().replace("\n2024-02-01\n", "\n2024-02-01,1,5\n"))
    (line,) = refused(tacit, "ad_auction", "--columns", DEMAND)
    assert line == "data.csv, line 32: more cells than the header (1 row so)."


def test_a_column_that_says_nothing(tacit):
    csv(tacit.folder / "data.csv", ("Sent", "Due", "Delivered"), [("", "2024-01-01", "-")] * 20)
    assert refused(tacit, "procurement", "--columns", ORDERS, "--missing", "-") == [
        "data.csv, sent (column 'Sent'): every cell is empty.",
        "data.csv, delivered (column 'Delivered'): every cell is empty.",
    ]


def test_orders_that_cannot_be_read_together(tacit):
    """Delivered before they are sent: fewer than ten lead times are left."""
    orders(tacit.folder / "data.csv", [(5, 0)] * 9 + [(-5, 0)] * 11)
    (line,) = refused(tacit, "procurement", "--columns", ORDERS)
    assert line == (
        "data.csv: 9 of 20 rows have an order delivered after it was sent, at least 10 are needed."
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--threshold", "1"], "--threshold: must be greater than 1, got 1."),
        (["--interval", "0"], "--interval: must be greater than 0, got 0."),
        (["--parts", "3"], "--parts: does not belong to cloud_bandwidth. Options: --interval, --"),
        (["--threshold", "9"], "--threshold: 1 surges above 9 x the median 1, at least 5 are need"),
        (["--interval", "9000"], "data.csv: 3 rounds of 9000 s, must be 10 .. 10,000,000. Choose"),
    ],
)
def test_surges_that_cannot_be_fitted(words, line, tacit):
    demand(tacit.folder / "data.csv", [*CALM, 20.0, *CALM])
    (found,) = refused(tacit, "cloud_bandwidth", "--columns", DEMAND, *words)
    assert found.startswith(line)


def test_demand_without_a_scale(tacit):
    demand(tacit.folder / "data.csv", [0.0] * 20 + [5.0] * 10)
    (line,) = refused(tacit, "cloud_bandwidth", "--columns", DEMAND)
    assert line.startswith("data.csv: the median of 30 rounds is 0, must be above 0")
    (line,) = refused(tacit, "cloud_bandwidth", "--columns", "time=Time")
    assert line.startswith("--interval: missing. Without a column of values rows are counted")


@pytest.mark.parametrize(
    ("values", "words", "line"),
    [
        (CALM, [], "--parts: 8 leaves 0 rows between hour 3 and 6, at least 10 are needed."),
        (CALM, ["--parts", "0"], "--parts: must be greater than or equal to 1, got 0."),
        (CALM, ["--floor", "-1"], "--floor: must be greater than or equal to 0, got -1."),
        ([2.0] * 30, ["--parts", "1"], "data.csv: every value is 2, at least two are needed."),
    ],
)
def test_values_that_cannot_be_fitted(values, words, line, tacit):
    demand(tacit.folder / "data.csv", values)
    (found,) = refused(tacit, "ad_auction", "--columns", DEMAND, *words)
    assert found.startswith(line)


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("mine.txt", "--write: must end in .yaml, got 'mine.txt'."),
        ("no/mine.yaml", "--write: there is no folder 'no'."),
    ],
)
def test_a_place_that_cannot_be_written_to(target, line, tacit):
    demand(tacit.folder / "data.csv", CALM)
    assert refused(tacit, "ad_auction", "--columns", DEMAND, "--write", target) == [line]


def test_mistakes_of_options_and_columns_are_reported_at_once(tacit):
    demand(tacit.folder / "data.csv", CALM)
    assert refused(tacit, "ad_auction", "--columns", "time=Tim,value=Value", "--parts", "0") == [
        "--parts: must be greater than or equal to 1, got 0.",
        "--columns.time: data.csv has no column 'Tim'. Did you mean 'Time'?",
    ]
