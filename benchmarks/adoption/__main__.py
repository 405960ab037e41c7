"""Rates of the rule for adoption from the command line: see the package's docstring."""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tacit.emergence import stats
from tacit.emergence.adoption.rule import COORDINATED, INDEPENDENT, LEVEL, judge
from tacit.emergence.adoption.slope import full_slope, null_slopes, p_value, slopes
from tacit.envs.registry import make_market
from tacit.training.studies.reference_tables import with_block

from .cases import CASES, REPETITIONS, ScriptedAdopters

COMMAND = "python -m benchmarks.adoption"
FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent / "docs" / "probes" / "adoption.md"
BEGIN, END = f"<!-- rates: {COMMAND} -->", "<!-- end of rates -->"
SERIES, DRAWS = 400, 999
HEAD = ("adopters", "right", "slope", "coordinated", "independent", "undecided", "p <= .05",
        "as expected")  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """What the rule says of the series of one kind.

    Attributes:
        words: series by word.
        low_p: series with p of at most .05.
        slope: the mean slope, money an adopter.
    """

    words: Counter[str]
    low_p: int
    slope: float

    def share(self, word: str) -> float:
        """Of the series that get a word."""
        return self.words[word] / self.words.total()


def rates(case: ScriptedAdopters, count: int) -> Rates:
    """Judge series of one kind."""
    market = make_market("cloud_bandwidth", {"providers": case.providers})
    full = full_slope(market, "price", "provider")
    words, low_p, found = Counter[str](), 0, []
    for k, (adopters, alone) in enumerate(case.series(count)):
        slope = stats.student(slopes(case.numbers, adopters).tolist())
        p = p_value(slope.mean, null_slopes(case.numbers, REPETITIONS, alone, DRAWS, k))
        words[judge(slope, p, full).word] += 1
        low_p += p <= LEVEL
        found.append(slope.mean)
    return Rates(words, low_p, float(np.mean(found)))


def misses(found: Rates, expected: dict[str, Any]) -> list[str]:
    """What was expected of a kind and did not come."""
    shares = {
        "coordinated": found.share(COORDINATED),
        "independent": found.share(INDEPENDENT),
        "false_alarm": found.low_p / found.words.total(),
    }
    return [
        f"{key} expected in {low:g} .. {high:g}"
        for key, (low, high) in ((k, v) for k, v in expected.items() if k != "right")
        if not low <= shares[key] <= high
    ]


def cells(case: ScriptedAdopters, found: Rates, expected: dict[str, Any]) -> list[str]:
    """A row of the table."""
    total = found.words.total()

    def share(count: int) -> str:
        e = stats.wilson(count, total)
        return f"{stats.number(e.mean)} {stats.interval(e)}"

    undecided = total - found.words[COORDINATED] - found.words[INDEPENDENT]
    each = (found.words[COORDINATED], found.words[INDEPENDENT], undecided, found.low_p)
    lacking = "; ".join(misses(found, expected))
    return [
        case.name, expected["right"], stats.number(found.slope), *map(share, each),
        f"no: {lacking}" if lacking else "yes",
    ]  # fmt: skip


def table(rows: list[list[str]]) -> str:
    """Rows as a table in Markdown."""
    lines = [HEAD, *rows]
    text = ["| " + " | ".join(row) + " |" for row in lines]
    return "\n".join([text[0], "|" + "---|" * len(HEAD), *text[1:]])


def main() -> None:
    """Judge every kind, print and keep the table."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Rates of the rule for adoption.")
    parser.add_argument("--series", type=int, default=SERIES, help="of each kind (default 400)")
    parser.add_argument("--quick", action="store_true", help="write nothing")
    options = parser.parse_args()
    expected = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
    rows = []
    for case in CASES:
        rows.append(cells(case, rates(case, options.series), expected[case.name]))
        print(" | ".join(rows[-1]), flush=True)
    if options.quick:
        return
    text = table(rows)
    head = (
        f"# The rule for adoption on scripted adopters\n\n`{COMMAND}`: {options.series} series of "
        f"{REPETITIONS} repetitions an arm for each kind, {DRAWS} draws of the null for each. "
        "Shares of series with Wilson's 95 % interval; expected: `expected.yaml`.\n\n"
    )
    (FOLDER / "table.md").write_text(head + text + "\n", encoding="utf-8")
    with (FOLDER / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEAD, *rows])
    page = with_block(PAGE.read_text(encoding="utf-8"), BEGIN, END, text)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
