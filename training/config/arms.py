"""Arms: one fully resolved configuration each, with the objects to run it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from tacit.agents.anchor import Anchored
from tacit.agents.external.config import is_live
from tacit.agents.external.table_agent import TableConfig
from tacit.agents.fixed import learns
from tacit.agents.frozen import FrozenGroup
from tacit.agents.group import Group, make_group
from tacit.agents.neural.config import IppoConfig, anchored
from tacit.agents.registry import check_agents, check_batches, make_config
from tacit.agents.vendor import Vendors
from tacit.agents.vendors import check_sharing, parse_vendors, with_shared_objectives
from tacit.envs import kpi as kpis
from tacit.envs.analysis import Analysis
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market
from tacit.envs.registry import MARKETS, make_market, market_class
from tacit.envs.shown import shown_market

from .agent_settings import agent_configs, live_mistakes
from .breaker_settings import Breakers, resolve_breakers
from .experiment_file import GROUPS, BenchConfig, ExperimentFile, RecordConfig, TrainConfig
from .kpi_settings import kpi_table
from .layers import Setting, as_table, layered_settings
from .mistakes import MistakeList, is_right
from .names import check_arm_name


@dataclass(frozen=True)
class Arm:
    """One resolved configuration.

    Attributes:
        name: of the arm in its experiment.
        market: the market.
        kpi: the resolved KPI table.
        agents: the config of each seat's agent, by seat.
        train: rounds, copies, and when figures are read.
        record: what is kept for replays.
        seeds: how many repetitions.
        seed: the seed of the first one; repetition k has seed + k.
        plain: the same as data, every key present: what identifies the configuration.
        breakers: what ends, holds or redirects a repetition, by name; in `plain` if there are any.
        bench: where an arm on the bench comes from; None: it is none. In `plain` if it is one.
        vendors: seats that share what they learn or are paid for; in `plain` if there are any.
    """

    name: str
    market: Market
    kpi: kpis.KpiTable
    agents: dict[str, BaseModel]
    train: TrainConfig
    record: RecordConfig
    seeds: int
    seed: int
    plain: dict[str, Any] = field(repr=False)
    breakers: Breakers = field(default_factory=dict)
    bench: BenchConfig | None = None
    vendors: Vendors = ()

    @property
    def kpi_hash(self) -> str:
        """SHA-256 of the KPI table."""
        return kpis.kpi_hash(self.kpi)

    @property
    def learned(self) -> tuple[bool, ...]:
        """Whether each seat's agent learns; False: its policy is a script or a file."""
        configs = (self.agents[seat.name] for seat in self.market.seats)
        return tuple(map(learns, configs))

    @property
    def live(self) -> tuple[str, ...]:
        """The seats whose agents answer while others learn: their policies are not known."""
        return tuple(seat.name for seat in self.market.seats if is_live(self.agents[seat.name]))

    def check_policies_known(self) -> None:
        """Whether every seat's policy is known, which what computes with policies needs.

        Raises:
            ConfigError: a seat has a live agent.
        """
        if self.live:
            raise ConfigError(f"arm {self.name}: {live_reason(self.live)}")

    @property
    def discounts(self) -> tuple[float, ...]:
        """The discount of each seat's agent; of one that has none, that of the market's probes."""
        default = (self.market.analysis_class or Analysis).probe_discount
        configs = (self.agents[seat.name] for seat in self.market.seats)
        return tuple(float(getattr(config, "discount", default)) for config in configs)

    @property
    def anchors(self) -> tuple[Anchored, ...]:
        """To what prior each seat's learner is held."""
        return tuple(anchored(self.agents[s.name], self.market, s) for s in self.market.seats)

    @property
    def has_arm_breakers(self) -> bool:
        """Whether a breaker judges all repetitions together, so that none goes ahead of another."""
        return any(breaker.is_of_arm for breaker in self.breakers.values())

    @property
    def first_round(self) -> int:
        """Rounds per copy that were played before its repetitions begin: those of a bench."""
        return self.bench.round if self.bench is not None else 0

    def group(self, k: int) -> Group:
        """The group of repetition k before training."""
        train = self.train
        group = make_group(
            self.market, self.kpi, self.agents, self.seed + k, train.copies, train.episode_rounds,
            train.rounds, self.vendors,
        )  # fmt: skip
        if self.bench is None or not self.bench.frozen:
            return group
        return FrozenGroup(group, self.kpi, self.seed + k, train.copies, train.episode_rounds)

    def check_policy_files(self) -> None:
        """Whether every policy file still holds the table with which the run was begun.

        Raises:
            ConfigError: a file is missing, is damaged, or holds another table.
        """
        mistakes = MistakeList()
        for seat in self.market.seats:
            config = self.agents[seat.name]
            if isinstance(config, TableConfig | IppoConfig):
                with mistakes.collecting():
                    config.bound(self.market, seat)
        mistakes.raise_if_any()

    def same(self, plain: Mapping[str, Any]) -> bool:
        """Whether the `plain` of a run on disk is that of this very configuration.

        A key that it lacks, because the key is newer than the run, has its default. Where a policy
        file lies does not matter, for the hash of its table is in the data too.
        """
        own, stored = _text(_without_paths(self.plain)), _text(_without_paths(plain))
        return own == stored or own == _completed(stored)


def live_reason(live: Sequence[str]) -> str:
    """Why what needs policies says nothing of an arm with live agents in these seats."""
    return (
        f"does not apply: the agent of {', '.join(live)} is live: it was asked round by round, and "
        "its policy is not known"
    )


SUBJECT = ("market", "kpi", "agents")  # groups of keys that a question speaks of


@dataclass(frozen=True)
class Experiment:
    """An experiment file, resolved.

    Attributes:
        name: of the file, or of the market.
        file: question, references, figure and the rest, as written.
        arms: by name, in order.
        notes: what was decided while loading and should be shown, such as arms that are equal.
        overridden: by arm, the `key=value` words of the command line that made it another one than
            the file describes.
    """

    name: str
    file: ExperimentFile
    arms: dict[str, Arm]
    notes: list[str]
    overridden: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """The file's question; empty where the market, KPIs or agents that it speaks of are others
        in every arm."""
        about = [
            any(word.partition("=")[0].partition(".")[0] in SUBJECT for word in words)
            for words in (self.overridden.get(arm, ()) for arm in self.arms)
        ]
        return "" if about and all(about) else self.file.question

    @property
    def explains(self) -> str:
        """The file's text about its result; empty where every arm was trained otherwise."""
        return "" if self._all_overridden else self.file.explains.strip()

    @property
    def headline(self) -> str:
        """The question, or the name and what was changed."""
        if self.question or not self.file.question or not self._all_overridden:
            return self.question
        words = dict.fromkeys(w for arm in self.arms for w in self.overridden[arm])
        return f"{self.name} with {', '.join(words)}"

    @property
    def _all_overridden(self) -> bool:
        return bool(self.arms) and all(self.overridden.get(arm) for arm in self.arms)


def resolve_arm(
    name: str, file: ExperimentFile, own: Sequence[Setting], changes: Sequence[Setting]
) -> Arm:
    """One arm with its own settings and then the command line's.

    Raises:
        ConfigError: every mistake in the arm, those behind a first one included.
    """
    settings = [*own, *changes]
    unknown = [key for key, _ in settings if str(key).split(".")[0] not in GROUPS]
    if unknown:
        raise ConfigError([
            f"arms.{name}.{key}: unknown key. {nearest(key.split('.')[0], GROUPS)}"
            for key in unknown
        ])  # fmt: skip
    raw = layered_settings(file, settings)
    mistakes = MistakeList()
    market = train = record = counts = table = agents = None
    with mistakes.collecting():
        market = _market(raw["market"])
        mistakes += _unmet_requirements(market, file.requires)
    if market is None:  # look for mistakes further on as well, in the market that is meant
        market = _nearest_market(raw["market"])
    with mistakes.collecting():
        train = build(TrainConfig, as_table(raw["train"], "train"), "train")
    with mistakes.collecting():
        record = build(RecordConfig, as_table(raw["record"], "record"), "record")
    with mistakes.collecting():
        numbers: dict[str, Any] = {key: raw[key] for key in ("seeds", "seed") if key in raw}
        counts = build(ExperimentFile, {"market": "", **numbers}, "")
    if market is None:
        raise ConfigError(mistakes)
    with mistakes.collecting():
        table = kpis.resolve(market, kpi_table(market, file.kpi, settings))
    with mistakes.collecting():
        agents = agent_configs(market, file.agents, settings)
        check_agents(market, agents)
    if agents is not None and table is not None and train is not None:
        with mistakes.collecting():
            check_batches(table, agents, train.rounds)
        mistakes += live_mistakes(agents, train, raw["breakers"], raw["policies"])
    vendors: Vendors = ()
    with mistakes.collecting():
        vendors = parse_vendors(market, raw["policies"])
    if agents is not None and table is not None:
        with mistakes.collecting():
            check_sharing(vendors, table, agents)
        table = with_shared_objectives(market, table, vendors)
    breakers: Breakers = {}
    if table is not None:
        with mistakes.collecting():
            seeds = None if counts is None else counts.seeds
            raw_breakers = raw["breakers"]
            breakers = resolve_breakers(
                raw_breakers, market, table, train, record, agents, seeds, vendors
            )
    if table is None or agents is None or train is None or record is None or counts is None:
        raise ConfigError(mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return _arm(name, market, table, agents, train, record, counts, breakers, vendors=vendors)


def arm_from_plain(name: str, plain: Mapping[str, Any]) -> Arm:
    """The arm that its resolved data describe; keys that they lack have their defaults.

    Args:
        name: of the arm.
        plain: `Arm.plain`, as config.yaml and checkpoints hold it.

    Raises:
        ConfigError: a name that no arm can have; a market, KPI, agent or key that is not valid.
        LookupError, TypeError, AttributeError: the data do not describe an arm.
    """
    check_arm_name(name, "arms")
    values = dict(plain["market"])
    bench = build(BenchConfig, plain["bench"], "bench") if "bench" in plain else None
    market = make_market(values.pop("name"), values)
    if bench is not None and bench.hidden:
        market = _shown_on_bench(market, bench)
    table = kpis.resolve(market, plain["kpi"])
    train = build(TrainConfig, plain["train"], "train")
    record = build(RecordConfig, plain.get("record", {}), "record")
    agents = {seat: make_config(v, f"agents.{seat}") for seat, v in plain["agents"].items()}
    counts = build(
        ExperimentFile, {"market": "", "seeds": plain["seeds"], "seed": plain["seed"]}, ""
    )
    vendors = parse_vendors(market, plain.get("policies", {}))
    breakers = plain.get("breakers", {})
    return _arm(
        name,
        market,
        table,
        agents,
        train,
        record,
        counts,
        resolve_breakers(breakers, market, table, train, record, agents, counts.seeds, vendors),
        bench,
        vendors,
    )


def _shown_on_bench(market: Market, bench: BenchConfig) -> Market:
    """The market as it was shown in the branch from which a bench comes.

    Raises:
        ConfigError: seats or parts of observations that it does not have.
    """
    parts = {
        seat.name: {part.name for block in seat.role.blocks for part in block.sees}
        for seat in market.seats
    }
    mistakes = MistakeList(
        f"bench.hidden.{seat}: {market.name} has no such seat, or it does not see all of this."
        for seat, hidden in bench.hidden.items()
        if not set(hidden) <= parts.get(seat, set())
    )
    mistakes.raise_if_any()
    return shown_market(market, bench.hidden, bench.older)


def _arm(
    name: str,
    market: Market,
    table: kpis.KpiTable,
    agents: dict[str, BaseModel],
    train: TrainConfig,
    record: RecordConfig,
    counts: ExperimentFile,
    breakers: Breakers,
    bench: BenchConfig | None = None,
    vendors: Vendors = (),
) -> Arm:
    """An arm of checked parts, with the data that identify it."""
    plain = {
        "market": {"name": market.name, **market.config.model_dump(mode="json")},
        "kpi": kpis.canonical(table),
        "agents": {seat: agent.model_dump(mode="json") for seat, agent in agents.items()},
        "train": train.model_dump(mode="json"),
        "record": record.model_dump(mode="json"),
        "seeds": counts.seeds,
        "seed": counts.seed,
    }
    if breakers:  # an arm without any is the same as one of a version that knew none
        plain["breakers"] = {
            breaker: config.model_dump(mode="json") for breaker, config in breakers.items()
        }
    if vendors:
        plain["policies"] = {vendor.name: vendor.plain for vendor in vendors}
    if bench is not None:
        plain["bench"] = bench.model_dump(mode="json")
    return Arm(
        name, market, table, agents, train, record, counts.seeds, counts.seed, plain, breakers,
        bench, vendors,
    )  # fmt: skip


def _without_paths(plain: Mapping[str, Any]) -> dict[str, Any]:
    """An arm's data without the paths of files whose contents they hold, or name by hash."""
    agents = plain.get("agents")
    if not isinstance(agents, Mapping):
        return dict(plain)

    def named(agent: Any) -> Any:
        if not isinstance(agent, Mapping):
            return agent
        if agent.get("table_hash") or agent.get("content"):
            return {**agent, "file": ""}
        anchor = agent.get("anchor")
        if isinstance(anchor, Mapping) and (anchor.get("table_hash") or anchor.get("content")):
            return {**agent, "anchor": {**anchor, "policy": ""}}
        return agent

    return {**plain, "agents": {seat: named(agent) for seat, agent in agents.items()}}


def _text(plain: Mapping[str, Any]) -> str:
    """Data as text that is the same for the same data."""
    return json.dumps(plain, sort_keys=True)


@lru_cache(maxsize=256)  # all seeds of an arm hold the same text
def _completed(text: str) -> str:
    """The text of an arm's data with every key that they lack; as it is if they are no arm."""
    try:
        return _text(arm_from_plain("arm", json.loads(text)).plain)
    except (ConfigError, LookupError, TypeError, AttributeError):
        return text


def distinct_arms(arms: dict[str, Arm]) -> tuple[dict[str, Arm], list[str]]:
    """Arms that overrides made equal run once, under the first name; a note says so."""
    equal: dict[str, list[str]] = {}
    for name, arm in arms.items():
        equal.setdefault(json.dumps(arm.plain, sort_keys=True), []).append(name)
    notes = [
        f"under these settings {', '.join(others)} equal{'s' * (len(others) == 1)} {first}, "
        "which runs once for all"
        for first, *others in equal.values()
        if others
    ]
    return {names[0]: arms[names[0]] for names in equal.values()}, notes


def _market(raw: Any) -> Market:
    values = as_table(raw, "market")
    if (name := values.pop("name", None)) is None:
        raise ConfigError(f"market.name: missing. {nearest('', MARKETS)}")
    return market_class(str(name))(values)


def _unmet_requirements(market: Market, required: Sequence[str]) -> list[str]:
    """What keeps a market from the conditions that an experiment requires of it."""
    known, lines = market.conditions(), []
    for own in required:
        lines += [
            f"market.{line}; this experiment requires '{own}'." for line in known.get(own, ())
        ]
        if own not in known:
            lines.append(f"requires: {market.name} has no '{own}'. {nearest(own, known)}")
    return lines


def _nearest_market(raw: Any) -> Market | None:
    """The market with those of its settings that are right by themselves, or None."""
    if not isinstance(raw, Mapping) or str(raw.get("name")) not in MARKETS:
        return None
    name = {"name": raw["name"]}
    right = {key: value for key, value in raw.items() if is_right(_market, {**name, key: value})}
    return _market(right if is_right(_market, right) else name)
