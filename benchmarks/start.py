"""What a fresh process waits for.

`python -m benchmarks.start engine` (or `tabular`) prints two numbers, CPU-seconds: imports, and
from there to the first finished step or round.

`python -m benchmarks.start commands` measures commands of `tacit` about the finished run
`volatility_kpi` in the folder --results, and writes the table in `start.md`. With `--before` the
`tacit` of another checkout is measured as well, turn and turn about.

Nothing of tacit may be imported before the clock runs, hence the imports inside functions.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
Times = tuple[float, float]


def engine() -> Times:
    """Imports, then up to the first `Engine.step`."""
    begin = time.process_time()
    import numpy as np

    from tacit.envs.engine.engine import Engine
    from tacit.envs.registry import make_market

    imported = time.process_time()
    first = Engine(make_market("ad_auction"))
    first.reset()
    first.step(np.zeros((1, 2), np.int64))
    return imported - begin, time.process_time() - imported


def tabular() -> Times:
    """Imports, then up to the first round of `TabularGroup.run`."""
    begin = time.process_time()
    from tacit.agents.tabular.config import QLearningConfig
    from tacit.agents.tabular.group import TabularGroup
    from tacit.envs import kpi
    from tacit.envs.registry import make_market

    imported = time.process_time()
    market = make_market("ad_auction")
    configs = {seat.name: QLearningConfig(initial_q=0.0) for seat in market.seats}
    TabularGroup(market, kpi.resolve(market, None), configs, seed=0).run(1)
    return imported - begin, time.process_time() - imported


def measure(which: str, repeats: int) -> tuple[list[float], list[float]]:
    """Import and start times of so many fresh processes; one before them fills the cache."""
    command = [sys.executable, "-m", "benchmarks.start", which]
    times = []
    for _ in range(repeats + 1):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        times.append([float(word) for word in done.stdout.split()])
    return [t[0] for t in times[1:]], [t[1] for t in times[1:]]


# --- commands -----------------------------------------------------------------------------------

RUN = "volatility_kpi"
COMMANDS = {
    "tacit --help": (["--help"], 0),
    "tacit list": (["list"], 0),
    "tacit train volatilty_kpi (a typing mistake)": (["train", "volatilty_kpi"], 2),
    f"tacit compare {RUN}": (["compare", RUN], 0),
    f"tacit show {RUN}": (["show", RUN], 0),
    f"tacit train {RUN} (finished before)": (["train", RUN], 0),
}
WITH_RESULTS = ("compare", "show", "train")  # commands that take --results
PAGE = Path(__file__).with_suffix(".md")


def command_seconds(tacit: str, words: list[str], results: Path, code: int) -> float:
    """CPU-seconds of a command, those of processes that it starts included."""
    where = ["--results", str(results)] if words[0] in WITH_RESULTS else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([tacit, *words, *where], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != code:
        raise RuntimeError(f"tacit {' '.join(words)}: ended with {done.returncode}: {done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def command_table(results: Path, tacits: dict[str, str], repeats: int) -> str:
    """The least CPU-seconds of every command, as Markdown.

    Args:
        results: the folder that holds the run.
        tacits: paths of `tacit`, by the heading of their column.
        repeats: how often each is measured, after once to fill the caches.
    """
    lines = [f"| command | {' | '.join(tacits)} |", "|---|" + "---:|" * len(tacits)]
    for name, (words, code) in COMMANDS.items():
        seconds: dict[str, list[float]] = {label: [] for label in tacits}
        for _ in range(repeats + 1):
            for label, tacit in tacits.items():
                seconds[label].append(command_seconds(tacit, words, results, code))
        least = " | ".join(f"{min(own[1:]):.2f}" for own in seconds.values())
        words_shown, _, note = name.partition(" (")
        lines.append(f"| `{words_shown}`{f' ({note}' if note else ''} | {least} |")
    return "\n".join(lines)


def commands(arguments: list[str]) -> None:
    """Measure the commands and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start commands")
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--before", help="the `tacit` of another checkout")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    tacits = {"before": given.before} if given.before else {}
    tacits["CPU-seconds"] = str(Path(sys.executable).with_name("tacit"))
    page = (
        "# What a command costs\n\n"
        "CPU-seconds, user and system, the least of "
        f"{given.repeats} processes each, with compiled loops and Python's files in the caches. "
        f"The run `{RUN}` has 15 arms of 48 repetitions.\n\n"
        f"    tacit train {RUN}\n    python -m benchmarks.start commands\n\n"
    )
    PAGE.write_text(page + command_table(given.results, tacits, given.repeats) + "\n")
    print(PAGE.read_text(), end="")


if __name__ == "__main__":
    if sys.argv[1] == "commands":
        commands(sys.argv[2:])
    else:
        print(*{"engine": engine, "tabular": tabular}[sys.argv[1]]())
