"""Both ends of a worker's pipe, and the run that owns the pool, without any network or training."""

from __future__ import annotations

import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from support.training_fixtures import small

from tacit.envs.errors import ConfigError
from tacit.training.acts.gate import Gate
from tacit.training.acts.remote_gate import RemoteGate
from tacit.training.runs import runner, worker, worker_pool
from tacit.training.runs.progress import SeedProgress
from tacit.training.runs.seed_run import train_seed
from tacit.training.runs.signals import Stopped, stopping_on_signals
from tacit.training.runs.worker_pool import WorkerPool
from tacit.training.storage.run_folder import RunFolder

ANSWERS = [
    {"progress": {"rounds": 5, "headline": 0.5, "skipped": True, "ended": False, "cut_off": False}},
    {"progress": {"rounds": 7, "headline": 0.25, "skipped": False, "ended": True, "cut_off": True}},
]
SHORT = ("train.rounds=20000", "train.measure_last=5000", "train.copies=4", "seeds=1")


class Ended(Exception):
    """`os._exit` was called."""


# --- the worker's end -----------------------------------------------------------------------------


def requests_of(monkeypatch, *messages, half=""):
    """What a worker is left with after these lines: its queue, and whether it was told to stop."""

    def end(code):
        raise Ended(code)

    lines = "".join(json.dumps(message) + "\n" for message in messages)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines + half))
    monkeypatch.setattr(worker.os, "_exit", end)
    requests, stopped = queue.Queue(), threading.Event()
    ended = None
    try:
        worker._read_requests(requests, stopped, Gate(stopped.is_set), io.StringIO())
    except Ended as error:
        ended = error.args[0]
    return [requests.get_nowait() for _ in range(requests.qsize())], stopped.is_set(), ended


def test_a_worker_that_is_told_to_stop_reads_no_further(monkeypatch):
    one, two = {"arm": "a", "seed": 0}, {"arm": "b", "seed": 1}
    assert requests_of(monkeypatch, one, worker.STOP, two) == ([one, None], True, None)


def test_a_worker_whose_parent_died_exits_at_once_with_code_1(monkeypatch):
    one = {"arm": "a", "seed": 0}
    assert requests_of(monkeypatch, one) == ([one], False, 1)


def test_a_worker_whose_parent_died_while_it_wrote_exits_too(monkeypatch):
    one = {"arm": "a", "seed": 0}
    assert requests_of(monkeypatch, one, half='{"arm": "b", ') == ([one], False, 1)


def test_a_worker_answers_with_progress_and_then_the_record_or_the_mistakes(monkeypatch):
    first, last = (SeedProgress(**answer["progress"]) for answer in ANSWERS)

    def trained(run, arm, k, report, gate):
        assert (run, arm) == ("run", "arm")
        report(first)
        report(last)
        if k == 1:
            raise ConfigError(["one", "two"])
        return {"seed": k} if gate.wait(0) else None

    monkeypatch.setattr(worker, "train_seed", trained)
    stopped = threading.Event()

    def said(k):
        page = io.StringIO()
        worker._train("run", "arm", k, page, Gate(stopped.is_set))
        return [json.loads(line) for line in page.getvalue().splitlines()]

    assert said(0) == [*ANSWERS, {"record": {"seed": 0}}]
    assert said(1) == [*ANSWERS, {"mistakes": ["one", "two"]}]
    stopped.set()
    assert said(0) == [*ANSWERS, {"record": None}]


# --- the pool's end -------------------------------------------------------------------------------


def pool_with(monkeypatch, *answers, code=7):
    """A pool whose process says these lines; what it was sent is in its `stdin`."""
    process = SimpleNamespace(
        stdin=io.StringIO(),
        stdout=iter([json.dumps(answer) + "\n" for answer in answers]),
        wait=lambda: code,
    )
    pool = WorkerPool(RunFolder(Path("results/mine")))
    monkeypatch.setattr(pool, "_process", lambda: process)
    return pool, process


def test_a_pool_asks_for_a_seed_and_hands_on_progress_record_and_mistakes(monkeypatch):
    told = []
    pool, process = pool_with(monkeypatch, *ANSWERS, {"record": {"x": 1}}, {"record": "late"})
    assert pool.train("calm", 3, told.append, RemoteGate()) == {"x": 1}
    sent = [json.loads(line) for line in process.stdin.getvalue().splitlines()]
    assert sent == [{"gate": "open"}, {"arm": "calm", "seed": 3}]
    assert told == [SeedProgress(**answer["progress"]) for answer in ANSWERS]
    pool, _ = pool_with(monkeypatch, {"record": None})
    assert pool.train("calm", 3, told.append, RemoteGate()) is None
    pool, _ = pool_with(monkeypatch, {"mistakes": ["this", "that"]})
    with pytest.raises(ConfigError) as error:
        pool.train("calm", 3, told.append, RemoteGate())
    assert error.value.mistakes == ["this", "that"]


def test_a_half_written_line_is_that_of_a_process_that_was_killed(monkeypatch):
    pool, process = pool_with(monkeypatch, code=-9)
    process.stdout = iter([json.dumps(ANSWERS[0]) + "\n", '{"record": {"x": '])
    with pytest.raises(ConfigError, match=r"seed 3 of arm calm ended with exit code -9\."):
        pool.train("calm", 3, lambda progress: None, RemoteGate())


def test_a_process_that_was_stopped_before_it_began_is_no_mistake(monkeypatch):
    gate = RemoteGate()
    gate.stop()
    pool, process = pool_with(monkeypatch, code=0)
    assert pool.train("calm", 3, lambda progress: None, gate) is None
    assert json.dumps(worker.STOP) in process.stdin.getvalue().splitlines()
    pool, _ = pool_with(monkeypatch, code=-9)
    with pytest.raises(ConfigError, match="exit code -9"):
        pool.train("calm", 3, lambda progress: None, gate)


@pytest.mark.parametrize("broken", [False, True])
def test_a_process_that_ends_without_an_answer_is_reported(monkeypatch, broken):
    pool, process = pool_with(monkeypatch, ANSWERS[0])
    if broken:
        process.stdin = SimpleNamespace(write=lambda text: 1, flush=broken_pipe)
    with pytest.raises(ConfigError, match=r"seed 3 of arm calm ended with exit code 7\. .*mine"):
        pool.train("calm", 3, lambda progress: None, RemoteGate())


def test_a_thread_keeps_its_process_which_ctrl_c_does_not_reach(monkeypatch):
    started = []

    def popen(words, **options):
        started.append((words, options))
        return SimpleNamespace()

    monkeypatch.setattr(worker_pool.subprocess, "Popen", popen)
    pool, found = WorkerPool(RunFolder(Path("results/mine"))), []
    for _ in range(2):
        thread = threading.Thread(target=lambda: found.extend([pool._process(), pool._process()]))
        thread.start()
        thread.join()
    assert found[0] is found[1] is pool._all[0]
    assert found[2] is found[3] is pool._all[1]
    assert found[0] is not found[2]
    words = [sys.executable, "-P", "-m", "tacit.training.runs.worker", "results/mine"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    options = {**pipes, "text": True, "encoding": "utf-8", "start_new_session": True}
    for own_words, own_options in started:
        assert own_words == words
        environment = own_options.pop("env")
        assert os.environ.items() <= environment.items()
        assert own_options == options
    assert len(started) == 2


def test_a_gate_hears_where_its_seed_is_held(monkeypatch):
    heard = []
    gate = SimpleNamespace(connect=lambda pipe: None, heard=lambda *told: heard.append(told))
    held = [{"held": True, "rounds": 30}, {"held": False, "rounds": 40}]
    pool, _ = pool_with(monkeypatch, *held, {"record": {}})
    assert pool.train("calm", 3, lambda progress: None, gate) == {}
    assert heard == [(30, True), (40, False)]


def broken_pipe():
    raise BrokenPipeError


def test_all_processes_are_told_to_stop_and_waited_for():
    """Also one that ended before; told twice, they hear it once."""
    listens = "import sys; sys.exit(3 if sys.stdin.readline() == '\"stop\"\\n' else 4)"
    pool = WorkerPool(RunFolder(Path("results/mine")))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    programs = (listens, "pass", listens)
    pool._all = [subprocess.Popen([sys.executable, "-S", "-c", p], **pipes) for p in programs]
    pool._all[1].wait()
    pool.stop()
    pool.wait()
    pool.stop()  # their input is closed by now
    assert [process.returncode for process in pool._all] == [3, 0, 3]


# --- the run that owns the pool -------------------------------------------------------------------


class Pool:
    """In the place of a pool: trains in this process and notes what is asked of it."""

    made: ClassVar[list[Pool]] = []
    trains = staticmethod(train_seed)

    def __init__(self, run):
        self.run, self.asked, self.stopped = run, [], threading.Event()
        Pool.made.append(self)

    def train(self, name, k, report, gate):
        self.asked.append((name, k))
        return Pool.trains(self, name, k, report, gate)

    def stop(self):
        self.asked.append("stop")
        self.stopped.set()

    def wait(self):
        self.asked.append("wait")


@pytest.fixture
def pooled(monkeypatch):
    monkeypatch.setenv("TACIT_THREADS", "2")
    monkeypatch.setattr(Pool, "made", [])
    monkeypatch.setattr(runner, "WorkerPool", Pool)
    monkeypatch.setattr(runner, "needs_pool", lambda experiment, jobs: True)
    monkeypatch.setattr(runner, "goes_to_pool", lambda arm: True)
    return monkeypatch


def test_workers_are_told_to_stop_and_waited_for_at_the_end_of_a_run(pooled, tmp_path):
    arm = runner.load("ad_auction", ("train.rounds=20000", "train.measure_last=5000", "seeds=2"))

    def in_this_process(pool, name, k, report, gate):
        return train_seed(pool.run, arm.arms[name], k, report, gate)

    pooled.setattr(Pool, "trains", staticmethod(in_this_process))
    small(tmp_path)
    (pool,) = Pool.made
    assert sorted(pool.asked[:-2]) == [("base", 0), ("base", 1)]
    assert pool.asked[-2:] == ["stop", "wait"]


def test_rounds_of_a_process_are_told_as_they_are_played(pooled, tmp_path):
    """Per copy, though progress counts those of all copies."""
    arm = runner.load("ad_auction", SHORT).arms["base"]
    seen = []

    def telling(pool, name, k, report, gate):
        for _ in range(2):
            report(SeedProgress(30 * arm.train.copies, float("nan")))
            seen.append(gate.rounds)
        return train_seed(pool.run, arm, k, report, Gate())

    pooled.setattr(Pool, "trains", staticmethod(telling))
    runner.train("ad_auction", SHORT, results=tmp_path)
    assert arm.train.copies == 4
    assert seen == [30, 60]


def test_a_mistake_of_one_seed_stops_the_workers_of_the_others_before_they_are_waited_for(
    pooled, tmp_path
):
    heard = []

    def fails(pool, name, k, report, gate):
        if k == 0:
            raise ConfigError("seed 0 cannot be trained")
        heard.append(pool.stopped.wait(timeout=10))

    pooled.setattr(Pool, "trains", staticmethod(fails))
    with pytest.raises(ConfigError, match="seed 0 cannot be trained"):
        small(tmp_path, "seeds=2")
    (pool,) = Pool.made
    assert heard in ([], [True])  # (seed 1 had not begun, or was told at once)
    assert pool.asked[-1] == "wait"


def test_without_need_no_pool_is_made(pooled, tmp_path):
    pooled.setattr(runner, "needs_pool", lambda experiment, jobs: False)
    small(tmp_path, "seeds=1")
    assert Pool.made == []


# --- signals --------------------------------------------------------------------------------------


NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.fixture
def heard():
    """Signals that are not ignored, as they are in a process that runs in the background."""
    before = {name: signal.signal(getattr(signal, name), signal.SIG_DFL) for name in NAMES}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_signal_stops_and_afterwards_signals_are_as_before(name, heard):
    number = getattr(signal, name)
    outside = signal.signal(number, signal.SIG_DFL)  # under nohup SIGHUP would be ignored
    try:
        _stops_at(number)
    finally:
        signal.signal(number, outside)


def _stops_at(number):
    before = signal.getsignal(number)

    def stopped():
        with stopping_on_signals():
            assert signal.getsignal(number) is not before
            signal.raise_signal(number)

    with pytest.raises(Stopped) as error:
        stopped()
    assert error.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


def test_a_second_signal_ends_the_process_whichever_it_is(monkeypatch, capsys, heard):
    def end(code):
        raise Ended(code)

    monkeypatch.setattr("tacit.training.runs.signals.os._exit", end)

    def signalled_twice():
        with stopping_on_signals():
            with pytest.raises(Stopped):
                signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Ended) as ended:
        signalled_twice()
    assert ended.value.args == (128 + signal.SIGINT,)
    assert capsys.readouterr().err == "ended at once; what was saved is kept\n"


def test_an_ignored_signal_stays_ignored_and_other_threads_change_nothing(heard):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping_on_signals():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    seen = []

    def elsewhere():
        with stopping_on_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


# --- a real process at its gate -------------------------------------------------------------------


@pytest.mark.slow
def test_a_process_is_held_within_a_round_steps_and_goes_on_to_the_same_bits(tmp_path):
    """The seed of `plain` was trained by nobody else, that of `held` in a process, with a pause."""
    words = ["train.rounds=60000", "train.measure_last=1000", "seeds=1"]
    experiment = runner.load("volatility_kpi_neural", words, ["second_0"])
    for name in ("plain", "held"):
        runner.train("volatility_kpi_neural", words, arms=["second_0"], results=tmp_path, name=name)
    run = RunFolder(tmp_path / "held")
    checkpoint = run.checkpoint("second_0", 0)
    before = checkpoint.read_bytes()
    for path in run.seed("second_0", 0).iterdir():
        path.unlink()
    pool, gate, ended = WorkerPool(run), RemoteGate(), []
    progress = threading.Event()

    def report(told):
        if told.rounds and not told.skipped:
            progress.set()

    def work():
        ended.append(pool.train("second_0", 0, report, gate))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert progress.wait(120)
        gate.shut()
        assert gate.wait_until_held(30)
        held = gate.rounds
        assert 0 < held < experiment.arms["second_0"].train.rounds
        gate.step(5)
        assert gate.wait_until_held(30)
        assert gate.rounds == held + 5
        gate.open()
        thread.join(300)
    finally:
        pool.stop()
        pool.wait()
    (record,) = ended
    assert record["rounds"] == 60_000
    assert checkpoint.read_bytes() == before
    assert before == RunFolder(tmp_path / "plain").checkpoint("second_0", 0).read_bytes()
