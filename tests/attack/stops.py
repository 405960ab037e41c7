"""Ctrl-C, SIGTERM and SIGHUP, once and twice, while a run trains and while loops are compiled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from attack.trial import TABULAR, Child, Outcome, chance, train, weights

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# pytest, shells and nohup may start programs with signals ignored, and the command keeps that.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "from tacit.training.cli import main; main()"
)
SOON = 15  # seconds in which a command that was told twice must have ended, importing included


def stops(folder: Path, count: int) -> list[Outcome]:
    """Each signal in turn at a random moment of training; then twice while compiling."""
    once = Outcome(
        "Ctrl-C, SIGTERM or SIGHUP while training",
        "exit code 128 + signal, everything kept, the same bits after resume",
    )
    luck = chance("stops")
    whole = folder / "whole"
    assert Child(lambda: train(whole, TABULAR)).join(600) == "done"
    expected = weights(whole)
    for k in range(count - count // 4):
        number = SIGNALS[k % 3]
        once.count(_once(folder / f"once_{k}", number, luck.uniform(0.0, 1.0), expected))
    twice = Outcome("a second Ctrl-C while loops are compiled", "the command ends with 130 at once")
    for k in range(count // 4):
        twice.count(_twice(folder / f"twice_{k}"))
    return [once, twice]


def _command(target: Path, *more: str) -> subprocess.Popen[str]:
    words = ["train", "ad_auction", *TABULAR, *more, "--results", str(target)]
    environment = {**os.environ, "TACIT_CACHE": str(target / "cache")} if "cache" in more else None
    words = [word for word in words if word != "cache"]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, env=environment,
    )  # fmt: skip


def _begun(process: subprocess.Popen[str], target: Path) -> bool:
    """Wait until training has begun; False if the process ended before."""
    ledger = target / "ad_auction" / "ledger.jsonl"
    while process.poll() is None:
        if ledger.exists() and "training started" in ledger.read_text():
            return True
        time.sleep(0.02)
    return False


def _once(target: Path, number: int, wait: float, expected: dict[str, bytes]) -> str | None:
    process = _command(target, "train.rounds=40000")
    if not _begun(process, target):
        return f"it ended before it had begun: {process.communicate()[1]}"
    time.sleep(wait)
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    if process.returncode not in (0, 128 + number):
        return f"exit code {process.returncode}: {told[-300:]}"
    if process.returncode and "everything is kept" not in told:
        return f"it did not say how to go on: {told[-300:]}"
    again = Child(lambda: train(target, TABULAR)).join()
    return None if again == "done" and weights(target) == expected else f"resumed: {again}"


def _twice(target: Path) -> str | None:
    target.mkdir(parents=True)
    process = _command(target, "cache")
    if not _begun(process, target):
        return f"it ended before it had begun: {process.communicate()[1]}"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    try:
        process.communicate(timeout=SOON)
    except subprocess.TimeoutExpired:
        process.kill()
        return f"it had not ended {time.monotonic() - began:.0f} s after the second"
    # Where the first one had ended the training already, the second meets an interpreter that is
    # about to end, and ends it by the signal itself: a shell calls that 130 as well.
    ended = process.returncode in (130, -signal.SIGINT)
    return None if ended else f"exit code {process.returncode}"
