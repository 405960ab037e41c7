"""A prior as the policy table of a seat.

Rows about which it says nothing, and parts of actions about which it says nothing, are uniform.
With `smoothing` e every row becomes (1 - e) prior + e uniform over the legal actions, so that no
legal action is without mass: a learner that is anchored to the table needs that, since the
Kullback-Leibler divergence from a row with zeros is infinite for whoever plays an action there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tacit.agents.policy import PolicyTable, deterministic, mask, uniform
from tacit.envs.analysis import PriorKeys
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Role
from tacit.envs.registry import MARKETS

from .prior_file import PriorFile

NO_CHOICE, FIGURE, ASSUMPTION, NO_DATA = range(4)  # what a row rests on


@dataclass(frozen=True, eq=False)
class PriorTable:
    """A prior in one seat of a market.

    Attributes:
        role: the seat's role.
        table: action probabilities, float64 `[O, A]`.
        rows: what each row rests on, int8 `[O]`: NO_CHOICE (one legal action), FIGURE, ASSUMPTION
            or NO_DATA (uniform).
        without_data: parts of actions about which the prior says nothing, so that they are uniform.
        smoothing: the share of each row that is uniform.
    """

    role: Role
    table: PolicyTable
    rows: NDArray[np.int8]
    without_data: tuple[str, ...]
    smoothing: float

    @property
    def zeros(self) -> int:
        """How many legal actions have no mass."""
        return int(np.sum(mask(self.role) & (self.table <= 0)))

    def summary(self) -> str:
        """In words: on what its rows rest."""
        kinds = ((FIGURE, "from figures"), (ASSUMPTION, "assumed"), (NO_DATA, "no data: uniform"))
        counts = [f"{int(np.sum(self.rows == kind)):,} {name}" for kind, name in kinds]
        text = f"rows with a choice: {', '.join(counts)}"
        if self.without_data:
            text += f"; parts without data, uniform: {', '.join(self.without_data)}"
        return text


def prior_table(
    prior: PriorFile, market: Market, seat: str, smoothing: float = 0.0, where: str = "prior"
) -> PriorTable:
    """What a prior does in a seat.

    Args:
        prior: of the seat's role in this market.
        market: the market with its config.
        seat: the seat's name.
        smoothing: the share of each row that is uniform, 0 .. 1.
        where: names the prior in messages.

    Raises:
        ConfigError: the prior is for another market or role, or lacks what the market asks for.
    """
    _check_market(prior, market, where)
    names = [s.name for s in market.seats]
    if seat not in names:
        raise ConfigError(f"{where}: {market.name} has no seat '{seat}'. {nearest(seat, names)}")
    own = market.seat(seat)
    role = own.role
    keys = _checked_keys(prior, market, role, where)
    numbers = prior.numbers(keys.words)
    even = uniform(role)
    table = deterministic(role, role.legal[:, 0].astype(np.int64))
    rows = np.full(role.observations, NO_CHOICE, np.int8)
    without: dict[str, None] = {}
    for o in np.flatnonzero(role.legal[:, 1] > 1):
        row = market.analysis.prior_row(numbers, own, int(o))
        rows[o] = NO_DATA
        table[o] = even[o]
        if row.probabilities:
            rows[o] = FIGURE if row.from_data else ASSUMPTION
            table[o] = 0.0
            for action, probability in row.probabilities.items():
                table[o, action] += probability
            without |= dict.fromkeys(row.without_data)
    if smoothing > 0:
        table = (1.0 - smoothing) * table + smoothing * even
    return PriorTable(role, table, rows, tuple(without), smoothing)


def full_support(found: PriorTable, where: str) -> None:
    """Refuse a prior without mass where a learner may act.

    Raises:
        ConfigError: a legal action has probability 0; names the first, and the remedy.
    """
    lacking = np.argwhere(mask(found.role) & (found.table <= 0))
    if len(lacking):
        o, a = (int(k) for k in lacking[0])
        raise ConfigError(
            f"{where}: {len(lacking):,} legal actions of a {found.role.name} have no mass, the "
            f"first at {found.role.decode_observation(o)}: {found.role.decode_action(a)}. A "
            "learner that plays one is infinitely far from it; give the prior `smoothing`, such as "
            "0.01."
        )


# --- checking -------------------------------------------------------------------------------------


def _check_market(prior: PriorFile, market: Market, where: str) -> None:
    """Whether a prior is for this market.

    Raises:
        ConfigError: it is for another one.
    """
    if prior.market != market.name:
        advice = "" if prior.market in MARKETS else f" {nearest(prior.market, MARKETS)}"
        raise ConfigError(
            f"{where}: is a prior for the market {prior.market}, not for {market.name}.{advice}"
        )


def _checked_keys(prior: PriorFile, market: Market, role: Role, where: str) -> PriorKeys:
    """What the market asks of a prior of this role.

    Raises:
        ConfigError: it is for another role, or does not give what the market asks for.
    """
    if prior.role != role.name:
        raise ConfigError(f"{where}: is a prior for a {prior.role}, not for a {role.name}.")
    if market.analysis_class is None or role.name not in market.analysis.prior_keys:
        raise ConfigError(
            f"{where}: {market.name} does not say what a prior of a {role.name} does."
        )
    keys = market.analysis.prior_keys[role.name]
    if mistakes := [*_mistakes(prior, keys)]:
        raise ConfigError([f"{where}: {line}" for line in mistakes])
    return keys


def _mistakes(prior: PriorFile, keys: PriorKeys) -> Iterator[str]:
    """What a prior lacks, and what it has too much."""
    known = {**keys.figures, **keys.optional}
    for name in keys.figures:
        if name not in prior.figures:
            yield f"figures.{name}: missing: {keys.figures[name]}."
    for name in prior.figures:
        if name not in known:
            yield f"figures.{name}: unknown figure. {nearest(name, known)}"
    for name, word in prior.assumptions.items():
        if name not in keys.words:
            yield f"assumptions.{name}: unknown. {nearest(name, keys.words)}"
        elif word not in keys.words[name]:
            choice = ", ".join(keys.words[name])
            yield f"assumptions.{name}: must be one of {choice}, got {word!r}."
    if keys.acceptance != bool(prior.acceptance):
        what = "missing: rates by share of the surplus" if keys.acceptance else "not used here"
        yield f"acceptance: {what}."
