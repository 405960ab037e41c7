"""What a run folder says of its arms, config.yaml, and what may not be mixed."""

from __future__ import annotations

from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Experiment

from .atomic_files import read_json, write_json
from .cards import first_card, is_card_of
from .run_folder import RunFolder
from .seals import Sealer

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
    arms = {**earlier, **{name: arm.plain for name, arm in experiment.arms.items()}}
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
        sealer.files(run.config, run.incentives)
