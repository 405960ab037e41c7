"""Random players: the same drawn bids for every way of playing the auction.

One round of one copy is one env step, whatever plays it; episodes last 100 rounds and resets count
into the time.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import supersuit
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from benchmarks.peers.plain import PlainAuction
from benchmarks.timing import Case
from tacit.envs import ad_auction_v0, rng
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

MARKET: dict[str, Any] = {"observe": "bids"}
BIDDERS, BIDS, EPISODE = 2, 19, 100
VECTOR = 8  # copies in SuperSuit's vector env
DRAWN = 32  # rounds of bids drawn for engines, played again and again


def draw(rounds: int, copies: int) -> NDArray[np.int64]:
    """Uniform bids int64 `[rounds, copies, bidders]`."""
    key = rng.seed_key(0, rng.ACTION)
    size = rounds * copies * BIDDERS
    drawn = [rng.below(key, slot, BIDS) for slot in range(size)]
    return np.array(drawn, np.int64).reshape(rounds, copies, BIDDERS)


def view() -> ParallelEnv:
    """Our view of one copy."""
    return ad_auction_v0.parallel_env(market=MARKET, episode_rounds=EPISODE)


def plain() -> ParallelEnv:
    """The hand-written yardstick."""
    return PlainAuction(BIDDERS, BIDS, episode_rounds=EPISODE)


def parallel_case(name: str, env: ParallelEnv, rounds: int) -> Case:
    """One copy through the PettingZoo interface."""
    bids = [
        dict(zip(env.possible_agents, row, strict=True)) for row in draw(rounds, 1)[:, 0].tolist()
    ]

    def play() -> int:
        env.reset(seed=0)
        for actions in bids:
            if not env.agents:
                env.reset()
            env.step(actions)
        return rounds

    return Case(name, lambda: play)


def vector(env: ParallelEnv) -> Any:
    """SuperSuit's vector env of `VECTOR` copies, all in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        single = supersuit.pettingzoo_env_to_vec_env_v1(env)
        return supersuit.concat_vec_envs_v1(single, VECTOR, num_cpus=0, base_class="gymnasium")


def vector_case(name: str, env: ParallelEnv, rounds: int) -> Case:
    """Eight copies through SuperSuit, which resets them itself."""
    copies = vector(env)
    bids = draw(rounds, VECTOR).reshape(rounds, VECTOR * BIDDERS)

    def play() -> int:
        copies.reset(seed=0)
        for actions in bids:
            copies.step(actions)
        return rounds * VECTOR

    return Case(name, lambda: play)


def check_vectors(rounds: int = 3 * EPISODE) -> None:
    """SuperSuit copies envs by pickling: both must still play the same rounds, copy by copy."""
    one, two = vector(plain()), vector(view())
    one.reset(seed=0)
    two.reset(seed=0)
    for actions in draw(rounds, VECTOR).reshape(rounds, VECTOR * BIDDERS):
        (seen, rewards, *_), (also_seen, also_rewards, *_) = one.step(actions), two.step(actions)
        if not (np.array_equal(seen, also_seen) and np.array_equal(rewards, also_rewards)):
            raise RuntimeError("the view and the plain env differ under SuperSuit")


def engine_case(name: str, copies: int, rounds: int) -> Case:
    """Many copies through `Engine.step`, with its checks."""
    engine = Engine(make_market("ad_auction", MARKET), copies=copies)
    bids = list(draw(DRAWN, copies))

    def play() -> int:
        for k in range(rounds):
            if k % EPISODE == 0:
                engine.reset()
            engine.step(bids[k % DRAWN])
        return rounds * copies

    return Case(name, lambda: play)


def loop_case(name: str, copies: int, rounds: int, step: Any = None) -> Case:
    """Only the compiled loop under `Engine.step`, or another one in its place."""
    engine = Engine(make_market("ad_auction", MARKET), copies=copies)
    step = engine.loops.step if step is None else step
    bids = list(draw(DRAWN, copies))

    def play() -> int:
        engine.reset()
        for k in range(rounds):
            engine.rows.actions[:] = bids[k % DRAWN]
            step(engine.game, engine.nature, engine.rows, 0, k, 0)
        return rounds * copies

    return Case(name, lambda: play)
