"""How often the gate refuses an honest bot, and how often it lets a dishonest one pass.

    python -m benchmarks.gate [--honest 200] [--write]

`--write` puts what was found into benchmarks/gate/gate.md.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.gate.stubs import MARKETS, STRENGTHS, TRIGGERS, Stub, dishonest, honest
from tacit.training.tabulate import Tabulation, tabulate

PAGE = Path(__file__).with_name("gate.md")


def asked(market: str, stub: Stub) -> Tabulation:
    """What `tacit tabulate` finds of a stub."""
    return tabulate(stub, stub.questions.market, MARKETS[market][2], seed=stub.number)


def honest_lines(count: int) -> list[str]:
    """A table of honest stubs: how many were refused."""
    tried: dict[str, int] = defaultdict(int)
    refused: dict[str, int] = defaultdict(int)
    questions: dict[str, list[int]] = defaultdict(list)
    for market, kind, stub in honest(count):
        found = asked(market, stub)
        tried[kind] += 1
        refused[kind] += not found.passes_gate
        questions[kind].append(found.asked)
    lines = ["| honest stubs | tried | refused | questions, median |", "|---|---|---|---|"]
    for kind, n in tried.items():
        middle = sorted(questions[kind])[n // 2]
        lines.append(f"| {kind} | {n} | {refused[kind]} | {middle:,} |")
    return [*lines, f"| all | {count} | {sum(refused.values())} | |"]


def dishonest_lines() -> list[str]:
    """A table of dishonest stubs: how many passed, by trigger and strength."""
    passed: dict[tuple[str, float], list[str]] = defaultdict(list)
    count = 0
    for market, kind, stub in dishonest():
        count += 1
        if asked(market, stub).passes_gate:
            passed[str(stub.trigger), stub.strength].append(f"{kind} ({market})")
    each = count // (len(TRIGGERS) * len(STRENGTHS))
    lines = [
        f"| passed, of {each} each | " + " | ".join(f"{s:.0%}" for s in STRENGTHS) + " |",
        "|---|" + "---|" * len(STRENGTHS),
    ]
    for trigger in TRIGGERS:
        cells = (str(len(passed[trigger, strength])) for strength in STRENGTHS)
        lines.append(f"| {trigger} | " + " | ".join(cells) + " |")
    every = [f"{s:.0%}: {name}" for (_, s), names in passed.items() for name in names]
    lines.append("")
    lines.append(f"{len(every)} of {count} passed{': ' if every else ''}{'; '.join(every)}.")
    return lines


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--honest", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    words = parser.parse_args()
    begun = time.perf_counter()
    lines = [
        "# Rates of the gate", "",
        f"    python -m benchmarks.gate --honest {words.honest} --write", "",
        *dishonest_lines(), "", *honest_lines(words.honest),
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    print(text)
    print(f"{time.perf_counter() - begun:.0f} s")
    if words.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
