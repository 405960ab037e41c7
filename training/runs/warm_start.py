"""Arms that begin where another one ends (`train.starts_from`): what agents do after a change.

    arms:
      allies: {...}
      betrayed: {train.starts_from: allies, kpi.bidder_0.partner: 0}

Seed k begins with all that the agents of seed k of the other arm know, in the market as they left
it, and learns on under its own KPI and settings: t is 0 again, so exploration begins anew. That
other arm must be trained in the same run, or stand finished in its folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tacit.agents.group import Group
from tacit.agents.neural.config import NeuralConfig
from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arms import Arm, Experiment

from . import checkpoint
from .load_run import read_experiment
from .run_folder import RunFolder

KEY = "train.starts_from"


def first_group(run: RunFolder, arm: Arm, k: int) -> Group:
    """Seed number k of an arm before training: new, or where the arm that it starts from ended."""
    group = arm.group(k)
    if arm.train.starts_from is not None:
        arrays, _ = checkpoint.load(run.checkpoint(arm.train.starts_from, k))
        group.warm_start_from(arrays)
    return group


def generations(
    experiment: Experiment, jobs: Sequence[tuple[str, int]]
) -> Iterator[list[tuple[str, int]]]:
    """Jobs in the order of their arms' lineage: none before the arm that it starts from."""
    depth = {name: len(ancestors(name, experiment.arms)) for name in experiment.arms}
    for level in sorted({depth[name] for name, _ in jobs}):
        yield [job for job in jobs if depth[job[0]] == level]


def ancestors(name: str, arms: Mapping[str, Arm]) -> list[str]:
    """The arms behind an arm, nearest first, as far as they are in `arms`; a circle ends with the
    arm itself."""
    found: list[str] = []
    at = arms[name].train.starts_from
    while at is not None and at not in found:
        found.append(at)
        at = arms[at].train.starts_from if at in arms else None
    return found


def check_warm_starts(
    experiment: Experiment, run: RunFolder, stored: Mapping[str, Any] | None
) -> None:
    """Every arm that another starts from is there, and fits.

    Raises:
        ConfigError: all that are missing, incomplete, of another market or of another kind.
    """
    following = {a: arm for a, arm in experiment.arms.items() if arm.train.starts_from is not None}
    if not following:
        return
    known = {**(read_experiment(run).arms if stored else {}), **experiment.arms}
    mistakes: list[str] = []
    for name, arm in following.items():
        base = str(arm.train.starts_from)
        if base not in known and base in experiment.file.arms:
            mistakes += _unfinished(run, arm, base)
        elif base not in known:
            mistakes.append(f"arms.{name}.{KEY}: unknown arm '{base}'. {nearest(base, known)}")
        elif name in ancestors(name, known):
            mistakes.append(f"arms.{name}.{KEY}: arm {name} would start from itself.")
        else:
            mistakes += [f"arms.{name}.{KEY}: {x}" for x in _misfits(arm, known[base])]
            if base not in experiment.arms:
                mistakes += _unfinished(run, arm, base)
    if mistakes:
        raise ConfigError(mistakes)


def _misfits(arm: Arm, base: Arm) -> Iterator[str]:
    if arm.plain["market"] != base.plain["market"]:
        yield f"arm {base.name} is in another market; only KPI, agents and training may change."
    if any(isinstance(c, NeuralConfig) for x in (arm, base) for c in x.agents.values()):
        yield "needs tabular or scripted agents in both arms."
    if arm.train.copies != base.train.copies:
        yield f"arm {base.name} has train.copies {base.train.copies}, not {arm.train.copies}."
    if arm.seed != base.seed or arm.seeds > base.seeds:
        yield (
            f"arm {base.name} has seeds {base.seed} .. {base.seed + base.seeds - 1}, but seeds "
            f"{arm.seed} .. {arm.seed + arm.seeds - 1} are needed."
        )


def _unfinished(run: RunFolder, arm: Arm, base: str) -> list[str]:
    ended = [checkpoint.finished(run.checkpoint(base, k)) for k in range(arm.seeds)]
    left = sum(record is None for record in ended)
    advice = f"train it too (--arm {base} --arm {arm.name})"
    told = f"arms.{arm.name}.{KEY}: {left} of {arm.seeds} seeds of arm {base} are not finished"
    return [f"{told} in {run.path}; {advice}."] if left else []
