"""Scripted players: policies with known behaviour, the yardsticks of learners and probes.

| rule | plays | source |
|---|---|---|
| `competitive`, `collusive` | the market's benchmark action, always | the market's benchmarks |
| `random` | every legal action equally likely | |
| `grim_trigger` | collusive while everybody's last action was; competitive for good after one
deviation | Friedman, Review of Economic Studies 38(1), 1971 |
| `tit_for_tat` | collusive unless a rival's last action was not | Axelrod, The Evolution of
Cooperation, 1984 |
| `win_stay_lose_shift` | collusive if all did the same last round, else competitive | Nowak,
Sigmund, Nature 364, 1993 |
| `truthful` | claims what is true, asks for its value | the market's own rule |
| `always_bluff` | claims what would pay if believed, whatever is true | the market's own rule |
| `trusting` | believes every claim, and takes the best offer | the market's own rule |
| `rotation` | the seat after the last winner takes the next sale, the others stay out | McAfee,
McMillan, AER 82(3), 1992 |

Grim trigger, tit-for-tat, win-stay and rotation need observations that show everybody's last
action; the market's analysis names the key that makes them so (`sees_actions_with`). A missing
first round counts as collusive. As a table has no memory of its own, `grim_trigger` is its
one-round form: after a deviation all play competitively, which is itself not collusive, so
collusion never returns.
"""

from __future__ import annotations

import threading
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat

from .policy import (
    PolicyTable,
    deterministic,
    mask,
    uniform,
)

Rule = Literal[
    "competitive",
    "collusive",
    "grim_trigger",
    "tit_for_tat",
    "win_stay_lose_shift",
    "rotation",
    "truthful",
    "always_bluff",
    "trusting",
    "random",
]
# Rules that only a market can spell out; it may have none of them.
OWN_RULES = ("truthful", "always_bluff", "trusting")
# Rules that depend on last round's actions.
REMEMBERS = ("grim_trigger", "tit_for_tat", "win_stay_lose_shift", "rotation")


class ScriptedConfig(BaseModel):
    """Keys of a scripted player."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["scripted"] = "scripted"
    rule: Rule = Field("competitive", description="how it plays")


# Seeds of a run are threads of one process, and each asks for the tables of its market's seats,
# after its training once more.
MOST_KEPT = 2**20  # numbers of a table that is kept
_TABLES: WeakKeyDictionary[Market, dict[tuple[str, int], PolicyTable]] = WeakKeyDictionary()
_FINDING = threading.RLock()


class Scripted:
    """A scripted `Policy` for one seat of a market.

    Attributes:
        config: its rule.
        market: the market that it plays.
        seat: the seat that it plays.
    """

    def __init__(self, config: ScriptedConfig, market: Market, seat: Seat) -> None:
        """Check whether the rule fits the seat; the table is made when it is asked for.

        Raises:
            ConfigError: it does not.
        """
        self.config, self.market, self.seat = config, market, seat
        choices = np.flatnonzero(seat.role.legal[:, 1] > 1)
        if config.rule != "random" and choices.size:
            # One observation is enough to find out, and a table can have millions of rows.
            self._actions(config.rule, int(choices[0]))

    def table(self) -> PolicyTable:
        """Action probabilities, float64 `[O, A]`.

        Raises:
            ConfigError: the rule does not fit the seat at some observation.
            ValueError: the market's own rule does what is illegal.
        """
        if self.seat.role.observations * self.seat.role.actions > MOST_KEPT:
            return self._table()
        with _FINDING:
            known = _TABLES.setdefault(self.market, {})
            key = self.config.rule, self.seat.index
            if key not in known:
                known[key] = self._table()
            return known[key].copy()

    def _table(self) -> PolicyTable:
        """`table`, made anew."""
        rule, role = self.config.rule, self.seat.role
        if rule == "random":
            return uniform(role)
        table = deterministic(role, role.legal[:, 0].astype(np.int64))
        for o in np.flatnonzero(role.legal[:, 1] > 1):
            actions = self._actions(rule, int(o))
            table[o] = 0.0
            table[o, list(actions)] = 1.0 / len(actions)
        if np.any(table[~mask(role)]):
            raise ValueError(f"{self.market.name}: rule {rule} does what is illegal")
        return table

    def _actions(self, rule: str, observation: int) -> tuple[int, ...]:
        """The rule's actions at an observation: one, or several that are equally likely.

        Raises:
            ConfigError: the market has no such rule for this seat.
        """
        own = self.market.analysis.scripted_actions(rule, self.seat, observation)
        if own or rule not in OWN_RULES:
            return own or (self._action(rule, observation),)
        raise ConfigError(
            f"agents.{self.seat.name}.rule: {self.market.name} has no rule '{rule}' for a "
            f"{self.seat.role.name}."
        )

    def _benchmark(self, name: str, observation: int) -> int:
        """The action of the market's benchmark of this name.

        Raises:
            ConfigError: the market has none for this seat.
        """
        action = self.market.analysis.benchmark_action(name, self.seat, observation)
        if action is None:
            others = "'random' fits" if name == "competitive" else "'competitive' and 'random' fit"
            raise ConfigError(
                f"agents.{self.seat.name}.rule: {self.market.name} has no {name} action for a "
                f"{self.seat.role.name} here; {others} every seat."
            )
        return int(action)

    def _action(self, rule: str, observation: int) -> int:
        """The action of a rule made of benchmarks and last round's actions.

        Raises:
            ConfigError: the seat does not see what the rule needs.
        """
        if rule in ("competitive", "collusive"):
            return self._benchmark(rule, observation)
        last = self.market.analysis.last_actions(self.seat, observation)
        if last is None:
            raise ConfigError(
                f"agents.{self.seat.name}.rule: {rule} needs to see everybody's last action; "
                f"set {self.market.analysis.sees_actions_with}."
            )
        return self._remembering(rule, last, observation)

    def _remembering(self, rule: str, last: dict[str, Any], observation: int) -> int:
        """The action of a rule in REMEMBERS; `last` has each seat's last action (None: first)."""
        collusive = self._benchmark("collusive", observation)
        if rule == "rotation":
            return self._rotation(last, collusive, self._benchmark("rotation", observation))
        competitive = self._benchmark("competitive", observation)
        first_round = None in last.values()
        if rule == "win_stay_lose_shift":
            return collusive if first_round or len(set(last.values())) == 1 else competitive
        if rule == "grim_trigger":
            relevant = list(last.values())
        else:  # tit for tat does not answer to its own last action
            relevant = [action for name, action in last.items() if name != self.seat.name]
        agreed = first_round or all(action == collusive for action in relevant)
        return collusive if agreed else competitive

    def _rotation(self, last: dict[str, Any], collusive: int, taking: int) -> int:
        """`taking` in this seat's turn: the one after last round's only winner, else seat 0's."""
        names = list(last)
        winners = [k for k, name in enumerate(names) if last[name] == taking]
        turn = (winners[0] + 1) % len(names) if len(winners) == 1 else 0
        return taking if names[turn] == self.seat.name else collusive
