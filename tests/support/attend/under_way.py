"""A run that really trains in a thread, and `tacit attend` on it as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

from tacit.oversight import ledger as ledgers
from tacit.training.acts.acts import ACT
from tacit.training.acts.client import send
from tacit.training.acts.control import RunControl
from tacit.training.acts.protocol import ActRequest
from tacit.training.acts.server import serving
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage.run_folder import RunFolder

LONG = [
    "train.rounds=2000000000", "train.measure_last=1000000", "train.evaluate_every=25000",
    "seeds=2",
]  # fmt: skip
# The command, for a test: it ends when its standard input does, so that it does not outlive a test
# process that was killed.
COMMAND = """
import os, signal, sys, threading
# A shell starts background jobs with SIGINT ignored, and children inherit that: set it back.
signal.signal(signal.SIGINT, signal.default_int_handler)
def end(pipe=os.dup(0)):
    while os.read(pipe, 1):
        pass
    os._exit(3)
threading.Thread(target=end, daemon=True).start()
from tacit.training.cli import main
main()
"""


class Training:
    """A run that trains in a thread until it is stopped."""

    def __init__(self, results):
        self.run = RunFolder(results / "mine")
        self.control = RunControl(lambda control: serving(self.run, control))
        self._thread = threading.Thread(target=self._train)
        self._thread.start()

    def _train(self):
        with suppress(Interrupted):
            train_experiment(
                load("breaker_drill", LONG, ["redirected"]),
                self.run,
                NoProgress(),
                control=self.control,
            )

    def wait_until_under_way(self):
        deadline = time.monotonic() + 60
        while len([g for g in self.control.seeds().values() if g.rounds]) < 2:
            assert time.monotonic() < deadline
            assert self._thread.is_alive()
            time.sleep(0.02)

    def stop(self):
        self.control.stop("the test")
        self._thread.join(60)
        assert not self._thread.is_alive()

    def ask(self, act, **options):
        own = {"id": f"{act}{time.monotonic_ns()}", "by": "bob", "reason": "why", **options}
        return send(self.run, ActRequest(act=act, **own))

    def acts(self):
        return [e for e in ledgers.read(self.run.ledger) if e["act"] == ACT]

    @property
    def rounds(self):
        return sum(gate.rounds for gate in self.control.seeds().values())


@contextmanager
def attending(training):
    """`tacit attend` in a process of its own; its address."""
    words = ["attend", str(training.run.path), "--no-open"]
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            yield line.split()[-1], process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                code, told = process.wait(20), process.stderr.read()
                assert code == 130, (code, told)
                assert told == "stopped; what was written is kept\n", told
