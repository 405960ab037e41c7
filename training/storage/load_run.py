"""Runs read from disk: arms from config.yaml, learned policies from checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from numpy.typing import NDArray

from tacit.agents.external.policy_file import check_fits, read_policy
from tacit.agents.group import Group
from tacit.agents.policy import PolicyTable
from tacit.agents.table_policy import TablePolicy
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.registry import make_market
from tacit.training.config.arms import Arm, Experiment, arm_from_plain, live_reason
from tacit.training.config.experiment_file import ExperimentFile
from tacit.training.config.in_force import arm_in_force
from tacit.training.config.names import folder_mistake

from . import checkpoint
from .atomic_files import read_json
from .finite import not_finite
from .run_config import with_policy_paths
from .run_folder import RunFolder, existing_run
from .seals import check_sealed


def read_experiment(run: RunFolder) -> Experiment:
    """The experiment that a run folder holds, with all its arms.

    Raises:
        ConfigError: the folder is no run, or its config.yaml does not describe one.
    """
    config = run.read_config()
    if config is None:
        raise ConfigError(f"{run.path}: is not a run: it holds no config.yaml.")
    try:
        arms = {
            name: arm_from_plain(name, with_policy_paths(run, plain))
            for name, plain in config["arms"].items()
        }
    except ConfigError as error:
        raise ConfigError([f"{run.config}: {line}" for line in error.mistakes]) from None
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f"{run.config}: does not describe a run ({error!r}).") from None
    about = {k: v for k, v in config.items() if k in ExperimentFile.model_fields and k != "arms"}
    file = build(ExperimentFile, {"market": "", **about}, str(run.config))
    name = str(config.get("experiment", run.name))
    if (mistake := folder_mistake(name)) is not None:
        raise ConfigError(f"{run.config}: experiment: {name!r} {mistake}.")
    return Experiment(name, file, arms, [], _overridden(config, str(run.config)))


def _overridden(config: Mapping[str, Any], where: str) -> dict[str, list[str]]:
    """What config.yaml says of arms that the command line has changed.

    Raises:
        ConfigError: it is no table of lists of words.
    """
    found = config.get("overridden", {})
    if isinstance(found, Mapping) and all(
        isinstance(words, list) and all(isinstance(word, str) for word in words)
        for words in found.values()
    ):
        return {str(arm): words for arm, words in found.items()}
    raise ConfigError(f"{where}: overridden: must be lists of words by arm, got {found!r}.")


@dataclass(frozen=True)
class Run:
    """A run on disk.

    Attributes:
        folder: where it is.
        experiment: its question and its arms, as they were trained.
    """

    folder: RunFolder
    experiment: Experiment

    @property
    def arms(self) -> Mapping[str, Arm]:
        """The arms by name."""
        return self.experiment.arms

    @property
    def summary(self) -> dict[str, Any]:
        """What summary.json holds; empty while the run is not finished."""
        return read_json(self.folder.summary)


def load_run(run: str | Path, results: str | Path = "results") -> Run:
    """A run by its path, or by its name under `results`.

    Raises:
        ConfigError: there is no such run, its folder does not describe one, or it is not as it was
            sealed: every file that was altered is named.
    """
    folder = existing_run(str(run), Path(results))
    experiment = read_experiment(folder)
    check_sealed(folder, {name: arm.seeds for name, arm in experiment.arms.items()})
    return Run(folder, experiment)


@overload
def load_policy(run: str | Path) -> TablePolicy: ...


@overload
def load_policy(
    run: Run | str | Path, seat: str, arm: str | None = None, seed: int = 0
) -> PolicyTable: ...


def load_policy(
    run: Run | str | Path, seat: str | None = None, arm: str | None = None, seed: int = 0
) -> PolicyTable | TablePolicy:
    """The policy that a seat learned, without exploration: float64 `[O, A]`.

    With nothing but the path of a policy file (`tacit export`): a policy that acts, whatever form
    of an observation an environment hands out.

        policy = tacit.load_policy("policy.safetensors")
        action = policy.act(observation)

    Args:
        run: a run, its path, or its name under `results`; or a policy file.
        seat: a seat's name, such as `bidder_0`; not of a policy file, which has one.
        arm: the arm; by default the run's first.
        seed: the number k of the repetition, 0 .. seeds - 1.

    Returns:
        Of a run, float64 `[O, A]`; of a policy file, the policy that acts.

    Raises:
        ConfigError: an unknown run, arm or seat, or a repetition that is not finished; a policy
            file that is damaged, or is of a market that is not known here.
    """
    if seat is None:
        if isinstance(run, Run):
            raise ConfigError("seat: missing: a run has a policy for each of its seats.")
        return policy_that_acts(run)
    found = run if isinstance(run, Run) else load_run(run)
    if arm is not None and arm not in found.arms:
        raise ConfigError(f"arm: unknown '{arm}'. {nearest(arm, found.arms)}")
    chosen = choose_arm(found.experiment, arm)
    seats = [s.name for s in chosen.market.seats]
    mistakes = []
    if seat not in seats:
        mistakes.append(f"seat: unknown '{seat}'. {nearest(seat, seats)}")
    if seat in chosen.live:
        mistakes.append(f"seat: {seat}: {live_reason([seat])}.")
    if not 0 <= seed < chosen.seeds:
        mistakes.append(f"seed: {seed} is not one of 0 .. {chosen.seeds - 1} of arm {chosen.name}.")
    if mistakes:
        raise ConfigError(mistakes)
    return learned_tables(found.folder, chosen, seed)[seat]


def policy_that_acts(path: str | Path) -> TablePolicy:
    """The policy of a file, in the market that its card describes.

    Raises:
        ConfigError: the file is damaged, or is of a market that is not known here.
    """
    table, card = read_policy(path)
    try:
        market = make_market(card.market, card.market_config)
    except ConfigError as error:
        raise ConfigError([f"{path}: {line}" for line in error.mistakes]) from None
    check_fits(card, table, market, card.seat, path)
    return TablePolicy(market, card.seat, table)


def choose_arm(experiment: Experiment, name: str | None) -> Arm:
    """The arm of a run that a command names, or its first.

    Raises:
        ConfigError: there is no such arm.
    """
    if name is None:
        return next(iter(experiment.arms.values()))
    if name not in experiment.arms:
        raise ConfigError(f"--arm: unknown arm '{name}'. {nearest(name, experiment.arms)}")
    return experiment.arms[name]


def trained_arm(run: RunFolder, arm: Arm, k: int) -> Arm:
    """The arm with the market and the KPI under which the training of repetition k ended: others
    than it was configured with, where a breaker or a person has redirected it.

    Raises:
        ConfigError: its record names a breaker that the arm does not have.
    """
    path = run.checkpoint(arm.name, k)
    record = checkpoint.read_record(path) or {}
    try:
        return arm_in_force(arm, record.get("trips", []))
    except (LookupError, TypeError) as error:
        raise ConfigError(f"{path}: its trips are not those of arm {arm.name}: {error}.") from None


def learned_group(run: RunFolder, arm: Arm, k: int) -> Group:
    """Repetition k of an arm as training left it.

    Raises:
        ConfigError: it is not finished, or its checkpoint was altered.
    """
    path = run.checkpoint(arm.name, k)
    arrays, _ = checkpoint.load(path)
    group = trained_arm(run, arm, k).group(k)
    put_into(group, arrays, path)
    return group


def put_into(group: Group, arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Put a group into a saved state.

    Args:
        group: a new group of the arm that was saved.
        arrays: what was read.
        path: from where, for the message.

    Raises:
        ConfigError: the arrays do not fit the arm, or hold NaN or infinity.
    """
    if wrong := not_finite(arrays):
        raise ConfigError(f"{path}: {', '.join(wrong)} holds numbers that are not finite.")
    try:
        group.load(arrays)
    except (ValueError, LookupError) as error:
        raise ConfigError(f"{path}: does not fit its configuration: {error}.") from None


def learned_tables(run: RunFolder, arm: Arm, k: int) -> dict[str, PolicyTable]:
    """The policies that repetition k learned, by seat, without exploration: float64 `[O, A]` each;
    none of a seat whose agent was live.

    Raises:
        ConfigError: it is not finished, or its checkpoint was altered.
    """
    tables = learned_group(run, arm, k).tables()
    pairs = zip(arm.market.seats, tables, strict=True)
    return {seat.name: table for seat, table in pairs if seat.name not in arm.live}
