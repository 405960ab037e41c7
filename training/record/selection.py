"""Which deals a user asks for, what it costs to produce them, and producing them.

    plan = plan_deals(run, arm, seeds=[0, 1], rounds=(0, 10_000))
    plan.rounds, plan.seconds          # what must be played, and about how long that takes
    deals = produce(plan, report)

What was produced is kept in the user's own cache (`tacit.envs.jit.loops.cache_folder`), never in
the run: whoever can write a run could put other deals there. A file is found by the hash of the
repetition's record, so a repetition that was trained again, or altered, is played again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import cache_folder
from tacit.oversight.harm import ReferencePlay
from tacit.training.config.arms import Arm
from tacit.training.runs.branches import branches_in, path_to, trips_of
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import file_hash
from tacit.training.storage.run_folder import RunFolder

from . import table_file
from .deals import Deals, deal_columns, joined, size
from .replay import SeedReplay

FOLDER = "replayed"
LAST = 1_000  # rounds at the end of training that are shown where none are named
MOST_SHOWN = 1_000_000  # deals of them; of many copies and seeds fewer rounds are shown
MOST_DEALS = 5_000_000  # of one request, which must fit into memory

Report = Callable[[int], None]
Doubt = Callable[[str], object]


class Stretch(NamedTuple):
    """Rounds of one repetition.

    Attributes:
        k: the repetition.
        first: the first round.
        last: the round behind the last one.
        replayed: rounds of all copies that must be played to produce them; 0 if they are kept.
        seconds: about how long that takes, at the speed at which the repetition was trained.
        branch: that played them.
    """

    k: int
    first: int
    last: int
    replayed: int
    seconds: float
    branch: int = 0


class Plan(NamedTuple):
    """What is to be produced.

    Attributes:
        run: of which run.
        arm: of which arm.
        stretches: one for each repetition; several of one that was rolled back.
    """

    run: RunFolder
    arm: Arm
    stretches: list[Stretch]

    @property
    def rounds(self) -> int:
        """Rounds of all copies that must be played."""
        return sum(s.replayed for s in self.stretches)

    @property
    def seconds(self) -> float:
        """About how long that takes."""
        return sum(s.seconds for s in self.stretches)

    @property
    def deals(self) -> int:
        """How many deals there will be."""
        return sum(s.last - s.first for s in self.stretches) * self.arm.train.copies


def plan_deals(
    run: RunFolder,
    arm: Arm,
    seeds: Sequence[int],
    rounds: tuple[int, int] | None = None,
    branch: int | None = None,
) -> Plan:
    """What must be played for the deals of some rounds.

    Args:
        run: the run.
        arm: the arm.
        seeds: repetitions, 0 .. n-1.
        rounds: the first round and the one behind the last; None: the last LAST of each repetition,
            or fewer where these would be more than MOST_SHOWN deals.
        branch: to whose end the rounds led; None: the last one, which training ended with.

    Raises:
        ConfigError: a repetition that does not exist or is not finished, rounds that were not
            played, or more deals than one request may have.
    """
    mistakes: list[str] = []
    stretches: list[Stretch] = []
    shown = max(1, min(LAST, MOST_SHOWN // (arm.train.copies * max(1, len(seeds)))))
    for k in seeds:
        if not 0 <= k < arm.seeds:
            mistakes.append(f"--seed: must be 0 to {arm.seeds - 1} in arm {arm.name}, got {k}.")
            continue
        try:
            stretches += _stretches(run, arm, k, rounds, shown, branch)
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)
    plan = Plan(run, arm, stretches)
    if plan.deals > MOST_DEALS:
        raise ConfigError(
            f"--rounds: {plan.deals:,} deals are more than the {MOST_DEALS:,} that one request may "
            "have. Ask for fewer rounds or one --seed."
        )
    return plan


def _stretches(
    run: RunFolder,
    arm: Arm,
    k: int,
    rounds: tuple[int, int] | None,
    shown: int,
    branch: int | None,
) -> Iterator[Stretch]:
    """The rounds of one repetition, or the last ones that are shown, and what they cost: those of
    every branch on the way to the end."""
    record = checkpoint.read_record(run.checkpoint(arm.name, k))
    if record is None:
        raise ConfigError(f"{run.path}: seed {k} of arm {arm.name} is not finished; {run.resume}")
    branches = branches_in(trips_of(record), arm, run.checkpoint(arm.name, k))
    number = len(branches) - 1 if branch is None else branch
    if not 0 <= number < len(branches):
        raise ConfigError(
            f"--branch: seed {k} of arm {arm.name} has branches 0 to {len(branches) - 1}, got "
            f"{number}."
        )
    left = branches[number].end
    end = int(record["rounds"]) if left is None else left
    first, last = rounds or (max(0, end - shown), end)
    if not 0 <= first < last <= end:
        raise ConfigError(
            f"--rounds: seed {k} of arm {arm.name} has rounds 0:{end}, got {first}:{last}."
        )
    for own, start, stop in path_to(branches, number, last):
        if stop > first:
            yield _stretch(run, arm, k, own, max(first, start), stop)


def _stretch(run: RunFolder, arm: Arm, k: int, branch: int, first: int, last: int) -> Stretch:
    """Rounds of one branch, and what they cost."""
    if (kept := _file(run, arm, k, first, last, branch)) and table_file.is_kept(kept):
        return Stretch(k, first, last, 0, 0.0, branch)
    replay = SeedReplay(run, arm, k, branch)
    played = replay.rounds_to(first) + last - first + replay.rounds_to_confirm(last)
    return Stretch(k, first, last, played * arm.train.copies, played * replay.speed, branch)


def produce(plan: Plan, report: Report | None = None, doubt: Doubt = print) -> Deals:
    """The deals of a plan, repetition by repetition.

    Args:
        plan: as `plan_deals` made it.
        report: receives rounds of all copies that were played since its last call.
        doubt: told of repetitions whose rounds are not exactly those of the run.

    Raises:
        ConfigError: files of the run cannot be read.
    """
    return joined([_deals_of(plan, stretch, report, doubt) for stretch in plan.stretches])


def _deals_of(plan: Plan, stretch: Stretch, report: Report | None, doubt: Doubt) -> Deals:
    """The deals of one stretch: read if they are kept, else played and kept."""
    run, arm, k = plan.run, plan.arm, stretch.k
    path = _file(run, arm, k, stretch.first, stretch.last, stretch.branch)
    kept = table_file.read_kept(path) if path else None
    if kept is not None and size(kept) == (stretch.last - stretch.first) * arm.train.copies:
        return kept
    replay = SeedReplay(run, arm, k, stretch.branch)
    try:
        reference = ReferencePlay(replay.arm.market, replay.game, arm.seed + k)
    except ConfigError:
        reference = None  # a market that knows no honest play: harm is not told
    replay.go_to(stretch.first, report)
    tables = []
    while replay.round < stretch.last:
        recording = replay.record(min(replay.room, stretch.last - replay.round))
        harm = reference.harm(recording) if reference else None
        tables.append(deal_columns(replay.arm, k, recording, harm, stretch.branch))
        if report:
            report(len(recording.clock) * arm.train.copies)
    deals = joined(tables)
    if (wrong := replay.confirm(report)) is not None:
        doubt(wrong)
    elif path:
        table_file.keep(path, deals)
    return deals


def _file(run: RunFolder, arm: Arm, k: int, first: int, last: int, branch: int = 0) -> Path | None:
    """Where the deals of a stretch are kept; None where nothing can be kept."""
    record = file_hash(run.checkpoint(arm.name, k).with_suffix(".json"))
    try:
        folder = cache_folder() / FOLDER
    except OSError:
        return None
    # The arm's name is not in the record's hash: two runs may call the same arm by two names.
    text = f"{record} {arm.name} {k} {branch} {first} {last}"
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()}.parquet" if record else None
