"""The study from the command line: see the package's docstring."""

from __future__ import annotations

import argparse
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from shutil import copyfile

import matplotlib

from .cells import CASES, LOGGING, RAILS
from .over_time import draw_over_time
from .play import play_cell
from .report import cells_of, rows_of, write

FOLDER = Path("results/guardrails")
# The committed copies: the tables lie beside this program, the figure where pages show it.
TABLES = Path(__file__).parent
COPIES = {"table.md": TABLES, "table.csv": TABLES, "guardrails.png": Path("docs/images")}


def main() -> None:
    """Train every cell, write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, help="of every cell (default: those of the study)")
    parser.add_argument("--only", choices=[case.config for case in CASES], help="one experiment")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder")
    parser.add_argument("--update", action="store_true", help="also write the committed copies")
    parser.add_argument(
        "--over-time", type=Path, metavar="RUN",
        help="a finished run of breaker_drill: only draw its price over time",
    )  # fmt: skip
    options = parser.parse_args()
    matplotlib.use("Agg")
    if options.over_time is not None:
        draw_over_time(options.over_time, options.out / "breaker_drill.png")
        return
    chosen = [n for n, case in enumerate(CASES) if options.only in (None, case.config)]
    jobs = [
        (n, rail, options.seeds or CASES[n].seeds)
        for n in chosen
        for rail in RAILS
        if not CASES[n].cells[rail].why_not
    ]
    began, played = time.monotonic(), {}
    with ProcessPoolExecutor(options.workers) as pool:
        for job, found in zip(jobs, pool.map(play_cell, jobs), strict=True):
            played[job[:2]] = found
            spent = time.monotonic() - began
            print(f"{CASES[job[0]].config}, {job[1]}: after {spent:.0f} s", flush=True)
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(own.ru_utime + own.ru_stime for own in usage)
    results = {}
    for n in chosen:
        case = CASES[n]
        own = {rail: played[n, rail] for rail in RAILS if (n, rail) in played}
        assert LOGGING in own
        results[case.config] = (case, rows_of(case, own))
    write(options.out, results, seconds)
    if options.update:
        for name, folder in COPIES.items():
            copyfile(options.out / name, folder / name)
    for case, rows in results.values():
        print(f"\n{case.config}, arm {case.arm}: {case.figure}")
        for row in rows:
            print("  " + " | ".join(cells_of(row)))
    print(f"\n{seconds:.0f} s of processor time; {options.out}/table.md")


if __name__ == "__main__":
    main()
