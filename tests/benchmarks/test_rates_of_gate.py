"""The rates of the gate that are committed are those that were asked for."""

from __future__ import annotations

import re

import pytest
from support.own_agent.gate_stubs import MARKETS, dishonest, honest
from support.paths import ROOT

from tacit.training.tabulate import tabulate

PAGE = (ROOT / "benchmarks/gate/gate.md").read_text(encoding="utf-8")


def test_none_that_is_no_function_passes_and_few_that_are_one_do_not():
    passed, tried = map(int, re.findall(r"(\d+) of (\d+) passed", PAGE)[0])
    assert (passed, tried) == (0, 200)
    count, refused = map(int, re.findall(r"\| all \| (\d+) \| (\d+) \|", PAGE)[0])
    assert count == 200
    assert refused <= 2


def test_the_page_of_the_command_has_the_same_rates():
    text = (ROOT / "docs/own_agent/tabulate.md").read_text(encoding="utf-8")
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert [row for row in rows if row not in text.splitlines()] == []


def passes(market, stub) -> bool:
    seat = MARKETS[market][2]
    return tabulate(stub, stub.questions.market, seat, seed=stub.number).passes_gate


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in dishonest() if c[2].strength == 1.0][::3], ids=lambda case: case[1]
)
def test_strong_stubs_do_not_pass(case):
    market, _, stub = case
    assert not passes(market, stub)


@pytest.mark.slow
@pytest.mark.parametrize("case", list(honest(6)), ids=lambda case: case[1])
def test_honest_stubs_pass(case):
    market, _, stub = case
    assert passes(market, stub)
