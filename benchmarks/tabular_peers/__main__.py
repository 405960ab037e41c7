"""Speed of tabular learning: sessions in tacit, in plain C, and in NumPy over many seeds.

    python -m benchmarks.tabular_peers             # prints the table and writes tabular_peers.md
    python -m benchmarks.tabular_peers --quick     # three repeats; writes nothing
    python -m benchmarks.tabular_peers --games pricing seen_1   # only these; writes nothing

All take turns on one core, in one process; a session is one seed's whole training. tacit reports
all measures of all rounds, C and NumPy none. Nothing here needs more than `pip install tacit`; C
needs gcc and is left out without it.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.timing import Case, Figure, Target, Work, race, table

from . import c_code, numpy_seeds
from .checks import check_bits, check_prices
from .games import GAMES, Game, LookUp, first_observation, group, q_values

COMMAND = "python -m benchmarks.tabular_peers"
RESULT = Path(__file__).with_name("tabular_peers.md")
TARGETS = {"pricing": 1 / 1.6}  # of plain C; of auctions:
TARGET = 1 / 2
KERNEL_ROUNDS = 300_000
SEEDS, SEED_ROUNDS = 1_024, 1_000  # of NumPy
UNIT = "M rounds/s"


def tacit_case(name: str, game: Game, look_up: LookUp) -> Case:
    """A session of another seed in every repeat. The first one, not counted, makes the table."""
    made, seeds = game.make(), count()
    rounds = game.rounds if look_up == "always" else KERNEL_ROUNDS

    def prepare() -> Work:
        each = group(game, made, next(seeds), look_up)
        return lambda: each.run(rounds)

    return Case(name, prepare)


def c_case(name: str, game: Game) -> Case:
    """The same in C, from the same first Q values."""
    made, seeds = game.make(), count()

    def prepare() -> Work:
        seed = next(seeds)
        each = group(game, made, seed, "never")
        q, seen, keys = q_values(each), first_observation(each), c_code.fast_keys(seed)
        return lambda: c_code.learn(game, q, seen, game.rounds, keys)

    return Case(name, prepare)


def numpy_case(name: str, game: Game) -> Case:
    """The first rounds of many sessions side by side; rounds of all sessions are counted."""
    made = game.make()

    def prepare() -> Work:
        each = group(game, made, 0, "never")
        q = q_values(each)[:, None].repeat(SEEDS, axis=1)

        def play() -> int:
            numpy_seeds.learn(game, q, first_observation(each), SEED_ROUNDS, 0)
            return SEEDS * SEED_ROUNDS

        return play

    return Case(name, prepare)


def speeds(game: Game, repeats: int) -> list[Figure]:
    """One game's lines of the table."""
    looked, played, plain, many = (
        f"{game.name}, {how}" for how in ("looked up", "kernels", "plain C", "NumPy, 1,024 seeds")
    )
    cases = [tacit_case(looked, game, "always"), tacit_case(played, game, "never")]
    cases += [] if c_code.missing() else [c_case(plain, game)]
    cases += [numpy_case(many, game)]
    found = {name: [x / 1e6 for x in xs] for name, xs in race(cases, repeats).items()}
    peers = found.get(plain, [])
    target = Target(TARGETS.get(game.name, TARGET), ratio=True) if peers else None
    return [
        Figure(looked, found[looked], UNIT, 1, "plain C" if peers else "", peers, target),
        *([Figure(plain, peers, UNIT, 1)] if peers else []),
        Figure(played, found[played], UNIT, 1, "looked up", found[looked]),
        Figure(many, found[many], UNIT, 2, "looked up", found[looked]),
    ]


def machine() -> str:
    """Processor, versions, date."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    words = [f"{names[0] if names else platform.processor()} (one core used)"]
    words += [f"{package} {version(package)}" for package in ("numba", "numpy")]
    if not c_code.missing():
        told = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True)
        words.append(told.stdout.splitlines()[0])
    return ", ".join([*words, date.today().isoformat()])


def report(figures: Sequence[Figure], checks: Sequence[str], repeats: int) -> str:
    """The page that is kept."""
    told = "\n".join(checks)
    return f"""# Speed of tabular learning

{machine()}.

`{COMMAND}`: millions of rounds per CPU-second of one core, {repeats} interleaved repeats; ratios
are medians of the ratios within a repeat. Each repeat is a whole session (of kernels the first
{KERNEL_ROUNDS:,} rounds, of NumPy the first {SEED_ROUNDS:,} of {SEEDS:,} sessions). tacit keeps
every measure of every round, its peers keep none. What is measured: [README.md](../README.md).

```text
{table(figures)}

{told}
```
"""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Tabular learning, its peers.")
    names = [game.name for game in GAMES]
    parser.add_argument("--games", nargs="+", choices=names, default=names)
    parser.add_argument("--quick", action="store_true", help="3 repeats; tabular_peers.md stays")
    options = parser.parse_args()
    repeats = 3 if options.quick else 9
    games = [game for game in GAMES if game.name in options.games]
    print(machine())
    if why := c_code.missing():
        print(f"no plain C: {why}")
    np.seterr(all="ignore")
    checks = [line for game in games for line in (*check_bits(game), *check_prices(game))]
    print(*checks, sep="\n")
    figures = [figure for game in games for figure in speeds(game, repeats)]
    print(table(figures))
    if options.games == names and not options.quick and not c_code.missing():
        RESULT.write_text(report(figures, checks, repeats), encoding="utf-8")
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
