"""Tables fit a page of 100 columns, whichever command prints them; with --wide they need not.

Long lines may only be prose, which a terminal wraps: no line of a table, whose columns lie two
blanks apart.
"""

from __future__ import annotations

import re

import pytest
from support.terminal import Terminal
from support.training_fixtures import small

PAGE = 100
LONG = "an_arm_with_a_name_that_is_as_long_as_names_of_arms_get_when_people_are_careful"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    small(folder, "seeds=2", as_arm="profit")
    small(folder, "seeds=2", "kpi=calm", as_arm="calm_and_collected")
    small(
        folder, "seeds=2", "kpi.bidder_0.win=1", "market.price_mix=1", as_arm="one_is_paid_to_win"
    )
    return folder


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def long_table_lines(text: str) -> list[str]:
    """Lines that a page of 100 columns does not hold, and that are none of prose."""
    return [
        line
        for line in map(str.rstrip, text.splitlines())
        if len(line) > PAGE and re.search(r"\S  +\S", line)
    ]


OF_A_RUN = ["compare", "show", "best-response", "deals --worst 2"]
OTHERS = ["list", "list ad_auction", "list procurement", "list cloud_bandwidth", "list ippo",
          "list breakers", "reproduce --list", "explain"]  # fmt: skip


@pytest.mark.parametrize("words", OF_A_RUN)
def test_tables_of_a_run_fit_the_page(words, tacit, results):
    name, *options = words.split()
    where = ["--arm", "profit"] if name in ("best-response", "deals") else []
    result = tacit(name, "ad_auction", *options, *where, "--results", str(results))
    assert (result.code, result.out != "") == (0, True)
    assert long_table_lines(result.out) == []


@pytest.mark.parametrize("words", OTHERS)
def test_other_tables_fit_the_page(words, tacit):
    result = tacit(*words.split())
    assert result.code == 0
    assert long_table_lines(result.out) == []


@pytest.mark.parametrize("words", ["compare", "show"])
def test_wide_tables_are_in_one_piece(words, tacit, results):
    out = tacit(words, "ad_auction", "--wide", "--results", str(results)).out
    heads = [line for line in out.splitlines() if line.startswith("arm  ")]
    assert len(heads) == 1
    assert long_table_lines(out)[0] == heads[0].rstrip()


def test_the_end_of_training_fits_the_page(tacit):
    result = tacit.train("ad_auction")
    assert long_table_lines(result.out) == []
    assert "own-firm loss" in result.out


def test_a_long_name_is_folded_and_not_cut(tacit, results):
    small(results, "seeds=2", "kpi.bidder.win=.5", as_arm=LONG)
    out = tacit("compare", "ad_auction", "--results", str(results)).out
    assert long_table_lines(out) == []
    folded = [line.split("  ")[0].strip() for line in out.split("\n\n")[0].splitlines()[4:]]
    assert "".join(folded) == LONG
