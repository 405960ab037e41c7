"""A run in a thread of the test, held before its first round, so that acts fall on known rounds."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from unittest.mock import patch

from tacit.envs.errors import ConfigError
from tacit.training.acts.acts import Acts
from tacit.training.acts.control import PERSON, RunControl
from tacit.training.acts.protocol import ActRequest
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, Paused, train_experiment
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

BASE = (
    "kpi.bidder.price_change=-1", "train.evaluate_every=1000", "train.rounds=12000",
    "train.measure_last=5000", "seeds=1",
)  # fmt: skip
FREE = {"kpi": {"bidder": {"price_change": 0}}}


class HeldRun:
    """A run under way, and those who act on it.

    Attributes:
        run: its folder.
        acts: on it.
        ended: its summary, or the error that it ended with.
    """

    def __init__(self, run, control):
        self.run, self.acts, self.ended = run, Acts(run.name, control), []

    def do(self, act, **options):
        """An act of alice, under an id of its own."""
        first = {"id": uuid.uuid4().hex, "by": "alice", "reason": "a look"}
        return self.acts.do(ActRequest(act=act, **(first | options)))

    def refused(self, act, **options):
        """Why an act is refused, in one line."""
        try:
            self.do(act, **options)
        except ConfigError as error:
            return " ".join(error.mistakes)
        raise AssertionError(f"{act} was done")

    def step(self, rounds):
        """So many rounds more; returns the rounds of every seed then."""
        self.do("step", rounds=rounds)
        assert self.acts.control.wait_until_held(100)  # while something is being compiled
        return self.do("status").round


@contextmanager
def held_run(results, settings=(), config="ad_auction", seeds=1, base=BASE):
    """A run that waits before its first round (of a new run), or goes on with what there is."""
    control = RunControl()
    control.hold(PERSON)
    run = RunFolder(results / "mine")
    is_new = not run.config.exists()
    experiment = load(config, [*base, *settings]) if is_new else read_experiment(run)

    def train():
        try:
            held.ended.append(train_experiment(experiment, run, NoProgress(), control=control))
        except (Interrupted, Paused, ConfigError) as error:
            held.ended.append(error)

    thread = threading.Thread(target=train)
    held = HeldRun(run, control)
    thread.start()
    deadline = time.monotonic() + 60
    while len([g for g in control.seeds().values() if g.is_held]) < seeds and thread.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    held.acts = Acts("mine", control)
    try:
        # Lint of a KPI is a process of its own that takes seconds.
        with patch("tacit.training.acts.changing.preview", lambda arm: ["nothing found"]):
            yield held
    finally:
        control.release(PERSON)
        thread.join(120)
        assert not thread.is_alive()
