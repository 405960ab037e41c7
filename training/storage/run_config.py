"""What a run folder says of its arms, config.yaml, and what may not be mixed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tacit.agents.external.policy_file import read_policy
from tacit.agents.external.table_agent import TableConfig
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm, Experiment

from .atomic_files import read_file, read_json, write_atomically, write_json
from .cards import first_card, is_card_of
from .run_folder import RunFolder
from .seals import Sealer

POLICY_FILES = "policies"  # the folder of policy files that were copied into a run
# Keys of an experiment file that config.yaml holds by arm, fully resolved.
RESOLVED = {"market", "kpi", "agents", "policies", "train", "record", "breakers", "arms",
            "seeds", "seed"}  # fmt: skip


def check_same_run(experiment: Experiment, config: dict[str, Any] | None, run: RunFolder) -> None:
    """Check that the experiment may be trained in this folder.

    Args:
        experiment: what is to be trained.
        config: what config.yaml holds so far, or None for a new run.
        run: the folder.

    Raises:
        ConfigError: it holds an arm with another configuration, or another experiment.
    """
    if config is None:
        return
    clashes = [
        name
        for name, arm in experiment.arms.items()
        if name in config["arms"] and not arm.same(config["arms"][name])
    ]
    if clashes:
        raise ConfigError(
            f"{run.path}: holds arm{'s' * (len(clashes) > 1)} {', '.join(clashes)} with another "
            "configuration, which is kept. Add this one with --as NAME, or start a run with --name "
            "or in another --results."
        )
    question = config.get("question", "")
    shares_arms = bool(set(experiment.arms) & set(config["arms"]))
    if question and experiment.file.question != question and not shares_arms:
        raise ConfigError(
            f"{run.path}: holds another experiment ('{question}'), which is kept. Choose another "
            "--name or --results."
        )


def write_run_config(
    experiment: Experiment, config: dict[str, Any] | None, run: RunFolder, sealer: Sealer
) -> None:
    """Add the experiment's arms to config.yaml and incentives.json.

    Args:
        experiment: what is to be trained.
        config: what config.yaml holds so far, or None for a new run.
        run: the folder.
        sealer: records and seals what is written.
    """
    about = experiment.file.model_dump(mode="json", exclude=RESOLVED)
    about = {key: value for key, value in about.items() if value}
    earlier = config["arms"] if config else {}
    own, policies = {}, set[Path]()
    for name, arm in experiment.arms.items():
        own[name], files = _with_own_policies(arm, run, earlier.get(name), sealer)
        policies |= files
    arms = {**earlier, **own}
    data = {"experiment": experiment.name, **(config or {}), **about, "arms": arms}
    kept = {} if config is None else config.get("overridden", {})
    if overridden := {**kept, **{name: list(w) for name, w in experiment.overridden.items()}}:
        data["overridden"] = overridden
    known = read_json(run.incentives)
    # A card of the same KPI is completed at the end of training (`finishing.py`), not before.
    new = {a: arm for a, arm in experiment.arms.items() if not is_card_of(known.get(a), arm)}
    cards = known | {name: first_card(arm) for name, arm in new.items()}
    if data != config or cards != known:
        sealer.open()
        run.write_config(data)
        write_json(run.incentives, cards)
        sealer.files(run.config, run.incentives, *sorted(policies))


def _with_own_policies(
    arm: Arm, run: RunFolder, known: Any, sealer: Sealer
) -> tuple[dict[str, Any], set[Path]]:
    """An arm's data in which policy files are the run's own copies, by paths within its folder.

    So a run is whole wherever it is moved to, and whatever becomes of the file that was named.

    Args:
        arm: the arm.
        run: the folder, into which files are copied that are not in it.
        known: what config.yaml says of the arm so far.
        sealer: told before a file is written.

    Returns:
        The data, and the files.

    Raises:
        ConfigError: a file cannot be read.
    """
    agents, files = dict(arm.plain["agents"]), set[Path]()
    for seat, config in arm.agents.items():
        if not isinstance(config, TableConfig) or not config.table_hash:
            continue
        source = Path(config.file)
        if source.is_relative_to(run.path.absolute()):
            parts = source.relative_to(run.path.absolute()).parts
        else:
            parts = (POLICY_FILES, f"{config.table_hash[:16]}.safetensors")
        path = run.inside(*parts)
        if path.absolute() != source and not _holds(path, config.table_hash):
            if not source.is_file():  # of a run of an earlier version, whose file is gone
                if isinstance(known, Mapping):
                    agents[seat] = known["agents"][seat]
                continue
            sealer.open()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, read_file(source))
        agents[seat] = {**agents[seat], "file": "/".join(parts)}
        files.add(path)
    return {**arm.plain, "agents": agents}, files


def _holds(path: Path, table_hash: str) -> bool:
    """Whether a policy file is there and holds a table of this hash."""
    try:
        return path.is_file() and read_policy(path)[1].table_hash == table_hash
    except ConfigError:
        return False


def with_policy_paths(run: RunFolder, plain: Any) -> Any:
    """An arm's data of config.yaml in which paths of policy files within the run's folder lead out
    from where the folder is now. Those of runs of earlier versions are absolute, and stay.

    Raises:
        ConfigError: a path leads out of the folder.
    """
    agents = plain.get("agents") if isinstance(plain, Mapping) else None
    if not isinstance(agents, Mapping):
        return plain
    placed = dict(agents)
    for seat, agent in agents.items():
        file = agent.get("file") if isinstance(agent, Mapping) else None
        is_table = isinstance(file, str) and agent.get("name") == "table"
        if is_table and file and not Path(file).is_absolute():
            placed[seat] = {**agent, "file": str(run.inside(*file.split("/")).absolute())}
    return {**plain, "agents": placed}
