"""Experiments: a YAML file becomes arms, every arm one fully resolved configuration.

The way of a setting: model default, then the market's YAML, the experiment file, the arm, and last
what stands on the command line, over every arm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.agents.group import make_group
from tacit.agents.neural.config import check_batches
from tacit.agents.registry import check_agents
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi as kpis
from tacit.envs.errors import (
    ConfigError,
    Misfit,
    build,
    nearest,
)
from tacit.envs.market import Market
from tacit.envs.registry import MARKETS, market_class

from . import files
from .merge import (
    agent_configs,
    as_table,
    collect,
    kpi_table,
    market_file,
)
from .references import (
    Expected,
    Figure,
    Predicted,
    Published,
    arms_named,
)

Count = Annotated[int, Field(ge=1, strict=True)]


class TrainConfig(BaseModel):
    """How long and how wide to train. All counts are rounds per copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: Count = Field(600_000, description="length of training; an upper bound if agents stop")
    episode_rounds: Count | None = Field(None, description="rounds of an episode; null: endless")
    copies: Count = Field(1, description="copies of the market a seed plays at once: its batch")
    measure_last: Count = Field(
        20_000, description="rounds at the end, as played, that the summary measures"
    )
    evaluate_every: Count | None = Field(None, description="rounds between points; null: 24 points")
    starts_from: str | None = Field(
        None, description="the arm at whose end training begins, seed by seed; null: at the start"
    )

    @model_validator(mode="after")
    def _fits(self) -> TrainConfig:
        if self.measure_last > self.rounds:
            told = f"must be at most rounds ({self.rounds}), got {self.measure_last}."
            raise Misfit("measure_last", told)
        return self


class ExperimentFile(BaseModel):
    """Keys of an experiment file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = ""
    source: str = ""
    market: Any  # its name, or a table with its name and keys
    kpi: Any = {}  # a table by role or seat, a name in configs/kpis, or a file
    agents: dict[str, Any] = {}
    train: dict[str, Any] = {}
    seeds: Annotated[int, Field(ge=1, le=100_000)] = 16
    seed: Annotated[int, Field(ge=0)] = 0
    requires: list[str] = []  # conditions of the market, by name, that every arm must meet
    arms: dict[str, dict[str, Any]] = {}
    published: list[Published] = []
    predicted: list[Predicted] = []
    expected_verdict: Expected = None
    shares: str | None = None  # the experiment whose market, agents, training and arms these are
    figure: Figure | None = None
    explains: str = ""
    compute: str = ""


GROUPS = ("market", "kpi", "agents", "train", "seeds", "seed")


@dataclass(frozen=True)
class Arm:
    """One resolved configuration: objects to run it, and `plain`, the data that identify it."""

    name: str
    market: Market
    kpi: kpis.KpiTable
    agents: dict[str, BaseModel]
    train: TrainConfig
    seeds: int
    seed: int
    plain: dict[str, Any] = field(repr=False)

    @property
    def kpi_hash(self) -> str:
        return kpis.kpi_hash(self.kpi)

    def group(self, k: int) -> TabularGroup:
        """Seed number k of this arm before training."""
        train = self.train
        return make_group(
            self.market, self.kpi, self.agents, self.seed + k, train.copies, train.episode_rounds,
            train.rounds,
        )  # fmt: skip

    def same(self, plain: Mapping[str, Any]) -> bool:
        """Whether stored data mean this very configuration."""
        return json.dumps(self.plain, sort_keys=True) == json.dumps(plain, sort_keys=True)


@dataclass(frozen=True)
class Experiment:
    """A question, its arms, and notes about what was decided while loading."""

    name: str
    file: ExperimentFile
    arms: dict[str, Arm]
    notes: list[str]


def load(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    arms: Sequence[str] = (),
    as_arm: str | None = None,
) -> Experiment:
    """An experiment from a name, a file, a market's name, or a table.

    Raises:
        ConfigError: every mistake of the configuration at once.
    """
    if isinstance(config, Mapping):
        raw = dict(config)
        name = str(_named(raw.get("market")).get("name", "experiment"))
    else:
        path = files.find(str(config), ("experiments", "markets"), "CONFIG")
        name, raw = path.name.removesuffix(".yaml").removesuffix(".yml"), read(path)
    mistakes: list[str] = []
    file = collect(mistakes, lambda: build(ExperimentFile, raw, ""))
    if file is None:  # go on with the keys that are right: there may be mistakes in them as well
        file = _readable(raw)
        if file is None:
            raise ConfigError(mistakes)
    changes = parse_overrides(overrides, mistakes)
    named = file.arms or {"base": {}}
    spoken_of = [("--arm", arm) for arm in arms]
    spoken_of += arms_named(file.published, file.predicted, file.figure, file.expected_verdict)
    if file.arms or not raw.get("arms"):  # (else the arms themselves are what is wrong)
        mistakes += [
            f"{where}: unknown arm '{arm}'. {nearest(arm, named)}"
            for where, arm in spoken_of
            if arm not in named
        ]
    if as_arm is not None:
        _check_arm_name(as_arm, "--as")
        if len(arms or named) > 1:
            raise ConfigError("--as: names one arm; choose it with --arm, this config has several.")
    chosen = {a: values for a, values in named.items() if not arms or a in arms}
    resolved: dict[str, Arm] = {}
    wrong: dict[str, list[str]] = {}  # mistake -> arms that have it
    for arm, values in chosen.items():
        try:
            _check_arm_name(arm, "arms")
            resolved[as_arm or arm] = resolve_arm(as_arm or arm, file, [*values.items()], changes)
        except ConfigError as error:
            for line in error.mistakes:
                wrong.setdefault(line, []).append(arm)
    mistakes += _in_arms(file, wrong, len(chosen), changes)
    if mistakes:
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return Experiment(name, file, *_distinct(resolved))


def _in_arms(
    file: ExperimentFile,
    wrong: Mapping[str, list[str]],
    of: int,
    changes: Sequence[tuple[str, Any]],
) -> list[str]:
    """Mistakes, with the name of the arm where it is the arm's own settings that make them."""
    if not wrong or not file.arms:
        return list(wrong)
    general: list[str] = []
    collect(general, lambda: resolve_arm("base", file, [], changes))
    return [
        line
        if line in general or line.startswith("arms") or 1 < of == len(arms)
        else f"arms.{', '.join(arms)}: {line}"
        for line, arms in wrong.items()
    ]


def read(path: Traversable) -> dict[str, Any]:
    """An experiment file as data; what it `shares` with another experiment is filled in."""
    raw = files.read_yaml(path)
    if raw.get("shares") is None:
        return raw
    shared = files.read_yaml(files.find(str(raw["shares"]), ("experiments",), "shares"))
    return {k: shared[k] for k in (*GROUPS, "arms") if k in shared} | raw


def _readable(raw: Mapping[str, Any]) -> ExperimentFile | None:
    """An experiment of those keys that are right by themselves, or None without a market."""

    def right(key: str, value: Any) -> bool:
        return bool(collect([], lambda: build(ExperimentFile, {"market": "", key: value}, "")))

    kept = {k: v for k, v in raw.items() if right(k, v)}
    return ExperimentFile(**kept) if "market" in kept else None


def _check_arm_name(name: str, where: str) -> None:
    if not name or any(c in name for c in "/\\ ") or name.startswith((".", "_")):
        raise ConfigError(
            f"{where}: '{name}' cannot name an arm; it becomes a folder: no spaces, slashes, "
            "leading dot or underscore."
        )


def _distinct(arms: dict[str, Arm]) -> tuple[dict[str, Arm], list[str]]:
    """Arms that overrides made equal run once, and a note says so."""
    groups: dict[str, list[str]] = {}
    for name, arm in arms.items():
        groups.setdefault(json.dumps(arm.plain, sort_keys=True), []).append(name)
    notes = [
        f"under these settings {', '.join(others)} equal{'s' * (len(others) == 1)} {first}, "
        "which runs once for all"
        for first, *others in groups.values()
        if others
    ]
    return {names[0]: arms[names[0]] for names in groups.values()}, notes


def parse_overrides(overrides: Iterable[str], mistakes: list[str]) -> list[tuple[str, Any]]:
    """`key=value` words, values YAML; what is wrong with the others is added to `mistakes`."""
    pairs = []
    for word in overrides:
        key, separator, value = word.partition("=")
        if not separator or not key:
            mistakes.append(f"{word}: must be key=value, as in market.bidders=3.")
        elif key.split(".")[0] not in GROUPS:
            mistakes.append(f"{key}: unknown key. {nearest(key.split('.')[0], GROUPS)}")
        else:
            collect(mistakes, lambda k=key, v=value: pairs.append((k, files.parse(v, k))))
    return pairs


def resolve_arm(
    name: str,
    file: ExperimentFile,
    own: Sequence[tuple[str, Any]],
    changes: Sequence[tuple[str, Any]],
) -> Arm:
    """One arm with its own settings and then the command line's."""
    settings = [*own, *changes]
    bad = [k for k, _ in settings if str(k).split(".")[0] not in GROUPS]
    if bad:
        head = f"arms.{name}."
        raise ConfigError(
            [f"{head}{k}: unknown key. {nearest(k.split('.')[0], GROUPS)}" for k in bad]
        )
    raw = _settings(file, settings)
    mistakes: list[str] = []
    market = collect(mistakes, lambda: _market(raw["market"]))
    if market is not None:
        mistakes += _unmet(market, file.requires)
    if market is None:  # look for mistakes further on as well, in the market that is meant
        market = _nearest_market(raw["market"])
    train = collect(mistakes, lambda: build(TrainConfig, as_table(raw["train"], "train"), "train"))
    counts: dict[str, Any] = {key: raw[key] for key in ("seeds", "seed") if key in raw}
    seeds = collect(mistakes, lambda: build(ExperimentFile, {"market": "", **counts}, ""))
    if market is None:
        raise ConfigError(mistakes)
    table = collect(mistakes, lambda: kpis.resolve(market, kpi_table(market, file.kpi, settings)))
    agents = collect(mistakes, lambda: agent_configs(market, file.agents, settings))
    if agents is not None:
        collect(mistakes, lambda: check_agents(market, agents))
    if agents is not None and table is not None and train is not None:
        collect(mistakes, lambda: check_batches(table, agents, train.rounds))
    if mistakes or table is None or agents is None or train is None or seeds is None:
        raise ConfigError(mistakes)
    plain = {
        "market": {"name": market.name, **market.config.model_dump(mode="json")},
        "kpi": kpis.canonical(table),
        "agents": {seat: agent.model_dump(mode="json") for seat, agent in agents.items()},
        "train": train.model_dump(mode="json"),
        "seeds": seeds.seeds,
        "seed": seeds.seed,
    }
    return Arm(name, market, table, agents, train, seeds.seeds, seeds.seed, plain)


def _set(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a dotted key; a value on the way that is no table is replaced by one."""
    *heads, last = path
    for head in heads:
        below = tree.get(head)
        tree[head] = dict(below) if isinstance(below, Mapping) else {}
        tree = tree[head]
    tree[last] = value


def _settings(file: ExperimentFile, settings: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Market, train, seeds and seed: the market's YAML, the file over it, then dotted settings."""
    given = file.model_dump(include={"market", "train", "seeds", "seed"}, exclude_unset=True)
    own = {**given, "market": _named(file.market)}
    for key, value in settings:
        if key.split(".")[0] in ("market", "train", "seeds", "seed"):
            _set(own, key.split("."), value)
    own["market"] = _preset(_named(own["market"]))
    name = own["market"].get("name") if isinstance(own["market"], Mapping) else None
    default = market_file(name)
    below: dict[str, Any] = {k: default[k] for k in ("train", "seeds", "seed") if k in default}
    return {"train": {}, **_over({**below, "market": _named(default.get("market"))}, own)}


def _named(market: Any) -> Any:
    """`market: ad_auction` is short for `market: {name: ad_auction}`."""
    return {"name": market} if isinstance(market, str) else {} if market is None else market


def _preset(market: Any) -> Any:
    """`market: {name: procurement_scms, ...}`: a preset's market; keys beside the name on top."""
    name = str(market.get("name")) if isinstance(market, Mapping) else ""
    if name in MARKETS or name not in files.names("markets"):
        return market
    preset = files.read_yaml(files.find(name, ("markets",), "market.name")).get("market")
    return _over(_named(preset), {k: v for k, v in market.items() if k != "name"})


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One table over another, tables within merged."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            value = _over(known, value)
        merged[key] = value
    return merged


def _market(raw: Any) -> Market:
    values = as_table(raw, "market")
    name = values.pop("name", None)
    if name is None:
        raise ConfigError(f"market.name: missing. {nearest('', MARKETS)}")
    return market_class(str(name))(values)


def _unmet(market: Market, required: Sequence[str]) -> list[str]:
    """What keeps a market from what an experiment requires of it."""
    known, lines = market.conditions(), []
    for name in required:
        if name in known:
            lines += [f"market.{line}; this experiment requires '{name}'." for line in known[name]]
        else:
            lines.append(f"requires: {market.name} has no '{name}'. {nearest(name, known)}")
    return lines


def _nearest_market(raw: Any) -> Market | None:
    """The market with those of its settings that are right by themselves, or None."""
    if not isinstance(raw, Mapping) or str(raw.get("name")) not in MARKETS:
        return None
    name = {"name": raw["name"]}
    right = {k: v for k, v in raw.items() if collect([], lambda k=k, v=v: _market({**name, k: v}))}
    return collect([], lambda: _market(right)) or _market(name)
