"""Tables on the command line: whole on a wide page, in pieces on a narrow one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tacit.training.show.progress_bar import short_number
from tacit.training.show.terminal import TextTable

ROWS = [
    {"arm": "second_0", "KPI": "profit 1", "price": ".950", "95 %": "[.949, .950]", "n": "48",
     "verdict": "competitive"},
    {"arm": "second_1", "KPI": "profit 1, price_change -1", "price": ".496",
     "95 %": "[.450, .542]", "verdict": "below competition, unpunished, KPI-made"},
]  # fmt: skip
LONG = [{"key": "market.value", "meaning": "worth of a click: " + "private, drawn, " * 9}]


def printed(table: TextTable, width: int) -> list[str]:
    page = io.StringIO()
    Console(file=page, width=width, highlight=False, markup=False).print(table)
    return [line.rstrip() for line in page.getvalue().splitlines()]


def test_a_wide_page_holds_it_in_one_piece():
    lines = printed(TextTable(ROWS, "What?"), 200)
    assert lines[0] == "What?"
    assert lines[1].split() == ["arm", "KPI", "price", "95", "%", "n", "verdict"]
    assert len(lines) == 4
    assert "second_1  profit 1, price_change -1  .496   [.450, .542]" in lines[3]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_cell_is_broken_and_none_is_lost_on_a_narrow_page(width):
    lines = printed(TextTable(ROWS, "What?"), width)
    assert max(map(len, lines)) <= width
    whole = "\n".join(lines)
    for cell in (cell for row in ROWS for cell in row.values()):
        assert cell in whole
    heads = [line for line in lines if line.startswith("arm")]
    assert len(heads) > 1  # every piece says whose rows these are
    assert sum(line.startswith("second_1") for line in lines) == len(heads)


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_an_interval_and_n_stay_beside_their_figure(width):
    (own,) = (page for page in TextTable(ROWS).pages(width) if "price" in page)
    at = own.index("price")
    assert own[at : at + 3] == ["price", "95 %", "n"]


def test_long_text_is_folded_beside_its_key():
    lines = printed(TextTable(LONG), 60)
    assert lines[0].split() == ["key", "meaning"]
    assert len(lines) > 3
    assert max(map(len, lines)) <= 60
    assert sum(line.startswith("market.value") for line in lines) == 1


def test_nothing_is_a_table_without_rows():
    assert "".join(printed(TextTable([]), 80)) == ""


@pytest.mark.parametrize(
    ("x", "text"),
    [(132e6, "132 M"), (4.14e6, "4.1 M"), (850_000, "850 k"), (1200, "1.2 k"), (0, "0.0 k")],
)
def test_large_numbers_in_short(x, text):
    assert short_number(x) == text
