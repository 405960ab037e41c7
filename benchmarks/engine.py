"""Speed of the engine, its views and its tabular learners, each beside what one would use instead.

    python -m benchmarks.engine            # prints the table and writes benchmarks/engine.md
    python -m benchmarks.engine --quick    # fewer repeats, writes nothing
    python -m benchmarks.engine --rows     # only: what borrowed rows buy
    python -m benchmarks.engine --table    # only: what looking rounds up buys

All times are CPU time of one thread. Run it on a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import players, start
from benchmarks.peers import owned, q_loop, q_prices
from benchmarks.timing import Figure, Target, race, table

PACKAGES = ("numba", "numpy", "pettingzoo", "gymnasium", "supersuit")
RESULT = Path(__file__).with_suffix(".md")
COMMAND = "python -m benchmarks.engine"
STEPS = "env steps/s"


def environments(repeats: int) -> list[Figure]:
    """The auction alone, random bids."""
    players.check_vectors()
    plain, view = "plain ParallelEnv, 1 copy", "PettingZoo view, 1 copy"
    over_plain, over_view = "SuperSuit over plain, 8 copies", "SuperSuit over view, 8 copies"
    engines = {f"Engine.step, copies: {n:,}": n for n in (1, 64, 4096)}
    cases = [
        players.parallel_case(plain, players.plain(), 20_000),
        players.parallel_case(view, players.view(), 20_000),
        *(players.engine_case(k, n, max(200, 20_000 // n)) for k, n in engines.items()),
        players.vector_case(over_plain, players.plain(), 1_000),
        players.vector_case(over_view, players.view(), 1_000),
    ]
    speeds = race(cases, repeats)
    yardstick = speeds[plain]
    targets = {view: Target(0.75, ratio=True), list(engines)[-1]: Target(40, ratio=True)}
    return [
        Figure(plain, yardstick, STEPS, target=Target(150_000)),
        *(
            Figure(name, speeds[name], STEPS, 0, "plain", yardstick, targets.get(name))
            for name in (view, *engines, over_plain)
        ),
        Figure(over_view, speeds[over_view], STEPS, 0, "over plain", speeds[over_plain]),
    ]


def learning(repeats: int) -> list[Figure]:
    """Two stateless Q-learners."""
    figures = []
    for rule, mix in (("first", 1.0), ("second", 0.0)):
        own, other = f"Q-learning, {rule} price", f"Q-learning, {rule} price, Python"
        cases = [q_loop.tacit_case(own, mix, 1_000_000), q_loop.plain_case(other, mix, 20_000)]
        speeds = {name: [x / 1e6 for x in xs] for name, xs in race(cases, repeats).items()}
        unit, python = "M rounds/s", speeds[other]
        figures += [
            Figure(own, speeds[own], unit, 2, "Python", python, Target(10)),
            Figure(other, python, unit, 3),
        ]
    return figures


def remembering(repeats: int) -> list[Figure]:
    """Two Q-learners that see last round's prices: rounds looked up, or played by the kernels."""
    played, looked = "Q-learning, last prices, kernels", "Q-learning, last prices, looked up"
    other, unit = "Q-learning, last prices, Python", "M rounds/s"
    all_played, all_looked = "all prices updated, kernels", "all prices updated, looked up"
    cases = [
        *q_prices.tacit_cases({"never": played, "always": looked}, 3_000_000),
        q_prices.plain_case(other, 20_000),
        *q_prices.tacit_cases({"never": all_played, "always": all_looked}, 100_000, "synchronous"),
    ]
    speeds = {name: [x / 1e6 for x in xs] for name, xs in race(cases, repeats).items()}
    return [
        Figure(played, speeds[played], unit, 2, "Python", speeds[other], Target(9)),
        Figure(looked, speeds[looked], unit, 2, "kernels", speeds[played], Target(14)),
        Figure(other, speeds[other], unit, 3),
        Figure(all_played, speeds[all_played], unit, 2),
        Figure(all_looked, speeds[all_looked], unit, 2, "kernels", speeds[all_played]),
    ]


def starts(repeats: int) -> list[Figure]:
    """A fresh process, compiled code in the cache."""
    figures = []
    names = {"engine": "first Engine.step", "tabular": "first TabularGroup.run"}
    for which, name in names.items():
        imports, starting = start.measure(which, repeats)
        figures += [
            Figure(f"imports before the {name}", imports, "s", 2),
            Figure(f"from there to the {name}", starting, "s", 2, target=Target(below=0.7)),
        ]
    return figures


def borrowed(repeats: int) -> list[Figure]:
    """The engine's loop against one with ordinary slices, nanoseconds a step."""
    owned.check_owned()
    copies, rounds = 4096, 200
    rows, slices = "compiled loop, borrowed rows", "compiled loop, owned slices"
    cases = [
        players.loop_case(rows, copies, rounds),
        players.loop_case(slices, copies, rounds, owned.step_owned),
    ]
    times = {name: [1e9 / x for x in xs] for name, xs in race(cases, repeats).items()}
    return [
        Figure(rows, times[rows], "ns/step", 1),
        Figure(slices, times[slices], "ns/step", 1, "borrowed", times[rows]),
    ]


def machine() -> str:
    """Processor, versions, date."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor()
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    words = [f"{name} ({len(names)} cores seen, one used)", f"Python {platform.python_version()}"]
    return ", ".join([*words, *versions, date.today().isoformat()])


def report(figures: Sequence[Figure], repeats: int) -> str:
    """The page that is kept."""
    return f"""# Speed of the engine

{machine()}.

`{COMMAND}`: CPU time of one thread, {repeats} interleaved repeats; ratios are medians of the
ratios within a repeat. What is measured and how to read it: [README.md](README.md).

```text
{table(figures)}
```
"""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Speed beside its peers.")
    parser.add_argument("--quick", action="store_true", help="3 repeats; engine.md stays")
    parser.add_argument("--rows", action="store_true", help="only what borrowed rows buy")
    parser.add_argument("--table", action="store_true", help="only what looking rounds up buys")
    options = parser.parse_args()
    repeats = 3 if options.quick else 9
    kept = [environments, learning, remembering, starts, borrowed]
    parts = [borrowed] if options.rows else [remembering] if options.table else kept
    figures = [figure for part in parts for figure in part(repeats)]
    print(machine())
    print(table(figures))
    if not (options.rows or options.table or options.quick):
        RESULT.write_text(report(figures, repeats), encoding="utf-8")
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
