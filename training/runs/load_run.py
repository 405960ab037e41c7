"""Runs on disk, made objects again: arms from config.yaml, learned policies from checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tacit.agents.policy import PolicyTable
from tacit.agents.registry import make_config
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.registry import make_market
from tacit.training.config.experiment import (
    Arm,
    Experiment,
    ExperimentFile,
    TrainConfig,
)

from . import checkpoint
from .run_folder import RunFolder


def arm_from_plain(name: str, plain: Mapping[str, Any]) -> Arm:
    """The arm that resolved data describe."""
    values = dict(plain["market"])
    market = make_market(values.pop("name"), values)
    return Arm(
        name,
        market,
        kpis.resolve(market, plain["kpi"]),
        {seat: make_config(v, f"agents.{seat}") for seat, v in plain["agents"].items()},
        build(TrainConfig, plain["train"], "train"),
        plain["seeds"],
        plain["seed"],
        dict(plain),
    )


def load_run(run: RunFolder) -> Experiment:
    """The experiment that a run folder holds, with all its arms."""
    stored = run.stored()
    if stored is None:
        raise ConfigError(f"{run.path}: is not a run: it holds no config.yaml.")
    try:
        arms = {name: arm_from_plain(name, plain) for name, plain in stored["arms"].items()}
    except ConfigError as error:
        raise ConfigError([f"{run.config}: {line}" for line in error.mistakes]) from None
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f"{run.config}: does not describe a run ({error!r}).") from None
    about = {k: v for k, v in stored.items() if k in ExperimentFile.model_fields and k != "arms"}
    file = build(ExperimentFile, {"market": "", **about}, str(run.config))
    return Experiment(str(stored.get("experiment", run.name)), file, arms, [])


def choose_arm(experiment: Experiment, name: str | None) -> Arm:
    """The arm of a run that a command names, or its first."""
    if name is None:
        return next(iter(experiment.arms.values()))
    if name not in experiment.arms:
        raise ConfigError(f"--arm: unknown arm '{name}'. {nearest(name, experiment.arms)}")
    return experiment.arms[name]


def learned_group(run: RunFolder, arm: Arm, k: int) -> TabularGroup:
    """Seed number k of an arm as training left it."""
    arrays, _ = checkpoint.load(run.checkpoint(arm.name, k))
    group = arm.group(k)
    group.load(arrays)
    return group


def learned_tables(run: RunFolder, arm: Arm, k: int) -> dict[str, PolicyTable]:
    """Policies without exploration by seat, `[O, A]` each."""
    tables = learned_group(run, arm, k).tables()
    return {seat.name: table for seat, table in zip(arm.market.seats, tables, strict=True)}
