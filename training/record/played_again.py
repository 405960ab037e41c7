"""Verification by playing again: from one kept state to the next, and the sealed sample.

A repetition is a function of its configuration and its seed, so whoever altered a kept state, or a
row of the sample, is found even if every hash was made to fit.

Bits are the same on one type of machine with one set of versions. Where a repetition was trained on
another and does not come out the same here, that says nothing: it is reported as compared with its
seals only. Where it comes out the same, it was verified on whatever machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.runs.branches import branches_in, trips_of
from tacit.training.storage import checkpoint
from tacit.training.storage.keyframes import file_name, read_keyframes
from tacit.training.storage.machine import machine, workers
from tacit.training.storage.run_folder import CHECKPOINT, RunFolder

from .replay import SeedReplay, load_learners
from .samples import NAME as SAMPLE
from .samples import last_rounds, read_sample, sample_differences

Seed = tuple[str, int]  # arm, and number of the repetition
Told = Callable[[str], None]


class Interval(NamedTuple):
    """What is played again.

    Attributes:
        arm: an arm's name.
        k: a repetition.
        first: rounds played at the state that it begins with.
        last: rounds played at the state that it must end in.
        branch: of the repetition.
    """

    arm: str
    k: int
    first: int
    last: int
    branch: int = 0


@dataclass
class SeedOutcome:
    """What playing a repetition again has shown.

    Attributes:
        intervals: how many intervals were played.
        rounds: how many rounds of each copy that were.
        sample: whether its sample was compared row by row.
        altered: what is not as it was trained, a line each.
        machine: in what the machine that trained it differs from this one; empty if in nothing.
    """

    intervals: int = 0
    rounds: int = 0
    sample: bool = False
    altered: list[str] = field(default_factory=list)
    machine: str = ""


def intervals_of(run: RunFolder, arms: Mapping[str, Arm]) -> tuple[list[Interval], list[str]]:
    """Every interval of every finished repetition, and what cannot be read, a line each."""
    found: list[Interval] = []
    wrong: list[str] = []
    for name, arm in arms.items():
        for k in range(arm.seeds):
            try:
                record = checkpoint.read_record(run.checkpoint(name, k))
                if record is not None:
                    found += _intervals(run, arm, k, record)
            except ConfigError as error:
                wrong += error.mistakes
            except (KeyError, TypeError, ValueError):
                wrong.append(f"{run.checkpoint(name, k)}: its record does not say how long it is")
    return found, wrong


def _intervals(run: RunFolder, arm: Arm, k: int, record: Mapping[str, Any]) -> Iterator[Interval]:
    """Every interval of a repetition, branch by branch."""
    path = run.checkpoint(arm.name, k)
    for branch in branches_in(trips_of(record), arm, path):
        end = int(record["rounds"]) if branch.end is None else branch.end
        states = [branch.start, *read_keyframes(run.seed(arm.name, k), branch.number), end]
        for pair in pairwise(dict.fromkeys(states)):  # the end may be among the states
            yield Interval(arm.name, k, *pair, branch.number)


def drawn(intervals: Sequence[Interval], count: int, head: str) -> list[Interval]:
    """So many intervals, drawn by the ledger's head: nobody chooses, and anybody can repeat it."""

    def place(interval: Interval) -> bytes:
        words = interval if interval.branch else interval[:-1]
        return hashlib.sha256(f"{head} {'/'.join(map(str, words))}".encode()).digest()

    return sorted(sorted(intervals, key=place)[:count])


def play_again(
    run: RunFolder,
    arms: Mapping[str, Arm],
    intervals: Sequence[Interval],
    samples: Sequence[Seed],
    told: Told,
) -> dict[Seed, SeedOutcome]:
    """Play intervals again, and the samples of their repetitions.

    Args:
        run: the run.
        arms: its arms.
        intervals: what is played.
        samples: repetitions that have a sealed sample.
        told: receives the name of each repetition as it is done.
    """
    seeds: dict[Seed, list[Interval]] = {}
    for interval in intervals:
        seeds.setdefault((interval.arm, interval.k), []).append(interval)

    def one(seed: Seed) -> SeedOutcome:
        outcome = _play_seed(run, arms[seed[0]], seed[1], sorted(seeds[seed]), seed in samples)
        told(f"{seed[0]}/s{seed[1]}")
        return outcome

    load_learners(arms[name] for name in dict.fromkeys(name for name, _ in seeds))
    # Linear algebra must not start threads of its own, as in training.
    with threadpool_limits(limits=1), ThreadPoolExecutor(workers()) as threads:
        return dict(zip(seeds, threads.map(one, seeds), strict=True))


def _play_seed(
    run: RunFolder, arm: Arm, k: int, intervals: Sequence[Interval], sample: bool
) -> SeedOutcome:
    """Play intervals of one repetition, in order, and its sample if it has one."""
    outcome = SeedOutcome()
    folder = run.seed(arm.name, k)
    numbers = {interval.branch for interval in intervals}
    try:
        replays = {branch: SeedReplay(run, arm, k, branch) for branch in sorted(numbers)}
        record = checkpoint.load(run.checkpoint(arm.name, k))[1]
        outcome.machine = _other_machine(record)
    except ConfigError as error:
        outcome.altered += error.mistakes
        return outcome
    ends = branches_in(trips_of(record), arm, run.checkpoint(arm.name, k))
    spoilt: set[tuple[int, int]] = set()  # branch and rounds of states that are not as trained
    for _, _, first, last, branch in intervals:
        replay = replays[branch]
        is_end = last == replay.end and ends[branch].end is None
        file = CHECKPOINT if is_end else file_name(branch)
        begin = f"{folder / file}: the state after {last:,} rounds"
        try:
            names = replay.differing(first, last)
        except ConfigError as error:
            spoilt.add((branch, last))
            outcome.altered += error.mistakes
            continue
        outcome.intervals, outcome.rounds = outcome.intervals + 1, outcome.rounds + last - first
        before = (branch, first)
        if branch and first == replay.first:
            before = (ends[branch].parent or 0, first)
        if names and before in spoilt:
            # It began with a state that is wrong, so its end says nothing of the next one.
            outcome.altered.append(f"{begin}: does not follow from the altered one before it")
        elif names:
            spoilt.add((branch, last))
            outcome.altered.append(
                f"{begin} is not what rounds {first:,} to {last - 1:,} lead to: {', '.join(names)}"
            )
    if sample:
        path = run.inside(arm.name, f"s{k}", SAMPLE)
        try:
            stored = read_sample(path)
            played = last_rounds(SeedReplay(run, arm, k), len(stored["clock"]))
            outcome.altered += [f"{path}: {line}" for line in sample_differences(stored, played)]
            outcome.sample = True
        except ConfigError as error:
            outcome.altered += error.mistakes
    return outcome


def _other_machine(record: Mapping[str, object]) -> str:
    """In what the machine that trained a repetition differs from this one; empty if in nothing."""
    theirs, here = record.get("machine"), machine()
    if not isinstance(theirs, Mapping):
        return "it does not say on which machine it was trained"
    keys = [key for key in here if theirs.get(key) != here[key]]
    return ", ".join(keys)
