"""Tables on the command line: whole on a wide page, in pieces on a narrow one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tacit.training.show import progress_bar
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


def test_a_page_is_filled_to_its_last_character():
    """Columns of 2, 3, 4 and 5 letters, two between any two of them."""
    table = TextTable([{"aa": "", "bbb": "", "cccc": "", "ddddd": ""}])
    assert table.pages(2 + 5 + 6 + 7) == [["aa", "bbb", "cccc", "ddddd"]]
    assert table.pages(2 + 5 + 6 + 7 - 1) == [["aa", "bbb", "cccc"], ["aa", "ddddd"]]
    assert table.pages(2 + 5 + 6 - 1) == [["aa", "bbb"], ["aa", "cccc"], ["aa", "ddddd"]]
    # the first column is never alone
    assert table.pages(1) == [["aa", "bbb"], ["aa", "cccc"], ["aa", "ddddd"]]
    assert TextTable([{"aa": ""}]).pages(1) == [["aa"]]
    assert TextTable([]).pages(80) == [[""]]


def test_without_a_bar_finishing_is_told_now_and_then(monkeypatch):
    """Every two seconds, and not of its last step."""
    said, now = [], [100.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: now[0])
    bar, quiet = progress_bar.ProgressBar("price"), progress_bar.ProgressBar("price", quiet=True)
    for each in (bar, quiet):
        monkeypatch.setattr(each, "note", lambda text, each=each: said.append((each, text)))
    for seconds, done in ((1.0, 1), (2.0, 2), (2.1, 3), (3.0, 4), (4.1, 5), (4.2, 6), (9.0, 7)):
        now[0] = 100.0 + seconds
        for each in (bar, quiet):
            each.finishing("arm a", done, 7)
    assert said == [(bar, "results: arm a, 3 of 7"), (bar, "results: arm a, 6 of 7")]
