"""The rule for collusion, its words, and where they are shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.boards import Board
from support.paths import ROOT
from support.populations import default_kpi, prices
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import small

from tacit.emergence.collusion.verdict import collusion
from tacit.emergence.evidence import DISCLAIMER, MIN_SEEDS, Evidence
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.emergence.verdict import WORDS
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.board.verdict_text import verdict_lines, verdict_page
from tacit.training.config import files
from tacit.training.config.load import load
from tacit.training.config.references import expected_words
from tacit.training.runs import probing
from tacit.training.runs.summary import read_summary
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import write_json
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies.checks import NOT, checks

COLLUDING = {"frozen_index": 0.85, "tempted": 0.98, "deterred": 0.9, "rival_response": -0.12}


def evidence(n=MIN_SEEDS, market=None, spread=0.01, **figures):
    """An arm whose seeds lie evenly around the given means."""
    market = market or prices()
    offsets = [spread * (2 * k / max(n - 1, 1) - 1) for k in range(n)]
    means = COLLUDING | figures
    return Evidence(
        market, default_kpi(market),
        {name: [mean + x for x in offsets] for name, mean in means.items()}, n,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "word"),
    [
        ({}, "tacit collusion"),
        ({"frozen_index": 0.05}, "competitive"),
        ({"tempted": 0.4}, "supra-competitive, partly tempted"),
        ({"tempted": 0.0}, "supra-competitive, static equilibrium"),
        ({"deterred": 0.6}, "supra-competitive, unpunished"),
        ({"rival_response": -0.01}, "supra-competitive, unpunished"),
        ({"rival_response": 0.1}, "supra-competitive, unpunished"),
    ],
)
def test_the_rule(figures, word):
    assert collusion(evidence(**figures)).word == word


def test_a_wide_interval_shows_nothing():
    assert collusion(evidence(frozen_index=0.2, spread=1.0)).word == "not shown above competition"


def test_an_auction_needs_no_answer_in_prices():
    market = make_market("ad_auction", {"observe": "bids"})
    assert collusion(evidence(market=market, rival_response=5.0)).word == "tacit collusion"


@pytest.mark.parametrize("n", [1, 2, MIN_SEEDS - 1])
def test_below_the_least_n_the_strongest_word_is_undecided(n):
    verdict = collusion(evidence(n))
    assert verdict.word == f"undecided at n = {n}"
    assert f"n = {n} of the {MIN_SEEDS} seeds" in verdict.missing[0]
    if n > 2:
        assert "tacit collusion" in verdict.missing[0]
        assert collusion(evidence(n, frozen_index=0.0)).word == "not shown above competition"


def test_seeds_without_the_figure_are_left_out():
    arm = evidence()
    some = [float("nan") if k % 4 else 0.9 for k in range(MIN_SEEDS)]
    verdict = collusion(replace(arm, figures={**arm.figures, "deterred": some}))
    assert verdict.word == "tacit collusion"
    assert "deterred, of the tempted .900 [.900, .900], n = 12" in verdict.evidence


def test_a_market_without_the_probes_is_undecided_and_says_why():
    market = make_market("procurement", {"suppliers": 2})
    verdict = collusion(evidence(market=market))
    assert verdict.word == "undecided"
    assert any("several roles" in line for line in verdict.missing)


def test_a_market_without_an_index_has_no_such_verdict():
    assert collusion(evidence(market=make_market("procurement"))) is None


def test_qualifiers_stand_beside_the_word():
    arm = evidence(
        best_response_gap=0.4,
        rival_response_opposite=-0.1,
        **{"rematched/frozen_index": 0.09, "rematched/tempted": 0.6, "rematched/deterred": 0.3,
           "rematched/rival_response": -0.05},
    )  # fmt: skip
    arm = replace(arm, controls={"memoryless": evidence(frozen_index=0.95)})
    verdict = collusion(arm)
    assert verdict.word == "tacit collusion"
    assert verdict.qualifiers == (
        "not an equilibrium", "untargeted", "pair-specific", "level also reached without memory",
    )  # fmt: skip
    assert "by the same rule, exchanged partners: competitive" in verdict.evidence
    assert verdict.missing == ()


def test_what_is_missing_is_listed():
    missing = collusion(evidence()).missing
    assert "an arm without memory (--as memoryless market.memory=0)" in missing
    assert any(line.startswith("exchanged partners") for line in missing)


# --- words in files -------------------------------------------------------------------------------


def test_every_expected_word_is_of_a_rule():
    known = {word for group in WORDS.values() for word in group}
    for name in files.names("experiments"):
        experiment = load(name)
        for _, word in expected_words(experiment.file.expected_verdict, experiment.arms):
            assert word.removeprefix(NOT) in known, (name, word)


def test_an_expected_verdict_of_an_unknown_arm_is_refused():
    raw = {"market": "ad_auction", "expected_verdict": {"bse": "competitive"}}
    with pytest.raises(ConfigError) as error:
        load(raw)
    assert error.value.mistakes == ["expected_verdict: unknown arm 'bse'. Did you mean 'base'?"]


@pytest.mark.parametrize(
    ("expected", "given", "within"),
    [
        ("competitive", "competitive", True),
        ("competitive", "tacit collusion", False),
        ("not tacit collusion", "supra-competitive, unpunished", True),
        ("not tacit collusion", "tacit collusion", False),
        ("not tacit collusion", "undecided", False),
        ("not tacit collusion", "undecided at n = 3", None),
        ("tacit collusion", "undecided at n = 3", None),
    ],
)
def test_reproduce_compares_the_verdict_with_the_expected_one(expected, given, within):
    experiment = load({"market": "ad_auction", "expected_verdict": expected})
    verdict = {"behaviour": "collusion", "word": given, "evidence": [], "missing": []}
    arm = {"measures": {}, "verdicts": [verdict], "seeds": 3}
    (row,) = checks(experiment, {"base": arm})
    assert (row.quantity, row.published) == ("verdict of base", expected)
    assert (row.measured, row.within) == (given, within)


def test_every_figure_is_on_its_page():
    page = (ROOT / "docs/probes/collusion.md").read_text(encoding="utf-8")
    for probe in [*PROBES.values(), *CONTROLS.values()]:
        if probe.name in ("index", "temptation", "impulse_response", "equilibrium", "start_gain",
                          "rematched"):  # fmt: skip
            for name in probe.figures:
                assert f"`{name}" in page, name


# --- in a run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    small(results, "seeds=3", "market.observe=price")
    return RunFolder(results / "ad_auction")


def test_a_run_has_its_word(run):
    arm = read_summary(run.summary)["base"]
    (verdict,) = [v for v in arm["verdicts"] if v["behaviour"] == "collusion"]
    assert verdict["word"] in ("undecided at n = 3", "not shown above competition")
    assert set(verdict) == {"behaviour", "word", "evidence", "missing", "qualifiers"}
    lines = verdict_lines({"base": arm})
    assert lines[0] == f"base, collusion: {verdict['word']}"
    assert lines[-1] == DISCLAIMER
    assert DISCLAIMER in verdict_page("base", arm)


def test_the_word_and_a_picture_are_in_tensorboard(run):
    board, arm = Board(run.path), read_summary(run.summary)["base"]
    assert board.text("base/_band", "verdict") == verdict_page("base", arm)
    pictures = set(board.events.Runs()["base/_band"]["tensors"])
    for path in run.band("base").glob("*.png"):
        assert path.stem in pictures
        assert path.read_bytes()[:4] == b"\x89PNG"
    assert "impulse_response" in pictures


def test_probes_of_an_older_run_are_added_from_its_checkpoints(run):
    arm = read_experiment(run).arms["base"]
    path = run.checkpoint("base", 1).with_suffix(".json")
    whole = json.loads(path.read_text())
    write_json(path, {k: v for k, v in whole.items() if k != "probes"})
    records = [checkpoint.finished(run.checkpoint("base", k)) for k in range(3)]
    probing.complete(run, arm, records)
    assert json.loads(path.read_text())["probes"] == whole["probes"]
    assert set(records[1]["probes"]) == {*whole["probes"], *CONTROLS}
    assert (
        records[2]["probes"]["rematched"]["rematched/tempted"] is None
    )  # no partner for the third


def test_controls_are_kept_until_a_seed_changes(run, monkeypatch):
    arm = read_experiment(run).arms["base"]
    records = [checkpoint.finished(run.checkpoint("base", k)) for k in range(3)]
    monkeypatch.setattr(probing, "learned_group", None)  # nothing may be loaded
    probing.complete(run, arm, records)
    assert "rematched" in records[0]["probes"]


# --- tacit best-response --------------------------------------------------------------------------


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_best_response_prints_every_seat_in_both_payoffs(run, tacit):
    said = tacit("best-response", "ad_auction", "--results", str(run.path.parent))
    assert said.code == 0
    head, *rows, _ = said.out.splitlines()
    assert head.split() == ["arm", "seat", "payoff", "as", "learned", "best", "response", "gain",
                            "95", "%", "n", "found"]  # fmt: skip
    assert [row.split()[1:3] for row in rows] == [
        [f"bidder_{i}", payoff] for i in (0, 1) for payoff in ("kpi", "fundamental")
    ]
    assert all(row.split()[-1] == "exactly" for row in rows)


def test_best_response_as_json_of_one_seat(run, tacit):
    words_ = ["best-response", "ad_auction", "--seat", "bidder_1", "--json"]
    said = tacit(*words_, "--results", str(run.path.parent))
    rows = json.loads(said.out)
    assert [row["seat"] for row in rows] == ["bidder_1"] * 2
    assert all(row["gain"]["mean"] >= 0 and row["gain"]["n"] == 3 for row in rows)


def test_best_response_names_what_is_missing(run, tacit):
    results = ["--results", str(run.path.parent)]
    (line,) = mistake_lines(tacit("best-response", "ad_auction", "--seat", "bider_1", *results))
    assert line == "--seat: unknown 'bider_1' in arm base. Did you mean 'bidder_1'?"
    kept = run.checkpoint("base", 2)
    hidden = kept.rename(kept.with_name("hidden"))
    try:
        (line,) = mistake_lines(tacit("best-response", "ad_auction", *results))
    finally:
        hidden.rename(kept)
    assert line.endswith(
        "arm base has no finished checkpoint of 1 of its 3 seeds; tacit resume ad_auction"
    )
