"""Seeds that `train.rounds` cut off before their agents had stopped by themselves: it is said."""

from __future__ import annotations

import copy
import io
import json

import pytest
from support.terminal import Terminal
from support.training_fixtures import small

from tacit.training.config.load import load
from tacit.training.outcome.judging import judge
from tacit.training.outcome.summary import unconverged_seeds
from tacit.training.runs.progress import SeedProgress, unconverged_text
from tacit.training.show import progress_bar
from tacit.training.show.terminal import console

QUICK = (
    "market.prices=3",
    "agents.provider.epsilon_decay=0.01",
    "agents.provider.stop_after=1000",
)
CUT_OFF = "agents.provider.stop_after=100000"  # more than there are rounds


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run in which one arm stops by itself and another cannot."""
    folder = tmp_path_factory.mktemp("results")
    for name, more in (("stops", []), ("cut", [CUT_OFF])):
        small(folder, *QUICK, *more, config="cloud_bandwidth", as_arm=name)
    return folder


@pytest.fixture(scope="module")
def arms(results):
    return json.loads((results / "cloud_bandwidth/summary.json").read_text())["arms"]


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_summary_counts_the_seeds_that_were_cut_off(arms, tmp_path):
    assert {name: arm["unconverged"] for name, arm in arms.items()} == {"stops": 0, "cut": 2}
    without_rule = small(tmp_path)
    assert "unconverged" not in without_rule
    assert unconverged_seeds(without_rule) is None


def test_tables_name_them_and_words_are_withheld(tacit, results):
    for command in ("compare", "show"):
        out = tacit(command, "cloud_bandwidth", "--results", str(results)).out
        head = next(line for line in out.splitlines() if line.startswith("arm "))
        assert "not converged" in head
        table = out[out.index(head) :].split("\n\n")[0]
        rows = {line.split()[0]: line for line in table.splitlines()}
        assert "2 of 2" in rows["cut"]
        assert "2 of 2" not in rows["stops"]
    assert (
        "  missing: 2 of 2 seeds had not converged when train.rounds ended; train.rounds=40000 may "
        "be enough" in out
    )


def test_a_table_without_any_has_no_column_for_them(tacit, results):
    out = tacit("show", "cloud_bandwidth", "--arm", "stops", "--results", str(results)).out
    assert "not converged" not in out


@pytest.mark.parametrize(("cut_off", "withheld"), [(0, False), (5, False), (6, True), (100, True)])
def test_a_word_is_given_up_to_a_share_of_one_in_twenty(cut_off, withheld, arms):
    """Judged as if there had been a hundred seeds: those of the arm, fifty times."""
    arm = next(iter(load("cloud_bandwidth", [*QUICK]).arms.values()))
    summary = copy.deepcopy(arms["stops"])
    summary["seeds"] = 100
    for measure in summary["measures"].values():
        measure["per_seed"] = measure["per_seed"] * 50
    summary["measures"]["converged"]["per_seed"] = [0.0] * cut_off + [1.0] * (100 - cut_off)
    judge({"base": arm}, {"base": summary})
    words = {verdict["word"] for verdict in summary["verdicts"]}
    assert words
    for verdict in summary["verdicts"]:
        said = f"{cut_off} of 100 seeds had not converged when train.rounds ended"
        assert any(line.startswith(said) for line in verdict["missing"]) is withheld
    assert (words == {"undecided"}) is withheld


def test_the_progress_line_counts_them(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setattr(progress_bar, "console", lambda stderr: console(stderr))
    with progress_bar.ProgressBar("price") as bar:
        bar.begin(600, 0)
        for k in range(6):
            last = SeedProgress(100, float("nan"), ended=True, cut_off=k < 5)
            bar.advance("slow", last)
    assert "slow: 5 of 6 seeds have not stopped when train.rounds ended" in out.getvalue()
    assert unconverged_text(1, 6) == "1 of 6 seeds has not stopped"
