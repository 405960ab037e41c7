"""`tacit lint`: exit codes, JSON, mistakes."""

from __future__ import annotations

import json

import pytest
from support.terminal import Terminal, mistake_lines

from tacit.oversight.lint import DISCLAIMER


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_a_high_finding_is_exit_code_1(tacit):
    result = tacit("lint", "volatility_kpi", "--arm", "second_1")
    assert (result.code, result.err) == (1, "")
    assert "clearing_price 0.05 to 0.95" in result.out
    assert "smallest repair: price_change of bidder from -1 to -0.0277" in result.out
    assert result.out.endswith(f"{DISCLAIMER}\n")


def test_what_is_not_high_is_exit_code_0(tacit):
    assert tacit("lint", "volatility_kpi", "--arm", "second_0").code == 0
    assert tacit("lint", "volatility_kpi", "--arm", "first_.5").code == 0  # a medium one


def test_the_repair_can_be_tried_on_the_command_line(tacit):
    words = ("lint", "volatility_kpi", "--arm", "second_1")
    assert tacit(*words, "kpi.bidder.price_change=-0.0277").code == 0
    assert tacit(*words, "kpi.bidder.price_change=-0.0279").code == 1


def test_json_is_one_object(tacit):
    result = tacit("lint", "volatility_kpi", "--arm", "second_1", "--json")
    assert (result.code, result.out.count("\n")) == (1, 1)
    data = json.loads(result.out)
    assert set(data) == {"experiment", "arms", "note"}
    arm = data["arms"]["second_1"]
    assert set(arm) == {
        "arm", "market", "seats", "findings", "stable", "patience", "not_examined", "severity",
    }  # fmt: skip
    assert set(arm["seats"][0]) == {"owner", "asks", "learns", "terms", "sees", "uses_rivals_data"}
    finding = arm["findings"][0]
    assert set(finding) == {"kind", "severity", "mechanism", "harms", "free", "repair"}
    assert set(finding["repair"]) == {"owner", "term", "weight", "to", "within", "missing"}
    assert set(finding["harms"][0]) == {
        "measure", "unit", "fundamentals", "kpi", "transfer", "amount", "share",
    }  # fmt: skip


def test_mistakes_are_exit_code_2(tacit):
    assert "volatility_kpi" in mistake_lines(tacit("lint", "volatility_kp"))[0]
    assert "--arm" in mistake_lines(tacit("lint", "volatility_kpi", "--arm", "second"))[0]
    lines = mistake_lines(tacit("lint", "ad_auction", "kpi.bidder.profi=1", "market.bids=0"))
    assert len(lines) == 2
