"""A prior in a seat of a run, on the command line, and as a policy file."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from support.paths import ROOT
from support.terminal import Terminal, mistake_lines

from tacit.agents.external.policy_file import read_policy
from tacit.agents.prior import prior_table
from tacit.training.config.agent_settings import read_prior
from tacit.training.config.load import load

SHORT = ["train.rounds=2000", "train.measure_last=1000", "seeds=2"]


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_a_prior_plays_in_a_run_and_does_not_learn(tacit, tmp_path):
    words = [
        "agents.supplier_0={name: prior, file: supplier_diplomacy}",
        "agents.buyer={name: prior, file: buyer_people}", "market.scarcity=0.5",
    ]  # fmt: skip
    result = tacit("train", "procurement", *SHORT, *words, "--results", "r", "--json")
    assert result.code == 0, result.err
    measures = json.loads(result.out)["measures"]
    # 4,000 rounds: P(plenty) b0, four standard errors of it.
    rate = 0.5 * 887 / 17_289
    found = next(entry for key, entry in measures.items() if key.startswith("false_scarcity"))
    assert abs(found["mean"] - rate) < 4 * np.sqrt(rate / 2000)
    stored = yaml.safe_load((tmp_path / "r" / "procurement" / "config.yaml").read_text())
    assert "CC BY 4.0" in json.dumps(stored)
    assert tacit("resume", "procurement", "--results", "r").code == 0


def test_a_prior_beside_a_config_and_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    text = (ROOT / "configs" / "priors" / "supplier_campsite.yaml").read_text(encoding="utf-8")
    (tmp_path / "sub" / "mine.yaml").write_text(text, encoding="utf-8")
    for name, figure in (("mine.yaml", 4 / 162), ("supplier_diplomacy", 887 / 17_289)):
        (tmp_path / "sub" / "experiment.yaml").write_text(
            f"market: {{name: procurement}}\nagents: {{supplier: {{name: prior, file: {name}}}}}\n",
            encoding="utf-8",
        )
        arm = load("sub/experiment.yaml").arms["base"]
        seat = arm.market.seat("supplier_0")
        assert not arm.learned[0]
        table = arm.agents["supplier_0"].policy(arm.market, seat)
        assert table[0].max() == pytest.approx(1 - figure, abs=1e-6)
        # Where the file lies is no part of what the arm is: the run keeps its contents.
        moved = json.loads(json.dumps(arm.plain).replace(str(tmp_path), "/elsewhere"))
        assert arm.same(moved)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["agents.supplier_0={name: prior, file: buyer_people}"],
         "agents.supplier_0.file: buyer_people: is a prior for a buyer, not for a supplier."),
        (["agents.supplier_0={name: prior, file: nobody}"],
         "agents.supplier_0.file: unknown prior 'nobody'"),
        (["agents.supplier_0={name: prior}"], "agents.supplier_0.file: missing"),
        (["agents.supplier_0={name: prior, file: supplier_diplomacy, smoothing: 2}"],
         "agents.supplier_0.smoothing: must be less than or equal to 1, got 2"),
        (["agents.supplier_0={name: prior, file: supplier_diplomacy, smooth: .1}"],
         "agents.supplier_0.smooth: unknown key. Did you mean 'smoothing'"),
    ],
)  # fmt: skip
def test_a_prior_that_does_not_fit_a_run(words, told, tacit):
    lines = mistake_lines(tacit("train", "procurement", *SHORT, *words, "--results", "r"))
    assert len(lines) == 1
    assert told in lines[0]


def test_a_prior_of_another_market(tacit):
    word = "agents.sender_0={name: prior, file: supplier_diplomacy}"
    (line,) = mistake_lines(tacit("train", "cheap_talk", *SHORT, word, "--results", "r"))
    assert "is a prior for the market procurement, not for cheap_talk." in line


# --- commands -------------------------------------------------------------------------------------


def test_show_of_a_prior_has_figures_and_sources(tacit):
    result = tacit("prior", "show", "supplier_diplomacy")
    assert (result.code, result.err) == (0, "")
    assert ".051 [.048, .055]" in result.out
    assert "17,289" in result.out
    assert "CC BY 4.0" in result.out
    assert "assumed, not from data: price_if_plenty lowest" in result.out


def test_show_in_a_market_says_what_has_no_data(tacit):
    words = ["market.clause={}", "--smoothing", "0.01"]
    result = tacit("prior", "show", "supplier_diplomacy", "procurement", *words)
    assert result.code == 0, result.err
    assert "supplier_0, rows with a choice: 2 from figures, 4 assumed, 0 no data" in result.out
    assert "parts without data, uniform: clause" in result.out
    assert "after stock scarce" in result.out


def test_export_writes_a_policy_file_that_plays(tacit, tmp_path):
    words = ["--seat", "buyer_0", "--smoothing", "0.05", "-o", "buyer.safetensors"]
    result = tacit("prior", "export", "buyer_people", "procurement", *words)
    assert (result.code, result.err) == (0, "")
    table, card = read_policy(tmp_path / "buyer.safetensors")
    arm = load("procurement").arms["base"]
    expected = prior_table(read_prior("buyer_people", "P"), arm.market, "buyer_0", 0.05).table
    np.testing.assert_array_equal(table, expected)
    assert card.origin["smoothing"] == 0.05
    assert card.origin["prior"]["sources"]["diplomacy"]["licence"] == "CC BY 4.0"
    word = "agents.buyer={name: table, file: buyer.safetensors}"
    assert tacit("train", "procurement", *SHORT, word, "--results", "r").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "nobody"], "PRIOR: unknown prior 'nobody'"),
        (["show", "buyer_people", "cheap_talk"],
         "PRIOR: buyer_people: is a prior for the market procurement, not for cheap_talk."),
        (["export", "buyer_people", "procurement", "--seat", "supplier_0"],
         "is a prior for a buyer, not for a supplier"),
        (["export", "buyer_people", "procurement", "--seat", "byer_0"],
         "no seat 'byer_0'. Did you mean 'buyer_0'"),
        (["export", "buyer_people", "procurement", "-o", "no/x.safetensors"], "-o: there is no"),
        (["show", "missing.yaml"], "PRIOR: there is no file 'missing.yaml'"),
    ],
)  # fmt: skip
def test_commands_refuse_in_words(words, told, tacit):
    (line,) = mistake_lines(tacit("prior", *words))
    assert told in line
