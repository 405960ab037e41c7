"""Arms that begin where another one ends (`train.starts_from`): what agents do after a change.

    arms:
      allies: {...}
      betrayed: {train.starts_from: allies, kpi.bidder_0.partner: 0}

Repetition k begins with all that the agents of repetition k of the other arm know, in the market as
they left it, and learns on under its own KPI and settings. Rounds are counted from 0 again, so
exploration begins anew. The other arm must be trained in the same run, or be finished in its
folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import load as load_tensors

from tacit.agents.batch.config import BatchConfig
from tacit.agents.group import Group
from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arms import Arm, Experiment
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import read_file
from tacit.training.storage.load_run import put_into, read_experiment
from tacit.training.storage.run_folder import RunFolder

KEY = "train.starts_from"


def first_group(run: RunFolder, arm: Arm, k: int) -> Group:
    """Repetition k of an arm before training: new, or as the arm that it starts from ended, or in
    the state in which it was put on the bench.

    Raises:
        ConfigError: that arm's checkpoint, or that state, is missing or altered.
    """
    group = arm.group(k)
    if arm.bench is not None:
        path = bench_state(run, arm, k)
        try:
            data = read_file(path)
        except FileNotFoundError:
            raise ConfigError(f"{path}: is missing; it holds the state to begin with.") from None
        if hashlib.sha256(data).hexdigest() != arm.bench.sha256:
            raise ConfigError(f"{path}: does not match its SHA-256; it was cut or altered.")
        put_into(group, dict(sorted(load_tensors(data).items())), path)
        return group
    if arm.train.starts_from is not None:
        path = run.checkpoint(arm.train.starts_from, k)
        arrays, _ = checkpoint.load(path)
        try:
            group.warm_start_from(arrays)
        except (ValueError, LookupError) as error:
            raise ConfigError(f"{path}: does not fit arm {arm.name}: {error}.") from None
    return group


def bench_state(run: RunFolder, arm: Arm, k: int) -> Path:
    """The file of the state in which a repetition was put on the bench."""
    return run.inside(arm.name, f"s{k}", "bench.safetensors")


def generations(
    experiment: Experiment, jobs: Sequence[tuple[str, int]]
) -> Iterator[list[tuple[str, int]]]:
    """Jobs, each an arm's name and a repetition, in the order in which they can be done.

    The first list needs no other arm, the second only arms of the first, and so on.
    """
    depth = {name: len(ancestors(name, experiment.arms)) for name in experiment.arms}
    for level in sorted({depth[name] for name, _ in jobs}):
        yield [job for job in jobs if depth[job[0]] == level]


def ancestors(name: str, arms: Mapping[str, Arm]) -> list[str]:
    """The arm that an arm starts from, the one that this one starts from, and so on.

    Args:
        name: the arm.
        arms: where the others are looked up; one that is not among them is the last.

    Returns:
        Their names, nearest first; a circle ends with the arm itself.
    """
    found: list[str] = []
    at = arms[name].train.starts_from
    while at is not None and at not in found:
        found.append(at)
        at = arms[at].train.starts_from if at in arms else None
    return found


def check_warm_starts(
    experiment: Experiment, run: RunFolder, config: Mapping[str, Any] | None
) -> None:
    """Check that every arm that another one starts from exists and fits.

    Args:
        experiment: what is to be trained.
        run: its folder.
        config: what config.yaml holds so far, or None for a new run.

    Raises:
        ConfigError: all that are missing, unfinished, of another market or of another kind.
    """
    starting = _starting(experiment)
    if not starting:
        return
    known = {**(read_experiment(run).arms if config else {}), **experiment.arms}
    mistakes = _unknown(experiment, known)
    for name, arm in starting.items():
        base = str(arm.train.starts_from)
        if base not in known and base in experiment.file.arms:
            # It is in the file, but neither chosen with --arm nor trained before.
            mistakes += _unfinished(run, arm, base)
        elif base not in known:
            continue
        elif name in ancestors(name, known):
            mistakes.append(f"arms.{name}.{KEY}: arm {name} would start from itself.")
        else:
            mistakes += [f"arms.{name}.{KEY}: {line}" for line in _misfits(arm, known[base])]
            if base not in experiment.arms:
                mistakes += _unfinished(run, arm, base)
    if mistakes:
        raise ConfigError(mistakes)


def check_known_starts(experiment: Experiment, run: RunFolder) -> None:
    """Check only that every arm that another one starts from exists.

    Raises:
        ConfigError: all that do not.
    """
    if not _starting(experiment):
        return
    trained = read_experiment(run).arms if run.read_config() else {}
    if mistakes := _unknown(experiment, {**trained, **experiment.arms}):
        raise ConfigError(mistakes)


def _starting(experiment: Experiment) -> dict[str, Arm]:
    """The arms that start from another one."""
    return {a: arm for a, arm in experiment.arms.items() if arm.train.starts_from is not None}


def _unknown(experiment: Experiment, known: Mapping[str, Arm]) -> list[str]:
    """A line for each arm that starts from one which is neither known nor in the file."""
    bases = {name: str(arm.train.starts_from) for name, arm in _starting(experiment).items()}
    names = {*known, *experiment.file.arms}
    return [
        f"arms.{name}.{KEY}: unknown arm '{base}'. {nearest(base, names - {name})}"
        for name, base in bases.items()
        if base not in names
    ]


def _misfits(arm: Arm, base: Arm) -> Iterator[str]:
    """Why an arm cannot start from another one."""
    if arm.plain["market"] != base.plain["market"]:
        yield f"arm {base.name} is in another market; only KPI, agents and training may change."
    # A batch learner's buffer may end half full, and a new group would write past its end.
    if any(isinstance(c, BatchConfig) for x in (arm, base) for c in x.agents.values()):
        yield "needs tabular or scripted agents in both arms."
    if arm.train.copies != base.train.copies:
        yield f"arm {base.name} has train.copies {base.train.copies}, not {arm.train.copies}."
    if arm.seed != base.seed or arm.seeds > base.seeds:
        yield (
            f"arm {base.name} has seeds {base.seed} .. {base.seed + base.seeds - 1}, but seeds "
            f"{arm.seed} .. {arm.seed + arm.seeds - 1} are needed."
        )


def _unfinished(run: RunFolder, arm: Arm, base: str) -> list[str]:
    """A line if repetitions of the other arm that are needed are not finished in the folder."""
    records = [checkpoint.finished(run.checkpoint(base, k)) for k in range(arm.seeds)]
    missing = sum(record is None for record in records)
    if not missing:
        return []
    return [
        f"arms.{arm.name}.{KEY}: {missing} of {arm.seeds} seeds of arm {base} are not finished in "
        f"{run.path}; train it too (--arm {base} --arm {arm.name})."
    ]
