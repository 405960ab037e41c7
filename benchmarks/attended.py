"""What a page that is looked at costs a run: `python -m benchmarks.attended`.

Writes `attended.md`. One run of two seeds trains all the time; windows without a page, with a page
that one client reads and with one that twenty read follow one another, again and again, so that a
slow minute hits all of them. Page and clients run on the same machine as the market, and take their
time from it: how much processor time, is measured too, since that does not depend on what else the
machine does. Nothing is asserted.
"""

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
from uuid import uuid4

from tacit.training.acts.client import send
from tacit.training.acts.protocol import ActRequest
from tacit.training.storage.run_folder import RunFolder

from .engine import machine
from .timing import Figure, Target, table

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
def training(folder: str) -> Iterator[RunFolder]:
    """Within, the run trains."""
    words = [*TACIT, "train", *TRAINED, "--results", folder]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = RunFolder(Path(folder) / RUN)
    try:
        while process.poll() is None:
            with suppress(Exception):
                if rounds_of(run)[0] > 0:
                    break
            time.sleep(0.1)
        yield run
    finally:
        process.kill()
        process.wait()


def rounds_of(run: RunFolder) -> tuple[int, float]:
    """Rounds that both seeds have played, and when that was."""
    request = ActRequest(id=uuid4().hex, act="status", by="benchmark")
    seeds = send(run, request).screen["seeds"].values()
    return sum(seed["round"] for seed in seeds), time.monotonic()


def processor_time(pid: int | None) -> float:
    """Seconds of processor time that this process and another one have taken."""
    own = time.process_time()
    if pid is None:
        return own
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def speed(run: RunFolder, page: int | None = None) -> tuple[float, float]:
    """Within the next window, rounds a second of both seeds, and the share of a processor that
    page and clients took."""
    time.sleep(SETTLED)
    (before, began), used = rounds_of(run), processor_time(page)
    time.sleep(WINDOW)
    (after, ended), used = rounds_of(run), processor_time(page) - used
    return (after - before) / (ended - began), used / (ended - began)


def measure(repeats: int) -> dict[int, list[tuple[float, float]]]:
    """What `speed` found by number of clients, an entry for every repeat."""
    found: dict[int, list[tuple[float, float]]] = {clients: [] for clients in CLIENTS}
    with tempfile.TemporaryDirectory() as folder, training(folder) as run:
        speed(run)  # the first windows of a run are those of a market that has just begun
        for _ in range(repeats):
            for clients in CLIENTS:
                with looked_at(folder, clients) as page:
                    found[clients].append(speed(run, page))
    return found


def main() -> None:
    """Measure, print, and write the page."""
    load = [os.getloadavg()[0]]
    both = measure(REPEATS)
    load.append(os.getloadavg()[0])
    found = {n: [own for own, _ in pairs] for n, pairs in both.items()}
    used = {n: median(share for _, share in pairs) for n, pairs in both.items()}
    figures = [
        Figure(
            f"two seeds of volatility_kpi, page read by {n} client{'s' * (n > 1)}", found[n],
            "rounds/s", 0, "no page", found[0], Target(at_least=0.85, ratio=True),
        )
        for n in CLIENTS if n
    ]  # fmt: skip
    text = table(figures)
    shares = ", ".join(f"{used[n]:.2f} with {n} client{'s' * (n > 1)}" for n in CLIENTS if n)
    ratios = {n: [a / b for a, b in zip(found[n], found[0], strict=True)] for n in CLIENTS if n}
    lowest = ", ".join(f"{min(own):.2f} with {n}" for n, own in ratios.items())
    head = (
        "# What a page that is looked at costs\n\n"
        f"`python -m benchmarks.attended` writes this page. {REPEATS} repeats of {WINDOW:g} "
        "seconds each, by the clock; ratios are medians within a repeat. The market's two seeds "
        "use both processors, and page and clients run beside them, on the same ones.\n\n"
        f"{machine()}\n\n"
    )
    tail = (
        f"\nLowest ratio: {lowest}. Processor time of page and clients together, in processors: "
        f"{shares}. Load of the machine, averaged over a minute: {load[0]:.1f} before, "
        f"{load[1]:.1f} at the end; the market itself makes about 2 of that.\n"
    )
    print(text + tail)
    PAGE.write_text(f"{head}```\n{text}\n```\n{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
