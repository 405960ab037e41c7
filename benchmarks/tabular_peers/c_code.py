"""Compiling and calling `q_learning.c`, the same games in plain C."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.q_prices import payoffs

from .games import Game

SOURCE = Path(__file__).with_name("q_learning.c")
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
FAST: tuple[str, ...] = ()
COUNTED = ("-DCOUNTED_DRAWS", "-ffp-contract=off")  # tacit's draws; no sum fused with a product
ROW = 3  # words of a `Row`


@cache
def missing() -> str:
    """Why there is no C here; empty: there is."""
    if not shutil.which("gcc"):
        return "gcc is not installed"
    try:
        library(FAST)
    except subprocess.CalledProcessError as error:
        return f"gcc compiles nothing here: {(error.stderr.splitlines() or [error])[0]}"
    return ""


@cache
def library(flags: tuple[str, ...]) -> ctypes.CDLL:
    """The compiled source, in a temporary folder that goes at once: it is loaded by then."""
    whole, real, at = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "q_learning.so"
        subprocess.run(["gcc", *FLAGS, *flags, str(SOURCE), "-o", str(target), "-lm"], check=True)
        loaded = ctypes.CDLL(str(target))
    loaded.pricing.restype = loaded.auction.restype = whole
    loaded.pricing.argtypes = [whole, at, at, at, *[whole] * 3, *[real] * 3, at]
    loaded.auction.argtypes = [whole, *[at] * 3, *[whole] * 2, real, real, whole, *[real] * 3, at]
    return loaded


@cache
def _tables(market: str) -> NDArray[np.float64]:
    """Profits of every pair of prices `[A * A, 2]`, or the grid of bids `[A]`."""
    if market == "cloud_bandwidth":
        return np.ascontiguousarray(payoffs().reshape(2, -1).T)
    return np.arange(1, 20) / 20


def learn(
    game: Game,
    q: NDArray[np.float64],
    observation: int,
    rounds: int,
    keys: NDArray[np.uint64],
    flags: tuple[str, ...] = FAST,
    profits: NDArray[np.float64] | None = None,
) -> int:
    """A session from round 0 of an episode on; returns the rounds played.

    Args:
        game: the game.
        q: both seats' Q values `[2, O, A]`, which are moved.
        observation: what both see first.
        rounds: at most so many.
        keys: where the draws begin: of both seats and nature, uint64 `[3]`.
        flags: FAST or COUNTED.
        profits: of every pair of prices `[A * A, 2]`, where not those of `peers.q_prices`.
    """
    agent, actions, c = game.agent, q.shape[2], library(flags)
    rows, table = (
        np.zeros((2 * q.shape[1], ROW)),
        _tables(game.market) if profits is None else profits,
    )
    seed = np.array([*keys, 0], np.uint64)
    rates = agent.learning_rate, agent.discount, agent.epsilon_decay
    pointers = q.ctypes.data, table.ctypes.data, rows.ctypes.data
    if game.market == "cloud_bandwidth":
        stop = agent.stop_after or 0
        played = c.pricing(actions, *pointers, observation, rounds, stop, *rates, seed.ctypes.data)
    else:
        weight = game.weight or 0.0
        last = observation - 1 if game.sees else -1
        played = c.auction(
            actions, *pointers, last, rounds, game.mix, weight, game.sees, *rates, seed.ctypes.data
        )
    return int(played)


def fast_keys(seed: int) -> NDArray[np.uint64]:
    """Where the cheap draws of a session begin, uint64 `[3]`."""
    return np.random.SeedSequence(seed).generate_state(3, np.uint64)  # noqa: TID251
