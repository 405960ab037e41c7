"""Who is examined: a policy file, a scripted rule, an example bot, or a tabulated one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, get_args

from tacit.agents.external.example_bots import BOTS, Cap
from tacit.agents.external.moved_seat import moved_table
from tacit.agents.external.policy_file import PolicyCard, check_fits, read_policy
from tacit.agents.policy import PolicyTable
from tacit.agents.scripted import Rule, Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Seat
from tacit.oversight.breakers import plain_name
from tacit.training.config.arms import Arm

Maker = Callable[[Market, str], PolicyTable]  # a market and a seat's name -> its table `[O, A]`


class LiveAgent(Protocol):
    """A bot that is no table, by indices.

    Attributes:
        unanswered: questions to which it gave no legal action.
    """

    unanswered: int

    def act(self, observation: int) -> int:
        """An action at an observation."""
        ...


@dataclass(frozen=True)
class Subject:
    """A bot that is examined.

    Attributes:
        name: as it was given.
        seat: the seat that it plays.
        table: what it does at every observation, float64 `[O, A]`; None: it is no table.
        about: where it came from, and how it was asked, line by line.
        live: makes a fresh bot that is only played; None: it is a table.
        gate: why it is no table, line by line.
    """

    name: str
    seat: str
    table: PolicyTable | None
    about: tuple[str, ...] = ()
    live: Callable[[], LiveAgent] | None = None
    gate: tuple[str, ...] = ()

    def table_of(self, market: Market, seat: str) -> PolicyTable:
        """Its table in another seat of its role, float64 `[O, A]`.

        Raises:
            ConfigError: the seat is of another role, or the bot is no table.
        """
        if self.table is None:
            raise ConfigError(f"{self.name}: is no table.")
        return self.table if seat == self.seat else moved_table(market, self.table, self.seat, seat)


def find_subject(agent: str, market: Market, seat: str | None, cap: Cap | None = None) -> Subject:
    """The bot that a command names, which is a table.

    Args:
        agent: the path of a policy file, a rule of scripted players, or an example bot.
        market: the market that is played.
        seat: its seat; None: that of the file, else the first that it can play.
        cap: the action part and its cap, for `cap_parker`.

    Raises:
        ConfigError: there is no such bot, or it fits no seat, or not this one.
    """
    names = [s.name for s in market.seats]
    if seat is not None and seat not in names:
        raise ConfigError(f"--seat: unknown '{seat}'. {nearest(seat, names)}")
    if agent.endswith(".safetensors"):
        return _from_file(Path(agent), market, seat)
    if agent in get_args(Rule):
        about = f"the scripted rule '{agent}'"
        return _first_that_fits(agent, about, market, seat, _scripted(agent))
    if agent in BOTS:
        bot = BOTS[agent]
        about = f"the example bot '{agent}'"
        return _first_that_fits(
            agent, about, market, seat, lambda m, s: bot(m, m.seat(s), cap)
        )  # fmt: skip
    raise ConfigError(f"AGENT: '{agent}' is no policy file and no scripted player.")


def found_caps(arm: Arm, seat: str | None) -> tuple[tuple[Cap, str], ...]:
    """The caps on action parts that a configuration itself sets, and where each stands.

    A KPI term that charges for a measure above a threshold sets one, and a breaker that watches a
    measure with a `high`, where the measure has the name of the part; and keys of the market, where
    its analysis says so. The lowest one comes first; equal ones are one.

    Args:
        arm: the configuration.
        seat: the seat that is examined; None: the first for which there is a cap.
    """
    for own in arm.market.seats:
        if seat in (None, own.name) and (caps := list(_caps(arm, own))):
            caps.sort(key=lambda found: found[0][1])
            distinct: dict[Cap, str] = {}
            for cap, where in caps:
                distinct.setdefault(cap, where)
            return tuple(distinct.items())
    return ()


def _caps(arm: Arm, seat: Seat) -> Iterator[tuple[Cap, str]]:
    """Every cap on an action part of a seat that some of its values exceed, and some do not."""
    parts = {p.name: p for own in seat.role.choices for p in own}
    limits = [
        (term.measure, term.threshold, f"the KPI term kpi.{owner}.{name}")
        for owner, terms in arm.kpi.items()
        for name, term in terms.items()
        if term.transform == "above" and term.weight < 0
    ]
    limits += [
        (plain_name(breaker.watch).partition("/")[0], breaker.high, f"the breaker breakers.{name}")
        for name, breaker in arm.breakers.items()
    ]
    if arm.market.analysis_class:
        limits += [
            (cap.part, cap.value, f"the key market.{cap.key}")
            for cap in arm.market.analysis.action_caps(seat.role)
        ]
    for measure, limit, where in limits:
        part = parts.get(measure)
        if part is None or limit is None or isinstance(part.values[0], str):
            continue
        if min(part.values) <= limit < max(part.values):
            yield (measure, float(limit)), where


def scripted_names() -> list[str]:
    """The names of all scripted players."""
    return [*get_args(Rule), *BOTS]


def is_known(agent: str) -> bool:
    """Whether a word names a policy file or a scripted player, which nothing has to be run for."""
    return agent.endswith(".safetensors") or agent in scripted_names()


def subject_of_table(
    name: str, market: Market, seat: str, table: PolicyTable, about: tuple[str, ...] = ()
) -> Subject:
    """A bot whose table is known, say from `tacit tabulate`.

    Args:
        name: of the bot.
        market: the market.
        seat: its seat.
        table: float64 `[O, A]`.
        about: where it came from, line by line.

    Raises:
        KeyError: no such seat.
    """
    return Subject(name, market.seat(seat).name, table, about)


def _scripted(rule: str) -> Maker:
    config = ScriptedConfig.model_validate({"rule": rule})
    return lambda market, seat: Scripted(config, market, market.seat(seat)).table()


def _first_that_fits(
    name: str, about: str, market: Market, seat: str | None, make: Maker
) -> Subject:
    """A bot in the seat that is named, or in the first that it can play."""
    mistakes: list[str] = []
    for candidate in [seat] if seat is not None else [s.name for s in market.seats]:
        try:
            return Subject(name, candidate, make(market, candidate), (about,))
        except ConfigError as error:
            mistakes += error.mistakes
    raise ConfigError(list(dict.fromkeys(mistakes)))


def _from_file(path: Path, market: Market, seat: str | None) -> Subject:
    """The bot of a policy file."""
    table, card = read_policy(path)
    names = [s.name for s in market.seats]
    chosen = seat or (card.seat if card.seat in names else names[0])
    check_fits(card, table, market, chosen, path)
    if card.seat in names and card.seat != chosen:
        table = moved_table(market, table, card.seat, chosen)
    return Subject(path.name, chosen, table, tuple(_about(card, market)))


def _about(card: PolicyCard, market: Market) -> list[str]:
    """What a card says of where its table came from."""
    lines = [f"a policy file, made for {card.seat} of {card.market}; table {card.table_hash}"]
    lines += [f"{key}: {value}" for key, value in card.origin.items()]
    if not _has_settings(market, card.market_config):
        lines.append("the market of the file has other settings than the one examined here")
    return lines


def _has_settings(market: Market, settings: Mapping[str, Any]) -> bool:
    """Whether a market has these settings; those that a file of an earlier version lacks are the
    defaults."""
    try:
        own = type(market)(dict(settings)).config
    except ConfigError:
        return False
    return bool(own == market.config)
