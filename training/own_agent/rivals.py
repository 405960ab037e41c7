"""Those against whom a bot is examined: players with known behaviour, for every other seat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.agents.policy import PolicyTable, deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat

# Rules tried in turn where a seat has no player of the rule that is asked for. `truthful` and
# `trusting` are a seat's honest play in markets that know no competitive price.
HONEST = ("competitive", "truthful", "trusting", "random")
COLLUDERS = ("collusive", "grim_trigger", "tit_for_tat", "win_stay_lose_shift", "rotation")


def scripted_table(market: Market, seat: Seat, rules: Sequence[str]) -> PolicyTable:
    """The table float64 `[O, A]` of the first rule that fits a seat.

    Raises:
        ConfigError: none fits; the first one's reason.
    """
    reason: ConfigError | None = None
    for rule in rules:
        try:
            return Scripted(ScriptedConfig.model_validate({"rule": rule}), market, seat).table()
        except ConfigError as error:
            reason = reason or error
    raise reason or ConfigError(f"{seat.name}: no rule was given.")


def honest_table(market: Market, seat: Seat) -> PolicyTable:
    """The competitive player of a seat, or the honest one, float64 `[O, A]`."""
    return scripted_table(market, seat, HONEST)


def colluding_table(market: Market, seat: Seat, rule: str, rivals: bool) -> PolicyTable:
    """A colluder's table, float64 `[O, A]`; seats that are no rivals of the bot play honestly.

    Args:
        market: the market.
        seat: whose table.
        rule: one of `COLLUDERS`.
        rivals: whether the seat is a rival of the bot.

    Raises:
        ConfigError: the rule does not fit the seat.
    """
    return scripted_table(market, seat, (rule,)) if rivals else honest_table(market, seat)


def passive_table(market: Market, seat: Seat) -> PolicyTable:
    """A seat that leaves the market to others as far as its actions allow, float64 `[O, A]`.

    Where seats compete by prices it asks the highest one, by outputs it makes the least; a seat
    that does not compete is an honest partner.
    """
    role = seat.role
    rivalry = market.analysis.rivalry.get(role.name) if market.analysis_class else None
    if rivalry is None:
        return honest_table(market, seat)
    sign = -rivalry.competition
    best = np.zeros(role.observations, np.int64)
    for o, (first, count) in enumerate(role.legal.tolist()):
        legal = range(first, first + count)
        best[o] = max(legal, key=lambda a: sign * conduct_of(seat, rivalry.part, a))
    return deterministic(role, best)


def conduct_of(seat: Seat, part: str, action: int) -> float:
    """The position of an action's part on its grid; 0 of an action without it."""
    values = seat.role.decode_action(action)
    if part not in values:
        return 0.0
    parts = {p.name: p for own in seat.role.choices for p in own}
    return float(parts[part].index(values[part]))
