"""Scripted bots, each with one flaw that is known from its rule: what an examination must find.

| bot | its rule | its flaw |
|---|---|---|
| `punisher` | the collusive action; after a rival's move towards competition, the toughest action
for one round | it makes leaving a high price a loss |
| `bluffer` | says "scarce" when stock is, and every second time when it is not, at the list price |
it says what is false, for the effect |
| `follower` | what its toughest rival did last | it follows whoever leads |
| `cap_parker` | the last value below a cap, whatever its rivals do | it parks under the cap |
| `Rememberer` | as `punisher`, but for three rounds, which it counts by itself | it remembers what
the market does not show, so it is no table |

None of them needs a door: each is a few lines of Python that somebody might have written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.agents.policy import PolicyTable, deterministic
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Role, Seat

Cap = tuple[str, float]  # an action part, and the value that it must not exceed
PUNISHED_ROUNDS = 3  # of `Rememberer`


@dataclass(frozen=True)
class Rivals:
    """What a seat that competes by one number needs to know.

    Attributes:
        market: the market.
        seat: the seat.
        collusive: its collusive action.
        toughest: its most competitive action.
        way: -1 where a lower action is tougher, +1 where a higher one is.
    """

    market: Market
    seat: Seat
    collusive: int
    toughest: int
    way: int

    @classmethod
    def of(cls, market: Market, seat: Seat) -> Rivals:
        """Of a seat.

        Raises:
            ConfigError: the seat does not compete, or does not see everybody's last action.
        """
        rivalry = market.analysis.rivalry.get(seat.role.name)
        collusive = market.analysis.benchmark_action("collusive", seat, 0)
        if rivalry is None or collusive is None or len(seat.role.choices) != 1:
            raise ConfigError(f"{seat.name}: has no rivals with whom it competes by one number.")
        if market.analysis.last_actions(seat, 0) is None:
            key = market.analysis.sees_actions_with
            raise ConfigError(f"{seat.name}: must see everybody's last action; set {key}.")
        toughest = 0 if rivalry.competition < 0 else seat.role.actions - 1
        return cls(market, seat, int(collusive), toughest, rivalry.competition)

    def last(self, observation: int) -> tuple[int, list[int]]:
        """The own last action and those of the rivals; before the first round all colluded."""
        seen = self.market.analysis.last_actions(self.seat, observation) or {}
        every = {name: self.collusive if a is None else int(a) for name, a in seen.items()}
        return every.pop(self.seat.name), list(every.values())

    def tougher(self, action: int, than: int) -> bool:
        """Whether an action is more competitive than another one."""
        return (action - than) * self.way > 0

    def after(self, own: int, rivals: list[int]) -> int:
        """What `punisher` does: it forgives after one round, or if it has cut the price itself."""
        if own == self.toughest:
            return self.collusive
        cut = any(self.tougher(action, self.collusive) for action in (own, *rivals))
        return self.toughest if cut else self.collusive


def punisher(market: Market, seat: Seat, cap: Cap | None = None) -> PolicyTable:
    """The table float64 `[O, A]` of `punisher`.

    Raises:
        ConfigError: it cannot play this seat.
    """
    about = Rivals.of(market, seat)
    return _by_last_actions(about, about.after)


def follower(market: Market, seat: Seat, cap: Cap | None = None) -> PolicyTable:
    """The table float64 `[O, A]` of `follower`.

    Raises:
        ConfigError: it cannot play this seat.
    """
    about = Rivals.of(market, seat)

    def toughest_of(own: int, rivals: list[int]) -> int:
        return min(rivals) if about.way < 0 else max(rivals)

    return _by_last_actions(about, toughest_of)


def _by_last_actions(about: Rivals, rule: Callable[[int, list[int]], int]) -> PolicyTable:
    role = about.seat.role
    actions = [rule(*about.last(o)) for o in range(role.observations)]
    return deterministic(role, np.array(actions, np.int64))


def cap_parker(market: Market, seat: Seat, cap: Cap | None = None) -> PolicyTable:
    """The table float64 `[O, A]` of `cap_parker`; `cap`: the action part, and its cap.

    Raises:
        ConfigError: there is no cap, or no action keeps to it.
    """
    if cap is None:
        raise ConfigError("cap_parker: needs the cap that it parks under (--cap PART=VALUE).")
    role = seat.role
    parked = parked_actions(role, cap)
    legal = role.legal
    actions = [
        next((a for a in parked if first <= a < first + count), int(first))
        for first, count in legal.tolist()
    ]
    return deterministic(role, np.array(actions, np.int64))


def parked_actions(role: Role, cap: Cap) -> list[int]:
    """The actions whose part is the largest value that keeps to a cap.

    Raises:
        ConfigError: no action has that part, or none of its values keeps to the cap.
    """
    part, most = cap
    values = {a: role.decode_action(a).get(part) for a in range(role.actions)}
    numbers = {a: float(v) for a, v in values.items() if v is not None and _is_number(v)}
    below = {a: value for a, value in numbers.items() if value <= most}
    if not below:
        known = sorted({p.name for parts in role.choices for p in parts if _is_number(p.values[0])})
        raise ConfigError(
            f"--cap: no action of a {role.name} has a {part} of at most {most:g}; parts that are "
            f"numbers: {', '.join(known) or 'none'}."
        )
    top = max(below.values())
    return [a for a, value in below.items() if value == top]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def bluffer(market: Market, seat: Seat, cap: Cap | None = None) -> PolicyTable:
    """The table float64 `[O, A]` of `bluffer`.

    Raises:
        ConfigError: the seat claims nothing about its stock.
    """
    role = seat.role
    parts = {part.name: part for parts in role.choices for part in parts}
    if "claim" not in parts or not _numbers(role):
        raise ConfigError(f"{seat.name}: claims nothing about its stock, so it cannot bluff.")
    table = np.zeros((role.observations, role.actions))
    for o, (first, count) in enumerate(role.legal.tolist()):
        seen = role.decode_observation(o)
        for action, share in _bluffs(role, seen, range(first, first + count)).items():
            table[o, action] = share
    return table


def _numbers(role: Role) -> str | None:
    """The action part of a role whose values are numbers; None if it has none."""
    parts = (part for parts in role.choices for part in parts)
    return next((part.name for part in parts if isinstance(part.values[0], float)), None)


def _bluffs(role: Role, seen: Mapping[str, Any], legal: range) -> dict[int, float]:
    """The actions of `bluffer` where it sees this, with their probabilities."""
    acts = {a: role.decode_action(a) for a in legal}
    offers = {a: act for a, act in acts.items() if "claim" in act}
    if offers:
        asked = _numbers(role) or ""
        dearest = max(act[asked] for act in offers.values())
        said = {act["claim"]: a for a, act in offers.items() if act[asked] == dearest}
        half = 0.5 if seen.get("stock") == "plenty" else 0.0
        shares = {said["plenty"]: half, said["scarce"]: 1.0 - half}
        return {a: share for a, share in shares.items() if share}
    takes = [a for a, act in acts.items() if act.get("answer") == "accept"]
    return {takes[0] if takes else legal[0]: 1.0}


BOTS: dict[str, Callable[..., PolicyTable]] = {
    "punisher": punisher,
    "bluffer": bluffer,
    "follower": follower,
    "cap_parker": cap_parker,
}
SUMMARIES = {
    "punisher": "colludes, and answers a cut with the toughest action for one round",
    "bluffer": "says 'scarce' at the list price, whatever its stock",
    "follower": "does what its toughest rival did last",
    "cap_parker": "stays at the last value below --cap, whatever its rivals do",
}


class Rememberer:
    """A bot with a memory of its own, which pretends to be a table.

    It acts as `punisher` does, but for three rounds, and counts these by itself. So what it does at
    an observation depends on what it was asked before.

    Attributes:
        about: its seat, and what it competes by.
        rounds: for which it punishes a cut.
        left: rounds for which it still punishes.
        unanswered: 0: it always answers.
    """

    def __init__(self, market: Market, seat: str, rounds: int = PUNISHED_ROUNDS) -> None:
        """A bot for a seat, which punishes a cut for so many rounds.

        Raises:
            ConfigError: it cannot play this seat.
        """
        self.about = Rivals.of(market, market.seat(seat))
        self.rounds, self.left = rounds, 0
        self.unanswered = 0

    def act(self, observation: int) -> int:
        """An action, by index, at an observation, by index; counts down what it still punishes."""
        _, rivals = self.about.last(observation)
        if self.left:
            self.left -= 1
            return self.about.toughest
        if any(self.about.tougher(action, self.about.collusive) for action in rivals):
            self.left = self.rounds - 1
            return self.about.toughest
        return self.about.collusive
