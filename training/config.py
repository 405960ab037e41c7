"""Experiments: a YAML file becomes arms, every arm one fully resolved configuration.

The way of a setting: model default, then the market's YAML, the experiment file, the arm, and last
what stands on the command line, over every arm.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tacit.agents.registry import AGENTS, make_config
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market
from tacit.envs.registry import MARKETS, market_class

from . import files

Count = Annotated[int, Field(ge=1)]


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

    @model_validator(mode="after")
    def _fits(self) -> TrainConfig:
        if self.measure_last > self.rounds:
            raise ValueError(f"measure_last {self.measure_last} exceeds rounds {self.rounds}.")
        return self


class ExperimentFile(BaseModel):
    """Keys of an experiment file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = ""
    source: str = ""
    market: str | dict[str, Any]
    kpi: str | dict[str, Any] = {}
    agents: dict[str, Any] = {}
    train: dict[str, Any] = {}
    seeds: Annotated[int, Field(ge=1, le=100_000)] = 16
    seed: Annotated[int, Field(ge=0)] = 0
    arms: dict[str, dict[str, Any]] = {}
    published: list[dict[str, Any]] = []
    predicted: list[dict[str, Any]] = []
    expected_verdict: dict[str, Any] | str | None = None
    figure: dict[str, Any] | None = None
    explains: str = ""
    compute: str = ""


GROUPS = ("market", "kpi", "agents", "train", "seeds", "seed")


@dataclass(frozen=True)
class Arm:
    """One resolved configuration: objects to run it, and `plain`, the data that identify it."""

    name: str
    market: Market
    kpi: kpis.Table
    agents: dict[str, BaseModel]
    train: TrainConfig
    seeds: int
    seed: int
    plain: dict[str, Any] = field(repr=False)

    @property
    def kpi_hash(self) -> str:
        return kpis.kpi_hash(self.kpi)

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
        name, raw = str(config.get("market", "experiment")), dict(config)
    else:
        path = files.find(str(config), ("experiments", "markets"), "CONFIG")
        name, raw = path.name.removesuffix(".yaml").removesuffix(".yml"), files.read_yaml(path)
    file = build(ExperimentFile, raw, "")
    changes = parse_overrides(overrides)
    named = file.arms or {"base": {}}
    unknown = [arm for arm in arms if arm not in named]
    if unknown:
        raise ConfigError([f"--arm: unknown arm '{a}'. {nearest(a, named)}" for a in unknown])
    if as_arm is not None:
        _check_arm_name(as_arm, "--as")
        if len(arms or named) > 1:
            raise ConfigError("--as: names one arm; choose it with --arm, this config has several.")
    chosen = {a: values for a, values in named.items() if not arms or a in arms}
    mistakes: list[str] = []
    resolved: dict[str, Arm] = {}
    for arm, values in chosen.items():
        try:
            _check_arm_name(arm, "arms")
            resolved[as_arm or arm] = resolve_arm(as_arm or arm, file, [*values.items()], changes)
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return Experiment(name, file, *_distinct(resolved))


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


def parse_overrides(overrides: Iterable[str]) -> list[tuple[str, Any]]:
    """`key=value` words; values are YAML."""
    pairs, mistakes = [], []
    for word in overrides:
        key, separator, value = word.partition("=")
        if not separator or not key:
            mistakes.append(f"{word}: must be key=value, as in market.bidders=3.")
        elif key.split(".")[0] not in GROUPS:
            mistakes.append(f"{key}: unknown key. {nearest(key.split('.')[0], GROUPS)}")
        else:
            pairs.append((key, files.parse(value, key)))
    if mistakes:
        raise ConfigError(mistakes)
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
    raw: dict[str, Any] = {
        "market": {"name": file.market} if isinstance(file.market, str) else dict(file.market),
        "train": dict(file.train),
        "seeds": file.seeds,
        "seed": file.seed,
    }
    for key, value in settings:
        head = key.split(".")[0]
        if head in raw:
            _set(raw, key.split("."), value)
    mistakes: list[str] = []
    market = collect(mistakes, lambda: _market(raw["market"]))
    if market is None:  # look for mistakes further on as well, in the market as it is by default
        market = collect([], lambda: _market({"name": _table(raw["market"], "market").get("name")}))
    train = collect(mistakes, lambda: build(TrainConfig, _table(raw["train"], "train"), "train"))
    seeds = collect(
        mistakes,
        lambda: build(
            ExperimentFile, {"market": "", "seeds": raw["seeds"], "seed": raw["seed"]}, ""
        ),
    )
    if market is None:
        raise ConfigError(mistakes)
    table = collect(mistakes, lambda: kpis.resolve(market, _kpi(market, file.kpi, settings)))
    agents = collect(mistakes, lambda: _agents(market, file.agents, settings))
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


def collect(mistakes: list[str], make: Any) -> Any:
    """`make()`, or None with its mistakes added to the list."""
    try:
        return make()
    except ConfigError as error:
        mistakes += error.mistakes
        return None


def _table(value: Any, key: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key}: must be a table of keys, got {value!r}.")
    return dict(value)


def _set(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a dotted key; a value on the way that is no table is replaced by one."""
    *heads, last = path
    for head in heads:
        below = tree.get(head)
        tree[head] = dict(below) if isinstance(below, Mapping) else {}
        tree = tree[head]
    tree[last] = value


def _market(raw: Any) -> Market:
    values = _table({"name": raw} if isinstance(raw, str) else raw, "market")
    name = values.pop("name", None)
    if name is None:
        raise ConfigError(f"market.name: missing. {nearest('', MARKETS)}")
    return market_class(str(name))(values)


# --- KPI: roles or seats, refined by dotted keys --------------------------------------------------


def _kpi(market: Market, base: Any, settings: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The table by role or seat after the arm's and the command line's changes."""
    table = _full_kpi(market, _load_kpi(base))
    for key, value in settings:
        parts = key.split(".", 2)
        if parts[0] != "kpi":
            continue
        if len(parts) == 1:
            table = _full_kpi(market, _load_kpi(value))
        elif len(parts) == 2:
            table[parts[1]] = value
        else:
            _set_term(market, table, parts[1], parts[2], value)
    return table


def _load_kpi(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return files.read_yaml(files.find(value, ("kpis",), "kpi"))
    return copy.deepcopy(_table(value, "kpi"))


def _full_kpi(market: Market, table: dict[str, Any]) -> dict[str, Any]:
    """Roles that the table leaves out have the market's default KPI."""
    missing = {r.name: {r.default_kpi: 1.0} for r in market.roles if r.name not in table}
    return missing | table


def _set_term(market: Market, table: dict[str, Any], owner: str, rest: str, value: Any) -> None:
    """`kpi.bidder.price_change=-1`; a seat without a table of its own starts from its role's."""
    roles = {seat.name: seat.role.name for seat in market.seats}
    if owner not in table and owner in roles:
        table[owner] = copy.deepcopy(table[roles[owner]])
    terms = table.setdefault(owner, {})
    if not isinstance(terms, dict):
        return  # kpis.resolve tells what is wrong with it
    term, _, field_name = rest.partition(".")
    known = terms.get(term)
    if field_name or (isinstance(known, Mapping) and not isinstance(value, Mapping)):
        long_form = dict(known) if isinstance(known, Mapping) else {}
        if known is not None and not isinstance(known, Mapping):
            long_form["weight"] = known
        terms[term] = {**long_form, (field_name or "weight"): value}
    else:
        terms[term] = value


# --- agents: roles or seats, replaced as a whole or refined by key --------------------------------


def _agents(
    market: Market, base: Mapping[str, Any], settings: Sequence[tuple[str, Any]]
) -> dict[str, BaseModel]:
    """Every seat's agent: its own entry, else its role's, else the market's default one."""
    roles = {seat.name: seat.role.name for seat in market.seats}
    table: dict[str, dict[str, Any]] = {}
    mistakes: list[str] = []
    for role in {r.name for r in market.roles} - set(base):
        table[role] = _default_agent(market, role)
    entries = [*base.items(), *((k[7:], v) for k, v in settings if k.startswith("agents."))]
    for key, value in entries:
        owner, _, rest = key.partition(".")
        if owner not in roles and owner not in set(roles.values()):
            known = [*roles, *dict.fromkeys(roles.values())]
            # (an entry for a role that the market lacks under these keys is not a mistake)
            if owner not in _market_file(market).get("agents", {}):
                mistakes.append(f"agents.{owner}: unknown role or seat. {nearest(owner, known)}")
            continue
        start = table.get(owner) or table.get(roles.get(owner, ""), {})
        collect(mistakes, lambda o=owner, r=rest, v=value, s=start: _enter(table, o, r, v, s))
    configs: dict[str, BaseModel] = {}
    for owner, values in table.items():
        made = collect(mistakes, lambda o=owner, v=values: make_config(v, f"agents.{o}"))
        if made is not None:
            configs[owner] = made
    if mistakes:
        raise ConfigError(mistakes)
    return {seat: configs.get(seat) or configs[role] for seat, role in roles.items()}


def _enter(
    table: dict[str, dict[str, Any]], owner: str, rest: str, value: Any, start: Mapping[str, Any]
) -> None:
    """Replace (`bidder: ippo`, `bidder: {name: ...}`) or refine (`bidder.discount: .9`)."""
    if rest:
        table[owner] = {**start, rest: value}
    elif isinstance(value, str):
        table[owner] = _load_agent(value, f"agents.{owner}")
    elif isinstance(value, Mapping):
        table[owner] = dict(value) if "name" in value else {**start, **value}
    else:
        raise ConfigError(f"agents.{owner}: must be a name or a table, got {value!r}.")


def _load_agent(name: str, key: str) -> dict[str, Any]:
    if name in AGENTS:
        return {"name": name}
    known = [*AGENTS, *files.names("agents")]
    if name not in known and not name.endswith((".yaml", ".yml")):
        raise ConfigError(f"{key}: unknown agent '{name}'. {nearest(name, known)}")
    return files.read_yaml(files.find(name, ("agents",), key))


def _market_file(market: Market) -> dict[str, Any]:
    return files.read_yaml(files.find(market.name, ("markets",), "market.name"))


def _default_agent(market: Market, role: str) -> dict[str, Any]:
    entry = _market_file(market).get("agents", {}).get(role, "q_learning")
    return _load_agent(entry, f"agents.{role}") if isinstance(entry, str) else dict(entry)
