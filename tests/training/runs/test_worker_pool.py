"""Seeds with networks in processes of their own: the same bits, and no process is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from support.training_fixtures import InterruptAfter, files_of, mistakes

from tacit.emergence.registry import PROBES
from tacit.envs.errors import ConfigError
from tacit.oversight import ledger
from tacit.training.config.load import load
from tacit.training.runs import worker_pool
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train, train_experiment
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

pytestmark = pytest.mark.full_mirror  # worker processes have no short one
NETWORKS = (  # as in `test_partial`, so that its compiled loops serve here as well
    "agents.bidder_0=ippo", "agents.bidder_0.rounds_per_update=16", "agents.bidder_0.hidden=[8]",
    "train.evaluate_every=160", "train.copies=4", "train.rounds=1600", "train.measure_last=160",
    "seeds=3",
)  # fmt: skip


def resume(folder):
    """What `tacit resume` does; the measures of its only arm."""
    run = RunFolder(folder)
    return train_experiment(read_experiment(run), run, NoProgress())["measures"]


@pytest.fixture
def eager(monkeypatch):
    """Processes for every run with networks."""
    monkeypatch.setenv("TACIT_THREADS", "2")
    monkeypatch.setattr(worker_pool, "WORTH_IT", 0)


def needed(*settings: str) -> bool:
    experiment = load("ad_auction", settings)
    (name,) = experiment.arms
    return worker_pool.needs_pool(
        experiment, [(name, k) for k in range(experiment.arms[name].seeds)]
    )


def test_processes_are_for_long_runs_of_several_networks(monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")
    long = "train.rounds=200000"
    assert needed("agents.bidder_0=ippo", long, "seeds=5")
    assert not needed("agents.bidder_0=ippo", long, "seeds=4")
    assert needed("agents.bidder_0=ippo", "train.rounds=100000", "train.copies=5", "seeds=2")
    assert not needed("agents.bidder_0=ippo", "train.rounds=99999", "train.copies=5", "seeds=2")
    assert not needed("agents.bidder_0=ippo", "train.rounds=2000000", "seeds=1")
    assert not needed(long, "seeds=149")  # tabular: few seeds do not earn back what a start costs
    assert needed(long, "seeds=150")
    monkeypatch.setenv("TACIT_THREADS", "1")
    assert not needed("agents.bidder_0=ippo", long, "seeds=5")


@pytest.mark.slow
def test_a_seed_learns_the_same_in_a_process_of_its_own(tmp_path, eager, monkeypatch):
    """Also interrupted and gone on with: measures, weights and saves, bit for bit."""
    rounds: list[int] = []

    class Counts(NoProgress):
        def advance(self, arm, progress):
            rounds.append(progress.rounds)

    apart = train("ad_auction", NETWORKS, results=tmp_path / "apart", listener=Counts())
    assert sum(rounds) == 3 * 4 * 1600
    with pytest.raises(Interrupted):
        train("ad_auction", NETWORKS, results=tmp_path / "cut", listener=InterruptAfter(9))
    folder = tmp_path / "cut/ad_auction"
    assert list(folder.rglob("partial.safetensors"))
    cut = resume(folder)
    monkeypatch.setenv("TACIT_THREADS", "1")
    alone = train("ad_auction", NETWORKS, results=tmp_path / "alone")
    assert apart["measures"] == cut == alone["measures"]
    assert (
        files_of(tmp_path / "apart") == files_of(tmp_path / "cut") == files_of(tmp_path / "alone")
    )
    every = [entry["act"] for entry in ledger.read(folder / "ledger.jsonl")]
    acts = [act for act in every if "training" in act]
    assert acts[:2] == ["training started", "training interrupted"]
    assert acts[2:] == ["training started", "training finished"]


def test_tables_beside_code_of_a_user_stay_in_this_process(monkeypatch):
    """Its script may have registered what no other process knows."""
    monkeypatch.setenv("TACIT_THREADS", "2")
    assert needed("seeds=150")
    probe = next(iter(PROBES.values()))
    monkeypatch.setitem(PROBES, "mine", replace(probe, run=lambda *_: {}))
    assert not needed("seeds=150")
    assert needed("agents.bidder_0=ippo", "seeds=150")


@pytest.mark.slow
def test_a_table_learns_the_same_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")
    short = ("train.rounds=2000", "train.measure_last=500", "seeds=3")
    found = []
    for most in (1, 4):
        monkeypatch.setattr(worker_pool, "MANY_SEEDS", most)
        results = tmp_path / str(most)
        found.append((train("ad_auction", short, results=results)["measures"], files_of(results)))
    assert found[0] == found[1]


@pytest.mark.slow
def test_mistakes_of_a_seed_come_back(tmp_path, eager):
    wild = (*NETWORKS, "agents.bidder_0.learning_rate_end=1.0e+30", "seed=3")
    with pytest.raises(ConfigError, match=r"agents\.bidder_0: the loss of seed \d is no finite"):
        train("ad_auction", wild, results=tmp_path)


@pytest.mark.slow
def test_a_process_that_is_killed_is_reported(tmp_path, eager, monkeypatch):
    pools, plain = [], worker_pool.WorkerPool.__init__

    def remembered(self, run):
        pools.append(self)
        plain(self, run)

    monkeypatch.setattr(worker_pool.WorkerPool, "__init__", remembered)

    class Kills(NoProgress):
        def advance(self, arm, progress):
            for process in pools[0]._all:
                process.kill()

    with pytest.raises(ConfigError) as error:
        train("ad_auction", NETWORKS, results=tmp_path, listener=Kills())
    (line,) = error.value.mistakes
    assert "ended with exit code -9" in line
    assert line.endswith(f"What was saved is kept: tacit resume ad_auction --results {tmp_path}")
    assert resume(tmp_path / "ad_auction")


@pytest.mark.slow
def test_a_worker_exits_when_its_parent_has_died(tmp_path):
    """The parent was killed: its end of the pipe is closed."""
    endless = (*NETWORKS, "train.rounds=100000000", "seeds=1")
    with pytest.raises(Interrupted):
        train("ad_auction", endless, results=tmp_path, listener=InterruptAfter(3))
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
    assert worker_pool.has_networks(arm)
    (arm,) = load("ad_auction", []).arms.values()
    assert not worker_pool.has_networks(arm)


@pytest.mark.slow
def test_modules_in_the_working_folder_do_not_replace_libraries(tmp_path, eager, monkeypatch):
    """A folder called tacit, a file called queue.py: as beside a clone, or in a folder of notes."""
    (tmp_path / "tacit").mkdir()
    (tmp_path / "queue.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    assert train("ad_auction", NETWORKS, results="results")["measures"]
