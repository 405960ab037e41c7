"""The measurement from the command line: see the package's docstring."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import uuid4

from benchmarks.engine import machine
from benchmarks.timing import Figure, Target, table
from tacit.training.acts.client import send
from tacit.training.acts.protocol import ActRequest
from tacit.training.storage.run_folder import RunFolder

PAGE = Path(__file__).parent / "attended.md"
REPEATS = 7
WINDOW = 5.0  # seconds of which the speed is taken
SETTLED = 1.5  # seconds between the page's first event and the window
CLIENTS = (0, 1, 20)
RUN = "attended"
TRAINED = (
    "volatility_kpi", "--arm", "second_1", "--name", RUN, "seeds=2", "train.rounds=100000000000",
    "train.measure_last=1000000", "train.evaluate_every=1000000",
)  # fmt: skip
TACIT = (str(Path(sys.executable).parent / "tacit"),)  # beside this Python


@contextmanager
def training(folder: str) -> Iterator[tuple[RunFolder, int]]:
    """Within, the run trains; yields its folder, and the number of its process."""
    words = [*TACIT, "train", *TRAINED, "--results", folder]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = RunFolder(Path(folder) / RUN)
    try:
        while process.poll() is None:
            with suppress(Exception):
                if rounds_of(run)[0] > 0:
                    break
            time.sleep(0.1)
        yield run, process.pid
    finally:
        process.kill()
        process.wait()


def rounds_of(run: RunFolder) -> tuple[int, float]:
    """Rounds that both seeds have played, and when that was."""
    request = ActRequest(id=uuid4().hex, act="status", by="benchmark")
    seeds = send(run, request).screen["seeds"].values()
    return sum(seed["round"] for seed in seeds), time.monotonic()


class Speed(NamedTuple):
    """What was measured in a window.

    Attributes:
        rounds: a second, of both seeds.
        by_processor: the same for a second of processor time of the process that trains.
        page: processors that page and clients took, on the mean.
    """

    rounds: float
    by_processor: float
    page: float


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def looked_at(folder: str, clients: int) -> Iterator[int | None]:
    """Within, so many clients read the run's page; none: there is no page.

    Yields:
        The number of the page's process.
    """
    if not clients:
        yield None
        return
    words = [*TACIT, "attend", RUN, "--no-open", "--results", folder]
    page = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert page.stdout is not None
    address, _, token = page.stdout.readline().split()[-1].partition("/#")
    begun = threading.Semaphore(0)

    def read() -> None:
        asked = urllib.request.Request(f"{address}/api/events", headers={"X-Tacit-Token": token})
        with suppress(OSError), urllib.request.urlopen(asked) as answer:
            answer.readline()
            begun.release()
            for _ in answer:
                pass

    threads = [threading.Thread(target=read, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for _ in threads:
        if not begun.acquire(timeout=30):
            raise TimeoutError("the page tells nothing")
    try:
        yield page.pid
    finally:
        page.terminate()
        page.wait()
        for thread in threads:
            thread.join()


def speed(run: RunFolder, trains: int, page: int | None = None) -> Speed:
    """What is measured in the next window, of the process that trains and that of the page."""

    def times() -> tuple[float, float]:
        seen = time.process_time()  # the clients are threads of this process
        return processor_time(trains), seen + (0 if page is None else processor_time(page))

    time.sleep(SETTLED)
    (before, began), (market, seen) = rounds_of(run), times()
    time.sleep(WINDOW)
    (after, ended), (market_then, seen_then) = rounds_of(run), times()
    rounds, seconds = after - before, ended - began
    return Speed(rounds / seconds, rounds / (market_then - market), (seen_then - seen) / seconds)


def measure(repeats: int) -> dict[int, list[Speed]]:
    """What `speed` found by number of clients, an entry for every repeat."""
    found: dict[int, list[Speed]] = {clients: [] for clients in CLIENTS}
    with tempfile.TemporaryDirectory() as folder, training(folder) as (run, trains):
        speed(run, trains)  # the first windows of a run are those of a market that has just begun
        for _ in range(repeats):
            for clients in CLIENTS:
                with looked_at(folder, clients) as page:
                    found[clients].append(speed(run, trains, page))
    return found


def main() -> None:
    """Measure, print, and write the page."""
    load = [os.getloadavg()[0]]
    found = measure(REPEATS)
    load.append(os.getloadavg()[0])
    figures = [
        Figure(
            f"page read by {n} client{'s' * (n > 1)}", [getattr(own, name) for own in found[n]],
            unit, 0, "no page", [getattr(own, name) for own in found[0]],
            Target(at_least=0.85, ratio=True),
        )
        for name, unit in (("rounds", "rounds/s"), ("by_processor", "rounds/CPU-s"))
        for n in CLIENTS if n
    ]  # fmt: skip
    text = table(figures)
    used = {n: median(own.page for own in pairs) for n, pairs in found.items()}
    shares = ", ".join(f"{used[n]:.3f} with {n} client{'s' * (n > 1)}" for n in CLIENTS if n)
    head = (
        "# What a page that is looked at costs\n\n"
        f"`python -m benchmarks.attended` writes this page. {REPEATS} repeats of {WINDOW:g} "
        "seconds each; ratios are medians within a repeat. The market's two seeds use both "
        "processors, and page and clients run beside them, on the same ones. Rounds of both seeds "
        "together, by the clock and by the processor time of the process that trains.\n\n"
        f"{machine()}\n\n"
    )
    tail = (
        f"\nProcessors that page and clients took together, on the median: {shares}. Load of the "
        f"machine, averaged over a minute: {load[0]:.1f} before, {load[1]:.1f} at the end; the "
        "market itself makes about 2 of that.\n"
    )
    print(text + tail)
    PAGE.write_text(f"{head}```\n{text}\n```\n{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
