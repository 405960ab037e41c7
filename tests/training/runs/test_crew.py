"""Seeds with networks in processes of their own: the same bits, and nobody is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from support.training_fixtures import Stops, files_of, mistakes

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.training.config.load import load
from tacit.training.runs import worker_pool as crew
from tacit.training.runs.load_run import read_experiment
from tacit.training.runs.run_folder import RunFolder
from tacit.training.runs.runner import (
    Interrupted,
    Silent,
    train,
    train_experiment,
)

NETWORKS = (  # (the mix of `test_partial`, whose loops serve here as well)
    "agents.bidder_0=ippo", "agents.bidder_0.rounds_per_update=16", "agents.bidder_0.hidden=[8]",
    "train.evaluate_every=160", "train.copies=4", "train.rounds=1600", "train.measure_last=160",
    "seeds=3",
)  # fmt: skip


def resume(folder):
    """What `tacit resume` does; the measures of its only arm."""
    run = RunFolder(folder)
    return train_experiment(read_experiment(run), run, Silent())["measures"]


@pytest.fixture
def eager(monkeypatch):
    """Processes for every run with networks."""
    monkeypatch.setenv("TACIT_THREADS", "2")
    monkeypatch.setattr(crew, "WORTH_IT", 0)


def needed(*settings: str) -> bool:
    experiment = load("ad_auction", settings)
    (name,) = experiment.arms
    return crew.needs_pool(experiment, [(name, k) for k in range(experiment.arms[name].seeds)])


def test_processes_are_for_long_runs_of_several_networks(monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")
    long = "train.rounds=200000"
    assert needed("agents.bidder_0=ippo", long, "seeds=5")
    assert not needed("agents.bidder_0=ippo", long, "seeds=4")
    assert not needed("agents.bidder_0=ippo", "train.rounds=2000000", "seeds=1")
    assert not needed(long, "seeds=16")  # tabular
    monkeypatch.setenv("TACIT_THREADS", "1")
    assert not needed("agents.bidder_0=ippo", long, "seeds=5")


@pytest.mark.slow
def test_a_seed_learns_the_same_in_a_process_of_its_own(tmp_path, eager, monkeypatch):
    """Also interrupted and gone on with: measures, weights and saves, bit for bit."""
    told: list[int] = []

    class Counts(Silent):
        def tell(self, arm, progress):
            told.append(progress.rounds)

    apart = train("ad_auction", NETWORKS, results=tmp_path / "apart", watcher=Counts())
    assert sum(told) == 3 * 4 * 1600
    with pytest.raises(Interrupted):
        train("ad_auction", NETWORKS, results=tmp_path / "cut", watcher=Stops(9))
    folder = tmp_path / "cut/ad_auction"
    assert list(folder.rglob("partial.safetensors"))
    cut = resume(folder)
    monkeypatch.setenv("TACIT_THREADS", "1")
    alone = train("ad_auction", NETWORKS, results=tmp_path / "alone")
    assert apart["measures"] == cut == alone["measures"]
    assert (
        files_of(tmp_path / "apart") == files_of(tmp_path / "cut") == files_of(tmp_path / "alone")
    )
    acts = [entry["act"] for entry in ledger.read(folder / "ledger.jsonl")]
    assert acts[:2] == ["training started", "training interrupted"]
    assert acts[2:] == ["training started", "training finished"]


@pytest.mark.slow
def test_mistakes_of_a_seed_come_back(tmp_path, eager):
    wild = (*NETWORKS, "agents.bidder_0.learning_rate_end=1.0e+30", "seed=3")
    with pytest.raises(ConfigError, match=r"agents\.bidder_0: the loss of seed \d is no finite"):
        train("ad_auction", wild, results=tmp_path)


@pytest.mark.slow
def test_a_process_that_is_killed_is_told(tmp_path, eager, monkeypatch):
    crews, plain = [], crew.WorkerPool.__init__
    monkeypatch.setattr(
        crew.WorkerPool, "__init__", lambda self, run: crews.append(self) or plain(self, run)
    )

    class Kills(Silent):
        def tell(self, arm, progress):
            for process in crews[0]._all:
                process.kill()

    with pytest.raises(ConfigError) as error:
        train("ad_auction", NETWORKS, results=tmp_path, watcher=Kills())
    (line,) = error.value.mistakes
    assert "ended with exit code -9" in line
    assert line.endswith("What was saved is kept: tacit resume ad_auction")
    assert resume(tmp_path / "ad_auction")


@pytest.mark.slow
def test_a_worker_leaves_when_nobody_asks_any_more(tmp_path):
    """Whoever asked was killed: its end of the pipe is closed."""
    endless = (*NETWORKS, "train.rounds=100000000", "seeds=1")
    with pytest.raises(Interrupted):
        train("ad_auction", endless, results=tmp_path, watcher=Stops(3))
    worker = subprocess.Popen(
        [sys.executable, "-m", "tacit.training.runs.worker", str(tmp_path / "ad_auction")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    print(json.dumps({"arm": "base", "seed": 0}), file=worker.stdin, flush=True)
    assert "progress" in json.loads(worker.stdout.readline())
    worker.stdin.close()
    began = time.monotonic()
    assert worker.wait(timeout=20) == 1
    assert time.monotonic() - began < 10
    worker.stdout.close()


def test_networks_are_what_makes_an_arm_slow():
    assert mistakes("agents.bidder_0=ipo")[0].startswith("agents.bidder_0")
    (arm,) = load("ad_auction", ["agents.bidder_0=idqn"]).arms.values()
    assert crew.has_networks(arm)
    (arm,) = load("ad_auction", []).arms.values()
    assert not crew.has_networks(arm)


@pytest.mark.slow
def test_what_lies_where_somebody_works_is_no_library(tmp_path, eager, monkeypatch):
    """A folder called tacit, a file called queue.py: as beside a clone, or in a folder of notes."""
    (tmp_path / "tacit").mkdir()
    (tmp_path / "queue.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    assert train("ad_auction", NETWORKS, results="results")["measures"]
