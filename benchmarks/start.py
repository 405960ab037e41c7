"""What a fresh process waits for.

`python -m benchmarks.start engine` (or `tabular`) prints two numbers, CPU-seconds: imports, and
from there to the first finished step or round.

`python -m benchmarks.start commands` measures commands of `tacit` about two finished runs in the
folder --results, which `start.md` says how to make, and writes the table there. With `--before` the
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

RUN, SMALL = "volatility_kpi", "two_arms"
COMMANDS = {
    "tacit --help": (["--help"], 0),
    "tacit list": (["list"], 0),
    "tacit train volatilty_kpi (a typing mistake)": (["train", "volatilty_kpi"], 2),
    f"tacit compare {RUN}": (["compare", RUN], 0),
    f"tacit show {RUN}": (["show", RUN], 0),
    f"tacit train {RUN} (finished before)": (["train", RUN], 0),
    f"tacit compare {SMALL} (48 seeds)": (["compare", SMALL], 0),
    f"tacit show {SMALL} (48 seeds)": (["show", SMALL], 0),
}
# What every tool on these libraries waits for: a yardstick of the machine and of the hour.
LIBRARIES = "import gymnasium, pettingzoo, typer, yaml"
WITH_RESULTS = ("compare", "show", "train")  # commands that take --results
PAGE = Path(__file__).with_suffix(".md")


def command_seconds(words: list[str], code: int) -> float:
    """CPU-seconds of a command, those of processes that it starts included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(words)}: ended with {done.returncode}: {done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def command_table(tacits: dict[str, tuple[str, Path]], repeats: int) -> str:
    """The least CPU-seconds of every command, as Markdown.

    Args:
        tacits: path of `tacit`, and the folder that holds its run, by the heading of their column.
        repeats: how often each is measured, after once to fill the caches.
    """
    named: dict[str, tuple[dict[str, list[str]], int]] = {
        f'python -c "{LIBRARIES}"': ({k: [sys.executable, "-c", LIBRARIES] for k in tacits}, 0)
    }
    for name, (words, code) in COMMANDS.items():
        named[name] = (
            {
                label: [
                    tacit,
                    *words,
                    *(["--results", str(own)] if words[0] in WITH_RESULTS else []),
                ]
                for label, (tacit, own) in tacits.items()
            },
            code,
        )
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats + 1):  # by turns, so that all meet the same hour
        for name, (by_label, code) in named.items():
            for label, words in by_label.items():
                found.setdefault((name, label), []).append(command_seconds(words, code))
    lines = [f"| command | {' | '.join(tacits)} |", "|---|" + "---:|" * len(tacits)]
    for name in named:
        least = " | ".join(f"{min(found[name, label][1:]):.2f}" for label in tacits)
        words_shown, _, note = name.partition(" (")
        lines.append(f"| `{words_shown}`{f' ({note}' if note else ''} | {least} |")
    return "\n".join(lines)


def commands(arguments: list[str]) -> None:
    """Measure the commands and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start commands")
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--before", help="the `tacit` of another checkout")
    parser.add_argument("--before-results", type=Path, help="the folder that holds its run")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    tacits = {"CPU-seconds": (str(Path(sys.executable).with_name("tacit")), given.results)}
    if given.before:
        tacits = {"before": (given.before, given.before_results or given.results), **tacits}
    page = (
        "# What a command costs\n\n"
        "CPU-seconds, user and system, the least of "
        f"{given.repeats} processes each, with compiled loops and Python's files in the caches. "
        f"The run `{RUN}` has 15 arms of 48 repetitions, 720 seeds. The first line is no command "
        "of tacit: it says how fast the machine was, commands were measured by turns with it.\n\n"
        f"    tacit train {RUN}\n"
        f"    tacit train {RUN} --arm second_0 --arm second_1 --name {SMALL} seeds=24\n"
        "    python -m benchmarks.start commands\n\n"
    )
    PAGE.write_text(page + command_table(tacits, given.repeats) + "\n")
    print(PAGE.read_text(), end="")


if __name__ == "__main__":
    if sys.argv[1] == "commands":
        commands(sys.argv[2:])
    else:
        print(*{"engine": engine, "tabular": tabular}[sys.argv[1]]())
