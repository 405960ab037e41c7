"""Disks that are full or read-only: the n-th write of a command fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from attack.kills import _damage
from attack.trial import TABULAR, Child, Outcome, train, weights

KINDS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO}
STEP = 3  # every third write fails in some trial


def disks(folder: Path, count: int) -> list[Outcome]:
    """Let the first, fourth, ... write fail, each for every kind of disk in turn."""
    whole = folder / "whole"
    assert Child(lambda: train(whole, TABULAR)).join(600) == "done"
    expected, outcomes = weights(whole), []
    for kind, number in KINDS.items():
        outcome = Outcome(
            f"a {kind} disk at one write", "told in words; resumed later, it ends in the same bits"
        )
        for k in range(max(1, count // len(KINDS))):
            outcome.count(_tried(folder / f"{kind}_{k}", 1 + STEP * k, number, expected))
        outcomes.append(outcome)
    return outcomes


def _tried(target: Path, nth: int, number: int, expected: dict[str, bytes]) -> str | None:
    ended = Child(lambda: _with_a_failure(target, nth, number)).join()
    if ended != "done" and not (ended.startswith("refused") and os.strerror(number) in ended):
        return f"write {nth}: {ended}"
    if (failure := _damage(target, expected)) is not None:
        return f"write {nth}: {failure}"
    again = Child(lambda: train(target, TABULAR)).join()
    return None if again == "done" and weights(target) == expected else f"resumed: {again}"


def _with_a_failure(target: Path, nth: int, number: int) -> None:
    """Train while the nth sync or rename of a file fails, and every one after it."""
    done = 0

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal done
            done += 1
            if done >= nth:
                raise OSError(number, os.strerror(number), str(arguments[0]))
            return real(*arguments, **options)

        return call

    os.fsync, os.replace = failing(os.fsync), failing(os.replace)  # type: ignore[assignment]
    train(target, TABULAR)
