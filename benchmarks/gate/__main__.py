"""How often the gate refuses an honest bot, and how often it lets a dishonest one pass.

    python -m benchmarks.gate [--honest 200] [--write]

`--write` puts what was found into benchmarks/gate/gate.md.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.gate.stubs import MARKETS, STRENGTHS, TRIGGERS, Stub, dishonest, honest
from tacit.training.tabulate import tabulate

PAGE = Path(__file__).with_name("gate.md")


WORKERS = 2


class Judged(NamedTuple):
    """What `tacit tabulate` finds of one stub.

    Attributes:
        market, kind: of the stub.
        trigger, strength: of a dishonest one.
        passes: whether it is tabulated.
        asked: questions.
    """

    market: str
    kind: str
    trigger: str
    strength: float
    passes: bool
    asked: int


@cache
def stubs(is_honest: bool, count: int) -> list[tuple[str, str, Stub]]:
    """All stubs of a kind."""
    return list(honest(count) if is_honest else dishonest())


def judged(is_honest: bool, count: int, k: int) -> Judged:
    """Tabulate stub k."""
    market, kind, stub = stubs(is_honest, count)[k]
    found = tabulate(stub, stub.questions.market, MARKETS[market][2], seed=stub.number)
    return Judged(market, kind, str(stub.trigger), stub.strength, found.passes_gate, found.asked)


def honest_lines(results: list[Judged]) -> list[str]:
    """A table of honest stubs: how many were refused."""
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for result in results:
        by_kind[result.kind].append(result)
    lines = ["| honest stubs | tried | refused | questions, median |", "|---|---|---|---|"]
    for kind, own in by_kind.items():
        middle = sorted(result.asked for result in own)[len(own) // 2]
        refused = sum(not result.passes for result in own)
        lines.append(f"| {kind} | {len(own)} | {refused} | {middle:,} |")
    refused = sum(not result.passes for result in results)
    return [*lines, f"| all | {len(results)} | {refused} | |"]


def dishonest_lines(results: list[Judged]) -> list[str]:
    """A table of dishonest stubs: how many passed, by trigger and strength."""
    passed: dict[tuple[str, float], int] = defaultdict(int)
    for result in results:
        passed[result.trigger, result.strength] += result.passes
    each = len(results) // (len(TRIGGERS) * len(STRENGTHS))
    lines = [
        f"| passed, of {each} each | " + " | ".join(f"{s:.0%}" for s in STRENGTHS) + " |",
        "|---|" + "---|" * len(STRENGTHS),
    ]
    for trigger in TRIGGERS:
        cells = (str(passed[trigger, strength]) for strength in STRENGTHS)
        lines.append(f"| {trigger} | " + " | ".join(cells) + " |")
    names = [f"{r.strength:.0%}: {r.kind} ({r.market})" for r in results if r.passes]
    told = f": {'; '.join(names)}" if names else ""
    return [*lines, "", f"{len(names)} of {len(results)} passed{told}."]


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--honest", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    words = parser.parse_args()
    begun = time.perf_counter()
    with ProcessPoolExecutor(WORKERS) as pool:
        count = len(stubs(False, 0))
        bad = list(pool.map(partial(judged, False, 0), range(count)))
        good = list(pool.map(partial(judged, True, words.honest), range(words.honest)))
    lines = [
        "# Rates of the gate", "",
        f"    python -m benchmarks.gate --honest {words.honest} --write", "",
        *dishonest_lines(bad), "", *honest_lines(good),
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    print(text)
    print(f"{time.perf_counter() - begun:.0f} s")
    if words.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
