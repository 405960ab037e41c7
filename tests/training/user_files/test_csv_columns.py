"""Rows read in chunks are those that are read one by one."""

from __future__ import annotations

import csv
from random import Random

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.user_files import csv_columns
from tacit.training.user_files.csv_columns import read_columns

CELLS = ["a", " a", "b ", "", "1.50", "a;b", "é"]
LONG = ['"a\r\nb"', '"\n"', '"x\ry"', '"a,b"', '"say ""yes"""']  # quoted; some over several lines


def text_of(luck: Random, long: float, blank: float, short: float) -> str:
    """A file of three columns whose lines end in one of two ways."""
    end = luck.choice(["\n", "\r\n"])
    rows = ["who,bid,note"]
    for _ in range(luck.randint(1, 60)):
        row = [luck.choice(LONG if luck.random() < long else CELLS) for _ in range(3)]
        if luck.random() < short:
            row = row[: luck.randint(1, 2)]
        rows.append("" if luck.random() < blank else ",".join(row))
    return end.join(rows)


@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize(
    ("long", "blank", "short"),
    [(0, 0, 0), (0.2, 0, 0), (0, 0.2, 0), (0, 0, 0.2), (0.2, 0.2, 0.2), (0, 1, 0)],
)
def test_rows_are_those_of_the_csv_module(chunk, long, blank, short, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_columns, "CHUNK", chunk)
    path = tmp_path / "bids.csv"
    for seed in range(20):
        path.write_bytes(text_of(Random(seed), long, blank, short).encode())
        raw = read_columns(path, {"--who": ["who"], "--when": ["bid", "note"]})
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            _, *rows = [(reader.line_num, row) for row in reader if row]
        assert raw.line.tolist() == [line for line, _ in rows]
        assert raw.short.tolist() == [len(row) < 3 for _, row in rows]
        whole = [row + [""] * (3 - len(row)) for _, row in rows]
        found = [(raw.cells["--who"].at(k), raw.cells["--when"].at(k)) for k in range(len(rows))]
        assert found == [(a.strip(), f"{b.strip()}-{c.strip()}") for a, b, c in whole]
        assert len(set(raw.cells["--who"].words)) == len(raw.cells["--who"].words)
        same = [[a == b for b in whole] for a in whole]
        assert [[a == b for b in raw.digest] for a in raw.digest] == same


def test_a_row_of_several_bids_becomes_one_for_each(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("year,id,firm,bid,firm,bid_2\n2021,a,x,1,y,2\n2021,b,y,3,,\n")
    wanted = {"--tender": ["year", "id"], "--bidder": ["firm"], "--bid": ["bid"]}
    raw = read_columns(path, wanted, repeated=["--bid", "--bidder"])
    shown = {o: [words.at(r) for r in range(4)] for o, words in raw.cells.items()}
    assert shown == {
        "--tender": ["2021-a", "2021-a", "2021-b", "2021-b"],
        "--bidder": ["x", "y", "y", ""],
        "--bid": ["1", "2", "3", ""],
    }
    assert raw.line.tolist() == [2, 2, 3, 3]
    assert len(set(raw.digest.tolist())) == 4  # bids of one row are no row that stands twice
    assert raw.spare == 0


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id,firm,bid,firm,bid,bid", "3 of --bid, 2 of --bidder; as many of each are needed"),
        ("id,firm,bid,firm,sum", r"has not two columns 'bid' \(--bid\)"),
    ],
)
def test_columns_that_do_not_repeat_alike_are_refused(tmp_path, header, told):
    path = tmp_path / "wide.csv"
    path.write_text(f"{header}\n1,2,3,4,5,6\n")
    wanted = {"--tender": ["id"], "--bid": ["bid"], "--bidder": ["firm"]}
    with pytest.raises(ConfigError, match=told):
        read_columns(path, wanted, repeated=["--bid", "--bidder"])


def test_columns_that_no_option_names_are_counted(tmp_path):
    path = tmp_path / "bids.csv"
    path.write_text("who,bid,note\na,1,x\n")
    for options, spare in (
        ({"--who": ["who"]}, 2),
        ({"--who": ["who"], "--when": ["bid", "note"]}, 0),
        ({"--who": ["who"], "--bidder": ["who"], "--bid": ["bid"]}, 1),
    ):
        assert read_columns(path, options).spare == spare


ROWS = [f"t{k // 3},f{k},{100 + k}" for k in range(12)]


def quoted(*places: tuple[int, int, str]) -> list[str]:
    """The rows with a quote before or behind some cells: row, cell, and which."""
    rows = [row.split(",") for row in ROWS]
    for row, cell, side in places:
        text = rows[row][cell]
        rows[row][cell] = f'"{text}' if side == "before" else f'{text}"'
    return [",".join(row) for row in rows]


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ([(2, 1, "before"), (7, 1, "behind")], "opens in line 4 closes in line 9"),
        ([(2, 1, "before"), (7, 2, "behind")], "opens in line 4 closes in line 9"),  # other columns
        ([(2, 2, "before"), (7, 0, "behind")], "opens in line 4 closes in line 9"),
        ([(2, 2, "before"), (3, 0, "behind")], "opens in line 4 closes in line 5"),  # next row
        ([(2, 0, "before"), (3, 1, "behind")], "opens in line 4 closes in line 5"),
        ([(2, 1, "before"), (3, 1, "behind")], "opens in line 4 closes in line 5"),
        ([(2, 1, "before")], "a quote opens and never closes"),
        ([(11, 2, "before")], "a quote opens and never closes"),
        ([(2, 1, "before"), (7, 1, "before")], "is no row of CSV"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_quote_that_swallows_rows_is_refused(tmp_path, places, told, separator):
    path = tmp_path / "bids.csv"
    text = "\n".join(["tender,firm,bid", *quoted(*places), ""]).replace(",", separator)
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_columns(path, {"--tender": ["tender"], "--bid": ["bid"]})


@pytest.mark.parametrize("remark", ["one\ntwo", "one, two\nthree", "a,b\nc,d\ne", "\n\n"])
def test_a_remark_of_several_lines_is_no_stray_quote(tmp_path, remark):
    path = tmp_path / "bids.csv"
    rows = [f't{k // 3},f{k},{100 + k},"{remark}"' for k in range(12)]
    path.write_text("\n".join(["tender,firm,bid,remark", *rows, ""]))
    raw = read_columns(path, {"--bid": ["bid"]})
    assert [raw.cells["--bid"].at(k) for k in range(12)] == [str(100 + k) for k in range(12)]


def test_a_number_may_stand_within_the_names_of_columns(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("id,Bidder 1 Amount,Bidder 2 Amount,Bidder 10 Amount\na,1,2,3\n")
    raw = read_columns(path, {"--tender": ["id"], "--bid": ["Bidder # Amount"]}, repeated=["--bid"])
    assert [raw.cells["--bid"].at(k) for k in range(3)] == ["1", "2", "3"]
