"""A run with adopters: words, lines of `tacit compare`, figure; of scripts whose slope is known.

Scripts draw nothing, so every repetition is the same, and slopes are exact: competing adopters have
slope 0, adopters that post the price of one firm rise by the whole way from competition to it. Four
repetitions take little time, and have the words that 48 would have as what is missing.
"""

from __future__ import annotations

import pytest
from support.terminal import Terminal

from tacit.envs.registry import make_market
from tacit.training.config.load import load
from tacit.training.outcome.summary import read_summary
from tacit.training.runs.runner import train
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies.figures import draw

MARKET = {"name": "cloud_bandwidth", "providers": 3, "prices": 3}
SEATS = ["provider_0", "provider_1", "provider_2"]
JOIN = {f"agents.{seat}": {"name": "scripted", "rule": "collusive"} for seat in SEATS}
FILE = {
    "market": MARKET,
    "agents": {"provider": {"name": "scripted", "rule": "competitive"}},
    "train": {"rounds": 400, "measure_last": 200, "evaluate_every": 200},
    "seeds": 4,
    "arms": {
        "one": {},
        "two": {key: JOIN[key] for key in list(JOIN)[:2]},
        "three": JOIN,
        "same_2": {"train.rounds": 401},
        "same_3": {"train.rounds": 402},
    },
    "adoption": {
        "measure": "price",
        "alone": "one",
        "series": {
            "agreed": {"one": SEATS[:1], "two": SEATS[:2], "three": SEATS},
            "apart": {"one": SEATS[:1], "same_2": SEATS[:2], "same_3": SEATS},
        },
    },
    "figure": {"adoption": True},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    train(FILE, results=folder)
    return folder


def verdicts(results, arm):
    found = read_summary(RunFolder(results / "cloud_bandwidth").summary)[arm]["verdicts"]
    return {verdict["behaviour"]: verdict for verdict in found}


@pytest.mark.slow
def test_each_series_has_its_word_at_its_last_arm_and_no_other_arm_has_one(results):
    for arm, word in (("three", "coordinated adoption"), ("same_3", "independent adoption")):
        found = verdicts(results, arm)["adoption"]
        assert found["word"] == "undecided at n = 4"
        assert found["missing"][0] == f"n = 4 of the 48 seeds that a word needs (by these: {word})"
    for arm in ("one", "two", "same_2"):
        assert "adoption" not in verdicts(results, arm)


@pytest.mark.slow
def test_the_slope_is_the_known_one(results):
    """Two of three post the joint price and the third the competitive one: by hand (2 ends)."""
    market = make_market("cloud_bandwidth", {k: v for k, v in MARKET.items() if k != "name"})
    steps = market.benchmark_steps
    low, high = (market.grid[0, steps[name][0]] for name in ("competitive", "collusive"))
    slope = (high - low) / 2
    line = verdicts(results, "three")["adoption"]["evidence"][0]
    text = f"{slope:.3f}".removeprefix("0")
    assert line == f"agreed: slope {text} [{text}, {text}] an adopter, p .0001, n = 4"
    assert verdicts(results, "same_3")["adoption"]["evidence"][0] == (
        "apart: slope .000 [.000, .000] an adopter, p 1, n = 4"
    )


@pytest.mark.slow
def test_compare_prints_a_line_a_series_and_the_figure_has_a_panel_each(
    results, tmp_path, monkeypatch, capsys
):
    tacit = Terminal(tmp_path, monkeypatch, capsys)
    told = tacit("compare", "cloud_bandwidth", "--results", str(results)).out.splitlines()
    lines = [line for line in told if "an adopter" in line]
    assert [line.partition(":")[0] for line in lines] == ["adoption, agreed", "adoption, apart"]
    assert all(line.endswith("n = 4: undecided at n = 4") for line in lines)
    experiment = load(FILE)
    arms = read_summary(RunFolder(results / "cloud_bandwidth").summary)
    assert draw(experiment, arms, tmp_path / "figure.png")
    assert not draw(experiment, {"one": arms["one"]}, tmp_path / "none.png")


@pytest.mark.slow
def test_a_run_without_all_arms_of_a_series_says_nothing_of_it(tmp_path):
    train(FILE | {"seeds": 2}, arms=["one", "three"], results=tmp_path)
    assert "adoption" not in verdicts(tmp_path, "three")
