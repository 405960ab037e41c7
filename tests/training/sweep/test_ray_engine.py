"""The engine `ray`: a cluster of two processors that is started here for the length of a sweep."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from support.training_fixtures import files_of

from tacit.envs import plugins
from tacit.envs.errors import ConfigError
from tacit.training.sweep.cell import CellOutcome, train_cell
from tacit.training.sweep.ray_engine import (
    RayCluster,
    check_address,
    read_files,
    train_on_node,
    write_files,
)
from tacit.training.sweep.sweep_folder import SweepFolder
from tacit.training.sweep.sweeping import make_plan

SMALL = ["train.rounds=20000", "train.measure_last=5000", "seeds=1"]
GRID = ["kpi.bidder.price_change=0,-1,-2"]


class Listener:
    def __init__(self):
        self.outcomes: list[CellOutcome] = []

    def share(self, k, share): ...

    def note(self, text): ...

    def ended(self, outcome):
        self.outcomes.append(outcome)


def planned(path):
    plan, raw = make_plan("volatility_kpi", GRID, settings=SMALL, arms=["first_0"])
    folder = SweepFolder(path)
    folder.write_plan(plan, raw)
    return folder, plan, raw


def learned(folder):
    return files_of(folder.path / "cells", ("checkpoint.safetensors",))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder, plan, _ = planned(tmp_path_factory.mktemp("whole") / "mine")
    for k in range(3):
        train_cell(folder, plan, k, lambda share: None)
    return learned(folder)


def test_addresses():
    for address in (None, "auto"):
        check_address(address)
    for address in ("nowhere", "host:", ":6379", "host:port"):
        with pytest.raises(ConfigError, match="must be host:port"):
            check_address(address)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(ConfigError, match=f"nothing answers at {address}"):
            check_address(address)


def test_ray_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    folder, plan, _ = planned(tmp_path / "mine")
    with pytest.raises(ConfigError, match=r"pip install 'tacit\[ray\]'"):
        RayCluster().train(folder, plan, [0], Listener())


@pytest.mark.slow
def test_tasks_know_what_is_registered_here(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    given = []

    def note(**options):
        given.append(options["runtime_env"]["env_vars"])
        raise RuntimeError("enough")

    monkeypatch.setattr(ray, "init", note)
    monkeypatch.setitem(plugins.REMEMBERED, "my_market", "/here/my_market.py")
    monkeypatch.setenv("TACIT_PLUGINS", "others_market")
    folder, plan, _ = planned(tmp_path / "mine")
    with pytest.raises(ConfigError, match="enough"):
        RayCluster("auto").train(folder, plan, [0], Listener())
    assert given[0]["TACIT_PLUGINS"] == "others_market"
    assert "my_market" in given[0][plugins.HANDED_OVER]
    assert given[0]["TACIT_THREADS"] == "1"


@pytest.mark.slow
def test_files_come_back_from_another_machine(tmp_path, whole):
    folder, plan, raw = planned(tmp_path / "mine")
    answer = train_on_node(plan.plain(), raw, 1)
    assert answer["failure"] is None
    write_files(folder.cell(plan, 1).path, answer["files"])
    assert folder.is_done(plan, 1)
    assert read_files(folder.cell(plan, 1).path) == answer["files"]
    assert learned(folder).items() <= whole.items()
    assert not any(".locks" in name for name in answer["files"])


@pytest.mark.parametrize("name", ["../up", "/tmp/up", "a/../../up"])
def test_files_that_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="leads out of the cell's folder"):
        write_files(tmp_path / "cell", {name: b"x"})
    assert not list(tmp_path.rglob("up"))


@pytest.mark.slow
def test_a_cluster_learns_the_same_though_a_worker_is_killed(tmp_path, whole):
    pytest.importorskip("ray")
    folder, plan, _ = planned(tmp_path / "mine")
    listener = Listener()
    stop = threading.Event()
    killed = []

    def kill_one():
        """Kill the first process that trains a cell."""
        while not stop.is_set():
            for pid in _descendants("ray::train_shared"):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=kill_one)
    thread.start()
    try:
        RayCluster(count=2).train(folder, plan, range(3), listener)
    finally:
        stop.set()
        thread.join()
    assert killed
    assert [o.failure for o in listener.outcomes] == [None] * 3
    assert learned(folder) == whole


def _descendants(name: str) -> list[int]:
    """The processes below this one whose command has a name in it."""
    told = subprocess.run(["pgrep", "-f", name], capture_output=True, text=True, check=False)
    return [int(line) for line in told.stdout.split() if _has_ancestor(int(line), os.getpid())]


def _has_ancestor(pid: int, ancestor: int) -> bool:
    """Whether a process descends from another (Linux)."""
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


# --- clusters that were there before --------------------------------------------------------------

HEAD = """
import sys, ray
ray.__version__ = sys.argv[1] or ray.__version__
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""


@contextmanager
def cluster(version: str = "", **environment: str):
    """The address of a cluster of another process, which ends with the block."""
    pytest.importorskip("ray")
    settings = {"RAY_USAGE_STATS_ENABLED": "0", **environment}
    with subprocess.Popen(
        [sys.executable, "-c", HEAD, version],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **settings},
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def training(folder, address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`RayCluster(address).train` of all cells in its own process: Ray reads its settings once.

    Without an address, a cluster of one processor is started.
    """
    code = (
        "import sys; from pathlib import Path\n"
        "from tacit.envs.errors import ConfigError\n"
        "from tacit.training.sweep.ray_engine import RayCluster\n"
        "from tacit.training.sweep.sweep_folder import SweepFolder\n"
        "from tacit.training.sweep.sweeping import to_train\n"
        "from test_ray_engine import Listener\n"
        "folder = SweepFolder(Path(sys.argv[1]))\n"
        "try:\n"
        "    plan, engine = folder.read_plan(), RayCluster(sys.argv[2] or None, 1)\n"
        "    engine.train(folder, plan, to_train(folder, plan), Listener())\n"
        "except ConfigError as error:\n"
        "    sys.exit(str(error))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(folder.path), address],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


@pytest.mark.slow
def test_a_cluster_that_asks_for_a_token_is_joined(tmp_path, whole, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    folder, _, _ = planned(tmp_path / "mine")
    token = tmp_path / "token"
    token.write_text("0123456789abcdef" * 4)
    with cluster(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token)) as address:
        told = training(folder, address, RAY_AUTH_TOKEN_PATH=str(token))
    assert told.returncode == 0, told.stderr
    assert learned(folder) == whole


@pytest.mark.slow
def test_what_answers_is_of_another_version(tmp_path):
    folder, _, _ = planned(tmp_path / "mine")
    with cluster("1.0.0", RAY_AUTH_MODE="disabled") as address:
        told = training(folder, address, RAY_AUTH_MODE="disabled")
    assert told.returncode == 1
    assert f"--engine ray: no cluster at {address}: Version mismatch" in told.stderr
    assert "Ray: 1.0.0" in told.stderr


@pytest.mark.slow
def test_the_same_command_goes_on_after_the_head_of_the_cluster_was_killed(tmp_path):
    pytest.importorskip("ray")
    plan, raw = make_plan(
        "volatility_kpi",
        ["train.rounds=20000,9000000"],
        settings=["train.measure_last=5000", "seeds=1"],
        arms=["first_0"],
    )
    folder, whole = SweepFolder(tmp_path / "mine"), SweepFolder(tmp_path / "whole")
    for each in (folder, whole):
        each.write_plan(plan, raw)
    killed, halted, others = [], [], []

    def kill_the_head():
        """Kill it once the short cell is done; halt what trains the long one in its middle."""
        long = folder.cell(plan, 1).path
        while not (folder.is_done(plan, 0) and list(long.rglob("checkpoint.safetensors"))):
            time.sleep(0.01)
        others.extend(_descendants("ray::"))  # Ray's agents outlive a head that is killed
        halted.extend(_descendants("ray::train_shared"))
        for pid in halted:
            os.kill(pid, signal.SIGSTOP)
        for pid in _descendants("gcs_server"):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    thread = threading.Thread(target=kill_the_head)
    thread.start()
    told = training(folder, "")
    thread.join()
    for pid in others:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert killed
    assert told.returncode == 1
    assert "has ended. What was trained is kept; the same command goes on." in told.stderr
    assert not folder.is_done(plan, 1)
    again = training(folder, "")
    assert again.returncode == 0, again.stderr
    for k in range(2):
        train_cell(whole, plan, k, lambda share: None)
    assert learned(folder) == learned(whole)
