"""The engine `ray`: a cluster of two processors that is started here for the length of a sweep."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

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
def test_what_answers_is_of_another_version(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")

    def refuse(**_):
        raise RuntimeError("Version mismatch: the cluster was started with Ray 1.0")

    monkeypatch.setattr(ray, "init", refuse)
    folder, plan, _ = planned(tmp_path / "mine")
    with pytest.raises(ConfigError, match="no cluster at auto: Version mismatch"):
        RayCluster("auto").train(folder, plan, [0], Listener())


@pytest.mark.slow
def test_tasks_know_what_is_registered_here(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    given = []

    def note(**options):
        given.append(options["runtime_env"]["env_vars"])
        raise RuntimeError("enough")

    monkeypatch.setattr(ray, "init", note)
    monkeypatch.setattr(plugins, "REMEMBERED", {"my_market": "/here/my_market.py"})
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
            told = subprocess.run(
                ["pgrep", "-f", "ray::train_shared"], capture_output=True, text=True, check=False
            )
            for line in told.stdout.split():
                if _has_ancestor(int(line), os.getpid()):
                    os.kill(int(line), signal.SIGKILL)
                    killed.append(line)
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
