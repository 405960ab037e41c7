"""Trains every library that is installed on every market: `python -m benchmarks.interop`.

Writes the table of docs/interop.md: rows of libraries that are installed here are made anew, the
others stay, since not all libraries fit into one environment. `--only RLlib` makes the rows whose
name has the word, `--steps 200` trains less and does not write.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

from tacit.training.studies.reference_tables import with_block

from .cases import CASES, Case
from .markets import MARKETS

PAGE = Path(__file__).parents[2] / "docs" / "interop.md"
STEPS = 1000
BEGIN, END = "<!-- table: python -m benchmarks.interop -->", "<!-- end of table -->"
HEAD = ["library", "view, observation, infos", *MARKETS, "versions"]


def attempt(case: Case, market: str, steps: int) -> str:
    """The steps that a case trained on a market, or why it could not."""
    try:
        return f"{case.train(market, steps):,}"
    except Exception as error:  # whatever a library raises belongs into the table
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def row_of(case: Case, steps: int) -> str:
    """The table's row of a case."""
    cells = []
    for market in MARKETS:
        cells.append(attempt(case, market, steps))
        print(f"{case.name}, {market}: {cells[-1]}", flush=True)
    return f"| {' | '.join([case.name, case.view, *cells, case.versions()])} |"


def merge(page: str, rows: dict[str, str]) -> str:
    """The page with the new rows in its table, by the first cell; in the order of `CASES`."""
    table = page.partition(BEGIN)[2].partition(END)[0]
    lines = table.strip().splitlines()[2:]
    kept = {line.split("|")[1].strip(): line for line in lines if line.startswith("|")}
    known = kept | rows
    shown = [known[case.name] for case in CASES if case.name in known]
    head = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    return with_block(page, BEGIN, END, "\n".join([*head, *shown]))


def main() -> int:
    """Train, print, and write the page; the exit code is 1 where a library failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interop")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of the libraries about each other
    rows, failed = {}, False
    for case in CASES:
        if chosen.only.lower() not in case.name.lower():
            continue
        if missing := case.missing():
            print(f"{case.name}: not tried, without {' and '.join(missing)}")
            continue
        rows[case.name] = row_of(case, chosen.steps)
        failed |= "Error: " in rows[case.name]
    if rows and chosen.steps >= STEPS:
        PAGE.write_text(merge(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
