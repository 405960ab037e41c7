"""The rule for collusion, its words, and where they are shown."""

from __future__ import annotations

import json

import pytest
from support.boards import Board
from support.paths import ROOT
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import small

from tacit.emergence.evidence import DISCLAIMER
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.emergence.verdict import WORDS
from tacit.envs.errors import ConfigError
from tacit.training.board.verdict_text import verdict_lines, verdict_page
from tacit.training.config import files
from tacit.training.config.load import load
from tacit.training.config.references import NOT
from tacit.training.outcome import probing
from tacit.training.outcome.summary import read_summary
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies.checks import UNDECIDED_ABOUT, checks

# --- words in files -------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_expected_word_is_of_a_rule():
    known = {word for group in WORDS.values() for word in group}
    known |= {UNDECIDED_ABOUT + behaviour for behaviour in WORDS}
    for name in files.names("experiments"):
        experiment = load(name)
        for row in experiment.file.all_references(experiment.arms):
            if row.kind == "word":
                assert row.word.removeprefix(NOT) in known, (name, row.word)


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
        ("not tacit collusion", "above competition, unpunished", True),
        ("not tacit collusion", "tacit collusion", False),
        ("not tacit collusion", "undecided", False),
        ("not tacit collusion", "undecided at n = 3", None),
        ("tacit collusion", "undecided at n = 3", None),
        ("undecided about collusion", "undecided", True),
        ("undecided about collusion", "tacit collusion", False),
        ("undecided about collusion", "undecided at n = 3", None),
    ],
)
def test_reproduce_compares_the_verdict_with_the_expected_one(expected, given, within):
    experiment = load({"market": "ad_auction", "expected_verdict": expected})
    verdict = {"behaviour": "collusion", "word": given, "evidence": [], "missing": []}
    arm = {"measures": {}, "verdicts": [verdict], "seeds": 3}
    (row,) = checks(experiment, {"base": arm})
    assert (row.quantity, row.kind, row.reference) == ("verdict of base", "word", expected)
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
    sealed = path.read_bytes()
    whole = json.loads(sealed)
    older = {k: v for k, v in whole.items() if k != "probes"}
    checkpoint.rewrite_record(run.checkpoint("base", 1), older)
    records = [checkpoint.finished(run.checkpoint("base", k)) for k in range(3)]
    probing.complete(run, arm, records, lambda: None)
    assert json.loads(path.read_text())["probes"] == whole["probes"]
    assert set(records[1]["probes"]) == {*whole["probes"], *CONTROLS}
    assert (
        records[2]["probes"]["rematched"]["rematched/tempted_states"] is None
    )  # no partner for the third
    path.write_bytes(sealed)


def test_controls_are_kept_until_a_seed_changes(run, monkeypatch):
    arm = read_experiment(run).arms["base"]
    records = [checkpoint.finished(run.checkpoint("base", k)) for k in range(3)]
    monkeypatch.setattr(probing, "learned_group", None)  # nothing may be loaded
    probing.complete(run, arm, records, lambda: None)
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
    assert line == (
        f"{kept}: does not match its seal; it was cut or altered. {run.resume} trains it again."
    )
