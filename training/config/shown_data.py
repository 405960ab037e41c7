"""What seats are shown, and how they learn, after redirects: `memory`, `rivals_data`, `updates`.

    memory: off             what is of earlier rounds is shown as a constant
    rivals_data: none       what is a rival's is shown as a constant
    rivals_data: 3          what is a rival's is 3 rounds old
    updates: synchronous    Q-learners update all their actions, against their rivals' actual ones

What is of earlier rounds and what is a rival's says the market (`oversight/observed_data.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tacit.agents.tabular.config import QLearningConfig, check_synchronous
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.shown import shown_market, view_of
from tacit.oversight.observed_data import remembered_parts, rival_parts

from .mistakes import MistakeList

OFF, NOTHING, SYNCHRONOUS = "off", "none", "synchronous"
MOST_ROUNDS = 100  # that a rival's data may be old

Agents = dict[str, BaseModel]


def on_one_line(table: Mapping[str, Any]) -> str:
    """A table of settings as text: `{bidder: {price_change: 0}}`."""
    cells = (f"{k}: {on_one_line(v) if isinstance(v, Mapping) else v}" for k, v in table.items())
    return f"{{{', '.join(cells)}}}"


def as_shown(
    market: Market, memory: str | None, rivals_data: str | int | None, prefix: str = ""
) -> Market:
    """A market with what seats are shown there; what is hidden already stays hidden.

    Args:
        market: as it is.
        memory: OFF, or None: as it is.
        rivals_data: NOTHING, or how many rounds old; None: as it is.
        prefix: what messages put before a key.

    Raises:
        ConfigError: every key that has no meaning there.
    """
    if memory is None and rivals_data is None:
        return market
    view = view_of(market)
    plain, mistakes = view.market, MistakeList()
    rivals = {seat.name: rival_parts(plain, seat) for seat in plain.seats}
    hidden = {s.name: set() if view.rounds else {*view.hidden.get(s.name, ())} for s in plain.seats}
    if memory == OFF:
        remembered = {seat.name: remembered_parts(plain, seat) for seat in plain.seats}
        if not any(remembered.values()):
            mistakes.append(
                f"{prefix}memory: seats see nothing of earlier rounds in {plain.name}, as it is "
                "set here."
            )
        hidden = {name: parts | set(remembered[name]) for name, parts in hidden.items()}
    if rivals_data is not None and not any(rivals.values()):
        mistakes.append(
            f"{prefix}rivals_data: {plain.name} declares nothing that seats see as a rival's."
        )
    mistakes.raise_if_any()
    if rivals_data == NOTHING:
        hidden = {name: parts | set(rivals[name]) for name, parts in hidden.items()}
    if isinstance(rivals_data, int):
        if any(hidden.values()):
            raise ConfigError(
                f"{prefix}rivals_data: what is hidden, already or by memory: off, is not older."
            )
        return _older(plain, rivals, rivals_data, f"{prefix}rivals_data")
    return shown_market(plain, hidden)


def _older(
    market: Market, rivals: Mapping[str, Mapping[str, int]], rounds: int, key: str
) -> Market:
    """A market in which what seats see of rivals is so many rounds old.

    Args:
        market: as it is.
        rivals: names of parts, and how old they are, by seat.
        rounds: how old the youngest of them is to be.
        key: what messages begin with.
    """
    now = min(age for parts in rivals.values() for age in parts.values())
    if not now < rounds <= MOST_ROUNDS:
        raise ConfigError(
            f"{key}: must be none, or more rounds than the {now} that rivals' data are old, "
            f"at most {MOST_ROUNDS}, got {rounds}."
        )
    try:
        return shown_market(market, rivals, rounds - now)
    except ConfigError as error:
        raise ConfigError([f"{key}: {line}" for line in error.mistakes]) from None


def with_updates(market: Market, agents: Mapping[str, BaseModel], updates: str | None) -> Agents:
    """The agents of all seats, where Q-learners make synchronous updates.

    Args:
        market: that they play.
        agents: by seat.
        updates: SYNCHRONOUS, or None: as they are.

    Raises:
        ConfigError: no seat learns so that it could, or all do already; a market of several phases.
    """
    if updates is None:
        return dict(agents)
    able = {
        seat: config
        for seat, config in agents.items()
        if isinstance(config, QLearningConfig) and config.update != SYNCHRONOUS
    }
    if not able:
        kinds = ", ".join(dict.fromkeys(str(vars(c).get("name")) for c in agents.values()))
        raise ConfigError(
            f"updates: is for q_learning that updates the action taken; agents are {kinds} here, "
            "or do it already."
        )
    after: dict[str, Any] = dict(agents)
    for seat, config in able.items():
        after[seat] = config.model_copy(update={"update": SYNCHRONOUS})
    try:
        check_synchronous(market, after)
    except ConfigError:
        phases = ", ".join(market.phases)
        raise ConfigError(
            f"updates: synchronous needs a market of one phase; {market.name} has {phases} here."
        ) from None
    return after
