"""The breakers of an arm: what is watched, and what happens when it leaves its band.

breakers:
  calm:
    watch: clearing_price
    low: .7
    points: 2
    action: rollback
    redirect: {kpi: {bidder: {price_change: 0}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from tacit.agents.vendor import Vendors
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market
from tacit.oversight.breakers import Band, names_of_readings, plain_name

from .experiment_file import RecordConfig, TrainConfig
from .layers import as_table
from .mistakes import MistakeList, is_right
from .redirecting import on_one_line, redirected, unfit_for_vendors, with_updates

STOP, PAUSE, ROLLBACK = "stop", "pause", "rollback"
NONE = "none"  # of `redirect`
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
ROUND = re.compile(r"r([0-9]{1,15})")
MOST_ORDERED = 4  # breakers of which every order is tried
ONLY_ROLLBACK = ("to", "redirect", "times", "spent")
IGNORE = "ignore"  # of `spent`
ARM, EXCHANGED = "arm", "exchanged"  # of `scope`; of `partners`

Redirects = dict[str, Any]


class RedirectConfig(BaseModel):
    """What is changed where training goes on from an earlier state."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kpi: dict[str, Any] = Field({}, description="weights by role or seat, over those in force")
    market: dict[str, Any] = Field(
        {}, description="keys of the market that leave observations and actions as they are"
    )
    fresh_stream: bool = Field(False, description="other draws than the ones that were made")
    forget: bool = Field(False, description="learned values begin anew")
    memory: Literal["off"] | None = Field(
        None, description="off: what seats see of earlier rounds is a constant"
    )
    rivals_data: Annotated[int, Field(strict=True)] | Literal["none"] | None = Field(
        None, description="what seats see of rivals: none: a constant; or how many rounds old"
    )
    updates: Literal["synchronous"] | None = Field(
        None, description="synchronous: Q-learners update all their actions every round"
    )
    partners: Literal["exchanged"] | None = Field(
        None, description="exchanged: seat i of seed k goes on in seed k + i; for scope: arm"
    )

    policies: Literal["separate"] | None = Field(
        None, description="separate: seats that share weights, data or draws learn apart from here"
    )

    @property
    def changes_objective(self) -> bool:
        """Whether KPI, market, what seats see, how or with whom they learn are others from here
        on."""
        is_other = self.kpi or self.market or self.changes_view or self.updates or self.partners
        return bool(is_other or self.policies)

    @property
    def changes_view(self) -> bool:
        """Whether seats see something else from here on."""
        return self.memory is not None or self.rivals_data is not None

    @property
    def plain(self) -> Redirects:
        """The keys that are set."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def words(self) -> str:
        """What is changed, with the weights and values; empty for nothing."""
        found = []
        for key, value in self.plain.items():
            if isinstance(value, Mapping):
                found.append(f"{key} {on_one_line(value)}")
            else:
                found.append(key if value is True else f"{key} {value}")
        return ", ".join(found)


NO_REDIRECT = RedirectConfig.model_validate({})


class BreakerConfig(BaseModel):
    """A breaker."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    watch: str = Field(description="a measure of the market, a role or a seat, or a quick figure")
    low: FiniteFloat | None = Field(None, description="lower end of the band; it belongs to it")
    high: FiniteFloat | None = Field(None, description="upper end of the band; it belongs to it")
    points: Annotated[int, Field(ge=1, strict=True)] = Field(
        1, description="evaluation points outside, one after the other"
    )
    from_: Annotated[int, Field(ge=0, strict=True)] = Field(
        0, alias="from", description="the round from which on it looks; earlier points are inside"
    )
    scope: Literal["seed", "arm"] = Field(
        "seed", description="seed: each by itself; arm: the mean of all seeds, acts in all of them"
    )
    action: Literal["stop", "pause", "rollback"] = Field(
        description="what happens to the seed when it trips"
    )
    to: int | str | None = Field(
        None, description="rollback: kept states back, or r<round>; null: before the first outside"
    )
    redirect: RedirectConfig | Literal["none"] | None = Field(
        None, description="rollback: what is changed; none: it will happen again"
    )
    wait: bool = Field(
        False, description="pause: it waits to be released as long as somebody can reach the run"
    )
    times: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        None, description="rollback: how often, after which it is spent; null: once"
    )
    spent: Literal["stop", "ignore"] | None = Field(
        None, description="spent, it stops the seed that trips it again (null), or ignores it"
    )

    @field_validator("watch")
    @classmethod
    def _tags_are_names(cls, watch: str) -> str:
        return plain_name(watch)

    @property
    def band(self) -> Band:
        """Where all is well."""
        return Band(self.low, self.high)

    @property
    def changes(self) -> RedirectConfig:
        """What a rollback changes; nothing for `redirect: none`."""
        return self.redirect if isinstance(self.redirect, RedirectConfig) else NO_REDIRECT

    @property
    def most_rollbacks(self) -> int:
        """How often it may roll back."""
        return self.times or 1

    def ignores(self, rollbacks: int) -> bool:
        """Whether it judges no more, having rolled a seed back so many times."""
        return self.spent == IGNORE and rollbacks >= self.most_rollbacks

    @property
    def is_of_arm(self) -> bool:
        """Whether it judges the mean over the arm's seeds, and acts in all of them."""
        return self.scope == ARM

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        points = f" at {self.points} points one after the other" if self.points > 1 else ""
        then: str = self.action
        if self.action == ROLLBACK:
            changed = self.changes.words or "nothing: it will happen again"
            then = f"rollback (at most {self.most_rollbacks}), changed is {changed}"
            then += ", then it watches no more" if self.spent == IGNORE else ""
        since = f" from round {self.from_:,} on" if self.from_ else ""
        what, where = "", ""
        if self.is_of_arm:
            what, where = "the mean over the arm's seeds of ", ", in every seed"
        return f"{what}{self.watch} outside {self.band}{points}{since}: {then}{where}"


Breakers = dict[str, BreakerConfig]


def resolve_breakers(
    raw: Any,
    market: Market,
    kpi: kpis.KpiTable,
    train: TrainConfig | None,
    record: RecordConfig | None,
    agents: Mapping[str, BaseModel] | None = None,
    seeds: int | None = None,
    vendors: Vendors = (),
) -> Breakers:
    """The breakers of an arm, by name; one that is null is left out.

    Args:
        raw: the group `breakers` after every layer.
        market: what is played.
        kpi: what every seat is paid for.
        train: how long; None: not known, as there is a mistake in it.
        record: what is kept on the way; None likewise.
        agents: by seat; None likewise.
        seeds: how many repetitions; None likewise.
        vendors: seats that share what they learn.

    Raises:
        ConfigError: every mistake in them.
    """
    table = {name: own for name, own in as_table(raw, "breakers").items() if own is not None}
    known = names_of_readings(market, kpi) if table else []
    mistakes, found = MistakeList(), Breakers()
    for name, own in table.items():
        where = f"breakers.{name}"
        if not NAME.fullmatch(str(name)):
            mistakes.append(f"{where}: a name has letters, digits, - and _ only, at most 40.")
        with mistakes.collecting():
            values = as_table(own, where)
            mistakes += _unknown_watch(values.get("watch"), known, market.name, where)
            if not is_right(_redirect, values.get("redirect"), where):
                with mistakes.collecting():
                    _redirect(values["redirect"], where)
                values["redirect"] = NONE  # so that the search for mistakes goes on
            breaker = build(BreakerConfig, values, where)
            mistakes += [f"{where}.{line}" for line in _misfits(breaker, train, record)]
            if breaker.changes.partners:
                mistakes += _no_partners(breaker, seeds, f"{where}.redirect.partners")
            if breaker.action == ROLLBACK:
                mistakes += _unfit_updates(breaker, market, agents, f"{where}.redirect")
                unfit = unfit_for_vendors(breaker.changes, vendors)
                mistakes += [f"{where}.redirect.{line}" for line in unfit]
                after = redirected(market, kpi, breaker, where)
                mistakes += _without_effect(breaker, (market, kpi), after, where)
            found[str(name)] = breaker
    mistakes.raise_if_any()
    mistakes += _clashes(market, kpi, found)
    mistakes.raise_if_any()
    return found


def _unfit_updates(
    breaker: BreakerConfig, market: Market, agents: Mapping[str, BaseModel] | None, where: str
) -> list[str]:
    """A line if agents cannot learn as a redirect says."""
    mistakes = MistakeList()
    if agents is not None:
        with mistakes.collecting():
            with_updates(market, agents, breaker.changes.updates)
    return [f"{where}.{line}" for line in mistakes]


def _no_partners(breaker: BreakerConfig, seeds: int | None, key: str) -> Iterator[str]:
    """A line if there are no other seeds from which partners could come."""
    if not breaker.is_of_arm:
        yield f"{key}: {EXCHANGED} needs scope: arm, as partners come from its other seeds."
    elif seeds == 1:
        yield f"{key}: {EXCHANGED} needs other seeds, but seeds is 1."


def _clashes(market: Market, kpi: kpis.KpiTable, breakers: Breakers) -> Iterator[str]:
    """Redirects that do not go together, though each is right by itself: redirects add up.

    Every order in which up to MOST_ORDERED breakers can trip is tried; of more, every two of them.

    Args:
        market: as it is configured.
        kpi: likewise.
        breakers: each right by itself.
    """
    own = {name: b for name, b in breakers.items() if b.changes.market or b.changes.changes_view}
    told: list[set[str]] = []
    longest = len(own) if len(own) <= MOST_ORDERED else 2
    for count in range(2, longest + 1):
        for order in permutations(own, count):
            if any(names <= set(order) for names in told):
                continue
            at = market
            try:
                for name in order:
                    at, _ = redirected(at, kpi, own[name], f"breakers.{name}")
            except ConfigError as error:
                told.append(set(order))
                before = " and ".join(order[:-1])
                yield from (f"{line} (after the redirect of {before})" for line in error.mistakes)


def _unknown_watch(watch: Any, known: Sequence[str], market: str, where: str) -> list[str]:
    """A line if nothing of this name is read."""
    if not isinstance(watch, str) or plain_name(watch) in known:
        return []  # what is no word is told by the model
    advice = nearest(watch, known)
    return [f"{where}.watch: unknown measure or quick figure '{watch}' of {market}. {advice}"]


def _redirect(value: Any, where: str) -> None:
    """Check a redirect by itself.

    Raises:
        ConfigError: it is neither a table of known keys nor `none`.
    """
    if value is None or value == NONE:
        return
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}.redirect: must be a table of keys or none, got {value!r}.")
    build(RedirectConfig, value, f"{where}.redirect")


def _misfits(
    breaker: BreakerConfig, train: TrainConfig | None, record: RecordConfig | None
) -> Iterator[str]:
    """Keys that do not go together, each with what is wrong."""
    low, high = breaker.low, breaker.high
    if low is None and high is None:
        yield "low: missing; give low, high or both: the band in which all is well."
    elif low is not None and high is not None and low > high:
        yield f"low: must be at most high ({high:g}), got {low:g}."
    if train is not None and breaker.from_ > train.rounds:
        yield f"from: must be at most train.rounds ({train.rounds}), got {breaker.from_}."
    if breaker.wait and breaker.action != PAUSE:
        yield f"wait: is for action: pause only, not for {breaker.action}."
    if breaker.action != ROLLBACK:
        for key in ONLY_ROLLBACK:
            if getattr(breaker, key) is not None:
                yield f"{key}: is for action: rollback only, not for {breaker.action}."
        return
    if record is not None and not record.keyframe_bytes:
        yield "action: rollback needs kept states, but record.keyframe_bytes is 0."
    if breaker.redirect is None or breaker.redirect == NO_REDIRECT:
        yield (
            "redirect: missing. A rollback alone plays the same rounds again: give kpi, market, "
            "memory, rivals_data, updates, partners, policies, fresh_stream or forget; or none: it "
            "will happen again."
        )
    if isinstance(breaker.to, int) and breaker.to < 1:
        yield f"to: must be at least 1 kept state back, got {breaker.to}."
    at = round_of(breaker)
    if isinstance(breaker.to, str) and at is None:
        yield f"to: must be a number of kept states, or r<round> as in r5000, got {breaker.to!r}."
    elif at is not None and train is not None and at >= train.rounds:
        yield f"to: must be before the end of training ({train.rounds}), got {at}."


def round_of(breaker: BreakerConfig) -> int | None:
    """The round that `to` names; None where it names none."""
    match = ROUND.fullmatch(breaker.to) if isinstance(breaker.to, str) else None
    return int(match[1]) if match else None


def _without_effect(
    breaker: BreakerConfig,
    before: tuple[Market, kpis.KpiTable],
    after: tuple[Market, kpis.KpiTable],
    where: str,
) -> list[str]:
    """A line if a redirect says that it changes something, and does not."""
    same_market = before[0].config == after[0].config and not breaker.changes.changes_view
    same_kpi = kpis.kpi_hash(before[1]) == kpis.kpi_hash(after[1])
    changes = breaker.changes
    others = changes.fresh_stream or changes.forget or changes.updates or changes.partners
    if others or changes.policies or not changes.changes_objective:
        return []
    if not (same_market and same_kpi):
        return []
    return [f"{where}.redirect: changes nothing. Say none if it may happen again."]
