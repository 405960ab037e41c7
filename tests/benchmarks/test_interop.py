"""The table of libraries: complete, without a failure, and made anew row by row."""

from __future__ import annotations

import pytest
from support.interop import neighbours

cases, main = neighbours.load("cases"), neighbours.load("__main__")
PAGE = main.PAGE.read_text(encoding="utf-8")


def test_every_library_trained_on_every_market():
    table = PAGE.split(main.BEGIN)[1].split(main.END)[0].strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert cells[0] == main.HEAD
    assert [row[0] for row in cells[2:]] == [case.name for case in cases.CASES]
    for row in cells[2:]:
        steps = [int(cell.replace(",", "")) for cell in row[2:-1]]
        assert min(steps) >= 1000, row[0]


def test_a_row_is_replaced_and_the_others_stay():
    first, last = cases.CASES[0].name, cases.CASES[-1].name
    new = main.merge(PAGE, {first: f"| {first} | tried anew |"})
    before, after = PAGE.splitlines(), new.splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [b for _, b in changed] == [f"| {first} | tried anew |"]
    assert main.merge(new, {}) == new
    assert last in new


@pytest.mark.parametrize("text", ["", "why\nand more"])
def test_what_a_library_raises_is_told(text, monkeypatch):
    def train(market, steps):
        raise ValueError(text) if text else ValueError

    monkeypatch.setattr(neighbours.load("markets"), "train", train, raising=False)
    case = cases.Case("none", "none", "markets", "train", (), ())
    assert main.attempt(case, "ad_auction", 10) == f"ValueError: {text[:3]}"


def test_a_library_that_is_not_there_is_named():
    case = cases.Case("none", "none", "none", "none", (), ("numpy", "no_such_library"))
    assert case.missing() == ["no_such_library"]
