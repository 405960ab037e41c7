"""The same games in NumPy, all seeds side by side: the strongest form that Python alone allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.q_prices import payoffs

from .games import Game


def learn(game: Game, q: NDArray[np.float64], observation: int, rounds: int, seed: int) -> None:
    """So many rounds of N sessions, which move `q` `[2, N, O, A]`.

    Args:
        game: the game.
        q: both seats' Q values in every session.
        observation: what all see first.
        rounds: how many.
        seed: of the generator.
    """
    luck = np.random.default_rng(seed)  # noqa: TID251 (as one writes it without tacit)
    agent = game.agent
    _, sessions, _, actions = q.shape
    each, seat = np.arange(sessions), np.arange(2)[:, None]
    pricing, mix, weight = game.market == "cloud_bandwidth", game.mix, game.weight or 0.0
    profits, grid = payoffs(), np.arange(1, 20) / 20
    seen = np.full(sessions, observation)
    last = np.full(sessions, np.nan)
    best, top = q.argmax(axis=3), q.max(axis=3)  # kept: one search a round, not two
    for t in range(rounds):
        epsilon = np.exp(-agent.epsilon_decay * t)
        draw = luck.random((2, sessions))
        tried = np.minimum((draw / epsilon * actions).astype(np.int64), actions - 1)
        did = np.where(draw < epsilon, tried, best[seat, each, seen])
        if pricing:
            rewards = profits[:, did[0], did[1]]
            now = did[0] * actions + did[1]
        else:
            tied = luck.random(sessions) >= 0.5
            second = np.where(did[0] == did[1], tied, did[1] > did[0])
            step = did.max(axis=0) if mix else did.min(axis=0)
            paid = grid[step]
            change = np.nan_to_num(np.abs(paid - last))
            won = np.stack([~second, second])
            rewards = won * (1.0 - paid) + weight * change
            now, last = (step + 1 if game.sees else seen), paid
        target = rewards + agent.discount * top[seat, each, now]
        old = q[seat, each, seen, did]
        q[seat, each, seen, did] = old + agent.learning_rate * (target - old)
        moved = q[seat, each, seen]
        best[seat, each, seen] = found = moved.argmax(axis=2)
        top[seat, each, seen] = moved[seat, each, found]
        seen = now
