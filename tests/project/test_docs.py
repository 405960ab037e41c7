"""The examples in documents do what they say."""

from __future__ import annotations

import doctest

import pytest
from support.pages import run_page
from support.paths import ROOT
from support.terminal import Terminal

DOCS = ROOT / "docs"
SLOW = ("own_kpi.md", "own_learner.md", "own_market.md")  # they train for 10 s and more
LONG = (*SLOW, "from_python.md", "other_libraries.md")
TUTORIALS = [
    pytest.param(path.name, marks=[pytest.mark.slow] * (path.name in LONG))
    for path in sorted((DOCS / "tutorials").glob("*.md"))
]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["gymnasium.md"])
def test_examples_print_what_stands_below_them(page):
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_works_from_top_to_bottom(page, tmp_path, monkeypatch, capsys, registers):
    """Commands of a page that trains for long in processes of their own, as a reader gives them."""
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    monkeypatch.syspath_prepend(tmp_path)
    ran = run_page(DOCS / "tutorials" / page, tmp_path, None if page in SLOW else terminal)
    assert ran > 0
