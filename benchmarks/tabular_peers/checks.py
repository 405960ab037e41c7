"""Whether the peers play the same game and learn by the same rule: else speed would mean nothing.

Compiled to make tacit's draws, C must end with tacit's Q values, bit for bit. With draws of their
own, C and NumPy must reach greedy prices that agree with tacit's but for luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from tacit.envs.market import Market

from . import c_code, numpy_seeds
from .games import (
    Game,
    episode_keys,
    first_observation,
    greedy_price,
    group,
    q_values,
)

ROUNDS = 100_000  # of the comparison of bits
EARLY, SESSIONS = 4_000, 256  # of the comparison of prices
WIDE = 3.3  # standard errors: two-sided .001


def check_bits(game: Game, rounds: int = ROUNDS) -> list[str]:
    """One line; it says what was compared.

    Raises:
        AssertionError: Q values differ.
    """
    if c_code.missing():
        return []
    made = game.make()
    each = group(game, made, 0, "always")
    q, seen = q_values(each), first_observation(each)
    each.run(1)
    keys, profits = episode_keys(each), kernel_profits(game, made[0])
    each.run(rounds)  # its last decision is not learned from yet, so it plays one round more
    c_code.learn(game, q, seen, rounds, keys, c_code.COUNTED, profits)
    if not np.array_equal(q, q_values(each)):
        raise AssertionError(f"{game.name}: C and tacit learn different Q values")
    return [f"{game.name}: C with tacit's draws has its Q values after {rounds:,} rounds, all bits"]


def kernel_profits(game: Game, market: Market) -> np.ndarray | None:
    """Profits of every pair of prices from the market's kernels, float64 `[A * A, 2]`.

    The formula of `peers.q_prices` has its own grid, rounded to six digits.
    """
    if game.market != "cloud_bandwidth":
        return None
    from tacit.envs.engine.engine import Engine

    actions = market.roles[0].actions
    engine = Engine(market, copies=actions**2)
    engine.reset()
    engine.step(np.indices((actions, actions)).reshape(2, -1).T)
    return np.ascontiguousarray(engine.rewards)


def check_prices(game: Game, rounds: int = EARLY, sessions: int = SESSIONS) -> list[str]:
    """Lines of mean greedy prices, in steps of the grid, after the same number of rounds.

    Raises:
        AssertionError: a peer's differs from tacit's by more than luck explains.
    """
    made = game.make()
    groups = [group(game, made, seed, "never") for seed in range(sessions)]
    first = [q_values(each) for each in groups]
    seen = [first_observation(each) for each in groups]
    for each in groups:
        each.run(rounds + 1)
    found = {"tacit": prices(game, [q_values(each) for each in groups], seen)}
    if not c_code.missing():
        copies = [q.copy() for q in first]
        for k, q in enumerate(copies):
            c_code.learn(game, q, seen[k], rounds, c_code.fast_keys(k))
        found["C"] = prices(game, copies, seen)
    many = np.stack(first, axis=1)
    numpy_seeds.learn(game, many, seen[0], rounds, 0)
    found["NumPy"] = prices(game, list(many.swapaxes(0, 1)), seen)
    own, lines = found["tacit"], []
    for name, each in found.items():
        error = sqrt((own.var() + each.var()) / sessions)
        lines.append(f"{name} {each.mean():.2f}")
        if abs(each.mean() - own.mean()) > WIDE * error:
            raise AssertionError(f"{game.name}: greedy prices of tacit and {name} differ: {lines}")
    half = 2 * own.std() / sqrt(sessions)
    told = ", ".join(lines)
    return [f"{game.name}: greedy price after {rounds:,} rounds, step: {told} (+- {half:.2f} each)"]


def prices(game: Game, q: Sequence[np.ndarray], seen: Sequence[int]) -> np.ndarray:
    """Each session's greedy price, float64 `[N]`; `q` float64 `[2, O, A]` of each."""
    return np.array([greedy_price(game, own, o) for own, o in zip(q, seen, strict=True)])
