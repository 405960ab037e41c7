"""A process that trains seeds of a run: `python -m tacit.training.runs.worker RUN`.

Its parent is a thread of `worker_pool.py`. Lines of JSON go both ways:

    standard input     {"arm": "base", "seed": 3}      train repetition 3 of arm base
                       {"gate": "shut"}                also "open", or a number of rounds to step
                       {"attended": true}              whether breakers can be released
                       {"pace": 20.0}                  rounds a second; null: full speed
                       {"reserve": 1}                  hold it for an act (-1: no more)
                       {"order": {...}, "n": 1}        to be carried out between two rounds
                       "stop"                          save what is under way, and exit
    standard output    {"progress": {...}}             while a seed trains
                       {"held": true, "rounds": 120}   it waits at its gate, or no longer does
                       {"facts": {...}}                what it tells of itself
                       {"compiling": true}             it begins to compile, or (false) has ended
                       {"reply": {...}, "n": 1}        to an order
                       {"record": {...} or null}       its end; null: it was stopped
                       {"mistakes": [...]}             its end, by a ConfigError

Everything else goes through the run's folder. If standard input is closed without "stop", the
parent died: the process exits at once without saving, as the run may already be resumed.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from concurrent.futures import Future
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from threadpoolctl import threadpool_limits

from tacit.envs.errors import ConfigError
from tacit.envs.jit.compiling import WATCH
from tacit.envs.plugins import load_plugins
from tacit.training.acts.gate import STOP, Gate, Reply
from tacit.training.config.arms import Arm
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

from .progress import SeedProgress
from .seed_run import train_seed

SeedRequest = dict[str, Any]
ANSWERING = threading.Lock()


def main() -> None:
    """Train the seeds that the parent asks for until it says stop."""
    answers = _reserve_standard_output()
    requests: queue.Queue[SeedRequest | None] = queue.Queue()
    stopped = threading.Event()
    gate = Gate(
        stopped.is_set,
        lambda rounds, held: _answer(answers, held=held, rounds=rounds),
        lambda facts: _answer(answers, facts=facts),
    )
    arguments = (requests, stopped, gate, answers)
    threading.Thread(target=_read_requests, args=arguments, daemon=True).start()
    load_plugins()
    WATCH.tell = lambda is_compiling: _answer(answers, compiling=is_compiling)
    run = RunFolder(Path(sys.argv[1]))
    arms = read_experiment(run).arms
    with threadpool_limits(limits=1):
        while (request := requests.get()) is not None:
            _train(run, arms[request["arm"]], request["seed"], answers, gate)


def _reserve_standard_output() -> TextIO:
    """Standard output for answers alone: what libraries print goes to standard error instead."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _train(run: RunFolder, arm: Arm, k: int, answers: TextIO, gate: Gate) -> None:
    def report(progress: SeedProgress) -> None:
        _answer(answers, progress=asdict(progress))

    try:
        message: dict[str, Any] = {"record": train_seed(run, arm, k, report, gate)}
    except ConfigError as error:
        message = {"mistakes": error.mistakes}
    gate.end_orders()  # before its end is told, after which the next repetition may begin
    _answer(answers, **message)


def _read_requests(
    requests: queue.Queue[SeedRequest | None], stopped: threading.Event, gate: Gate, answers: TextIO
) -> None:
    """Read standard input beside the training, so that "stop" is seen at once."""
    for line in sys.stdin:
        if not line.endswith("\n"):
            break  # the parent was killed while it wrote
        message = json.loads(line)
        if message == STOP:
            stopped.set()
            requests.put(None)
            return
        if "gate" in message:
            _turn(gate, message["gate"])
        elif "attended" in message:
            gate.is_attended = message["attended"]
        elif "pace" in message:
            gate.set_pace(message["pace"])
        elif "reserve" in message:
            gate.reserve(message["reserve"])
        elif "order" in message:
            gate.submit(message["order"]).add_done_callback(
                partial(_answer_order, answers, message["n"])
            )
        else:
            requests.put(message)
    # The end of standard input without "stop". Not sys.exit: that would end this thread only.
    os._exit(1)


def _turn(gate: Gate, act: str | int) -> None:
    """Shut or open the gate, or let it do so many steps."""
    if isinstance(act, int):
        gate.step(act)
    elif act == "shut":
        gate.shut()
    else:
        gate.open()


def _answer_order(answers: TextIO, n: int, done: Future[Reply]) -> None:
    """Pass on what became of an order."""
    error = done.exception()
    mistakes = error.mistakes if isinstance(error, ConfigError) else [f"seed: {error!r}."]
    _answer(answers, reply={"mistakes": mistakes} if error else done.result(), n=n)


def _answer(answers: TextIO, **message: Any) -> None:
    with ANSWERING:  # the thread that trains, and the one that reads requests
        print(json.dumps(message), file=answers, flush=True)


if __name__ == "__main__":
    main()
