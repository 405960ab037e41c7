"""Putting one repetition on the bench: a branch of its run, in a run folder of its own.

The bench begins with the repetition's state at any of its rounds, under what was in force there.
Its config.yaml says where it comes from, with the SHA-256 of that state; nothing is written to the
run. From there on it is a run like any other: it can be acted on, resumed, played again, verified.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.numpy import save as save_tensors

from tacit.envs.errors import ConfigError
from tacit.envs.shown import view_of
from tacit.oversight.ledger import Ledger
from tacit.training.config.arms import Arm, Experiment, arm_from_plain
from tacit.training.config.breaker_settings import STOP
from tacit.training.config.experiment_file import BenchConfig, ExperimentFile
from tacit.training.config.in_force import Trip, is_by_person, rollbacks
from tacit.training.config.load import load
from tacit.training.record.replay import SeedReplay
from tacit.training.runs.branches import branches_in, path_to, seed_in_force, trips_of
from tacit.training.runs.warm_start import bench_state, first_group
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import write_atomically
from tacit.training.storage.checkpoint import contiguous
from tacit.training.storage.keyframes import State
from tacit.training.storage.load_run import choose_arm, read_experiment
from tacit.training.storage.run_config import check_same_run
from tacit.training.storage.run_folder import RunFolder, existing_run, named
from tacit.training.storage.run_lock import writing

BENCH_MADE = "bench made"  # an act


@dataclass(frozen=True)
class Wanted:
    """What is to be put on the bench.

    Attributes:
        target: a run, or a configuration.
        arm: the arm; None: the first.
        seed: the repetition, 0 .. n-1.
        round: after so many rounds; 0: before the first.
        frozen: whether agents neither explore nor learn.
    """

    target: str
    arm: str | None
    seed: int
    round: int = 0
    frozen: bool = False


def make_bench(wanted: Wanted, results: Path) -> RunFolder:
    """Put a repetition on the bench; one that is there already stays as it is.

    Args:
        wanted: which repetition, and how.
        results: where runs are kept.

    Returns:
        The bench's run folder.

    Raises:
        ConfigError: an unknown run, configuration, arm, seed or round, or a state that cannot be
            put on the bench.
    """
    run = _run(wanted.target, results)
    name = Path(wanted.target).stem if run is None else run.name
    if run is None:
        arm, state, branch = _of_config(wanted)
    else:
        arm, state, branch = _of_run(run, wanted)
    if arm.bench is not None and arm.bench.frozen:
        raise ConfigError(f"RUN: {name} is a frozen bench, of which nobody learned; name its run.")
    round_ = wanted.round or arm.first_round
    view = view_of(arm.market)
    hidden = {seat: sorted(parts) for seat, parts in view.hidden.items() if parts}
    data = save_tensors({key: contiguous(array) for key, array in sorted(state.items())})
    bench = BenchConfig(
        run=name, arm=arm.name, seed=wanted.seed, branch=branch, round=round_,
        frozen=wanted.frozen, sha256=hashlib.sha256(data).hexdigest(), hidden=hidden,
        older=view.rounds,
    )  # fmt: skip
    own = _bench_arm(arm, bench)
    at = f"_r{round_}" if round_ else ""
    frozen = "_frozen" if wanted.frozen else ""
    folder = named(results, f"{bench.run}_bench_{arm.name}_s{wanted.seed}{at}{frozen}")
    question = f"bench: {bench.run}, arm {arm.name}, seed {wanted.seed}, from round {round_}"
    config = {"experiment": folder.name, "question": question, "arms": {own.name: own.plain}}
    with writing(folder):
        known = folder.read_config()
        check_same_run(_experiment(folder, own), known, folder)
        if known is None:
            path = bench_state(folder, own, 0)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
            Ledger(folder.ledger).append(BENCH_MADE, **bench.model_dump())
            folder.write_config(config)
    return folder


def _experiment(folder: RunFolder, arm: Arm) -> Experiment:
    """An experiment of the one arm, for comparing it with what a folder holds."""
    return Experiment(folder.name, ExperimentFile(market=""), {arm.name: arm}, [])


def _run(target: str, results: Path) -> RunFolder | None:
    """The run that is meant; None where it is a configuration."""
    try:
        return existing_run(target, results)
    except ConfigError as no_run:
        try:
            load(target)
        except ConfigError as error:
            if any(line.startswith("CONFIG: ") for line in error.mistakes):
                raise no_run from None
            raise
        return None


def _of_config(wanted: Wanted) -> tuple[Arm, State, int]:
    """A repetition of a configuration before its first round."""
    experiment = load(wanted.target)
    arm = choose_arm(experiment, wanted.arm)
    arm.check_policies_known()
    _check_seed(arm, wanted.seed)
    if wanted.round:
        raise ConfigError(f"--from: {wanted.target} is a configuration; only a run has rounds.")
    if arm.train.starts_from is not None:
        raise ConfigError(
            f"--arm: {arm.name} starts from arm {arm.train.starts_from}; train both, and put the "
            "run on the bench."
        )
    return arm, arm.group(wanted.seed).state(), 0


def _of_run(run: RunFolder, wanted: Wanted) -> tuple[Arm, State, int]:
    """A repetition of a run at a round: under what is in force there, its state, and its branch."""
    arm, k = choose_arm(read_experiment(run), wanted.arm), wanted.seed
    arm.check_policies_known()
    _check_seed(arm, k)
    if not wanted.round:
        return replace(arm, seed=arm.seed), first_group(run, arm, k).state(), 0
    record = checkpoint.read_record(run.checkpoint(arm.name, k))
    if record is None:
        raise ConfigError(
            f"--from: seed {k} of arm {arm.name} is not finished, so its rounds cannot be played "
            f"again; {run.resume}"
        )
    trips = trips_of(record)
    branches = branches_in(trips, arm, run.checkpoint(arm.name, k))
    end = int(record["rounds"])
    if not arm.first_round <= wanted.round <= end or (wanted.round == end and not wanted.frozen):
        raise ConfigError(
            f"--from: seed {k} of arm {arm.name} has rounds up to {end:,}"
            f"{'' if wanted.frozen else ', and something must be left to play'}, got "
            f"{wanted.round:,}."
        )
    way = path_to(branches, branches[-1].number, end)
    branch = next(own for own, _, last in way if wanted.round <= last)
    replay = SeedReplay(run, arm, k, branch)
    replay.go_to(wanted.round)
    before = rollbacks(trips)[:branch]
    seed = seed_in_force(arm, k, before)
    return (
        replace(_without_used_up(replay.arm, before), seed=seed - k),
        replay.group.state(),
        branch,
    )


def _without_used_up(arm: Arm, trips: Sequence[Trip]) -> Arm:
    """The arm with every breaker that has rolled back as often as it may as one that stops.

    What it would redirect is in force here already; tripping once more it would stop the
    repetition in the run as well. One that ignores what it reads by then is left out.
    """
    count = Counter(trip["breaker"] for trip in trips if not is_by_person(trip))
    used_up = {name for name, n in count.items() if n >= arm.breakers[name].most_rollbacks}
    if not used_up:
        return arm
    gone = ("redirect", "times", "to", "spent")
    breakers = {
        name: {**{k: v for k, v in settings.items() if k not in gone}, "action": STOP}
        if name in used_up
        else settings
        for name, settings in arm.plain["breakers"].items()
        if not arm.breakers[name].ignores(count[name])
    }
    # Its data do not say what seats are shown, so the market is taken over.
    return replace(arm_from_plain(arm.name, {**arm.plain, "breakers": breakers}), market=arm.market)


def _check_seed(arm: Arm, k: int) -> None:
    """Check that an arm has a repetition.

    Raises:
        ConfigError: it has not.
    """
    if not 0 <= k < arm.seeds:
        raise ConfigError(f"--seed: arm {arm.name} has seeds 0 to {arm.seeds - 1}, got {k}.")


def _bench_arm(arm: Arm, bench: BenchConfig) -> Arm:
    """The arm of a bench: one repetition, which makes the draws that the other one made."""
    train = {**arm.train.model_dump(mode="json"), "starts_from": None}
    if bench.frozen:  # whoever does not learn can play on behind the end of training
        train["rounds"] = bench.round + arm.train.rounds
    # Breakers of the arm judge seeds that are not on the bench.
    breakers = {n: arm.plain["breakers"][n] for n, b in arm.breakers.items() if not b.is_of_arm}
    plain = {
        **{key: value for key, value in arm.plain.items() if key != "breakers"},
        **({"breakers": breakers} if breakers else {}),
        "train": train,
        "seeds": 1,
        "seed": arm.seed + bench.seed,
        "bench": bench.model_dump(mode="json"),
    }
    return arm_from_plain(arm.name, plain)
