"""What keeping a record costs, and what replays give: `python -m benchmarks.record`.

Writes `record.md`. Training with the default `record` is timed against training that keeps nothing,
one after the other in the same repeat; replays with everything recorded against the same rounds
without; a condition in SQL over a million deals by the clock. Nothing is asserted.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

from tacit.agents.tabular.recording import build_recording
from tacit.training.config.load import load
from tacit.training.record import table_file
from tacit.training.record.deals import size
from tacit.training.record.selection import plan_deals, produce
from tacit.training.runs.runner import train
from tacit.training.storage.keyframes import NAME
from tacit.training.storage.load_run import load_run

from .engine import machine
from .timing import Case, Figure, Target, Work, race, table

PAGE = Path(__file__).parent / "record.md"
REPEATS = 5
TRAINED = {
    "volatility_kpi": ("second_1", []),
    "calvano_baseline": ("base", []),
    "volatility_kpi_neural": ("second_0", ["train.rounds=20000"]),
}
ROUNDS = 1_000_000


def trained(name: str, *settings: str) -> Work:
    """Trains eight seeds of an experiment's arm on one thread; counts their rounds."""
    arm, own = TRAINED[name]
    folder = tempfile.mkdtemp()

    def work() -> int:
        words = [*own, "seeds=8", *settings]
        train(name, words, arms=[arm], results=folder)
        rounds = load(name, words, [arm]).arms[arm].train.rounds
        shutil.rmtree(folder)
        return 8 * rounds

    return work


def training(repeats: int) -> list[Figure]:
    """Seeds that are trained, measured and saved, with the default record and with none."""
    figures = []
    for name, (arm, _) in TRAINED.items():
        cases = [
            Case("default", partial(trained, name)),
            Case("nothing", partial(trained, name, "record.keyframe_bytes=0")),
        ]
        found = race(cases, repeats)
        figures.append(
            Figure(
                f"{name}, {arm}: eight seeds, default record", found["default"], "rounds/CPU-s", 0,
                "nothing kept", found["nothing"], Target(at_least=0.97, ratio=True),
            )
        )  # fmt: skip
    return figures


def replays(repeats: int) -> list[Figure]:
    """Rounds of a tabular auction with everything recorded, and without."""
    arm = load("volatility_kpi", [], ["second_1"]).arms["second_1"]

    def played(records: bool) -> Work:
        group = arm.group(0)
        room = build_recording(group.seed_state.game, group.rows, ROUNDS // 4)
        return lambda: group.run(ROUNDS // 4, room if records else None)

    cases = [Case("recorded", partial(played, True)), Case("plain", partial(played, False))]
    found = race(cases, repeats)
    return [
        Figure(
            "auction: rounds played again, every figure recorded", found["recorded"],
            "rounds/CPU-s", 0, "the same without recording", found["plain"],
            Target(at_least=1_000_000),
        )
    ]  # fmt: skip


def queries(repeats: int) -> list[Figure]:
    """A condition over a million deals, by the clock; and what a seed keeps on the disk."""
    folder = tempfile.mkdtemp()
    settings = [f"train.rounds={ROUNDS}", "train.measure_last=20000", "seeds=1"]
    train("volatility_kpi", settings, arms=["second_1"], results=folder)
    run = load_run("volatility_kpi", folder)
    deals = produce(plan_deals(run.folder, run.arms["second_1"], [0], (0, ROUNDS)))
    seconds, found = [], 0
    for _ in range(repeats):
        began = time.perf_counter()
        found = size(table_file.where(deals, "harm > .5 and bidder_0_did_bid < .3"))
        seconds.append(time.perf_counter() - began)
    kept = [(run.folder.seed("second_1", 0) / NAME).stat().st_size / 1e6]
    shutil.rmtree(folder)
    return [
        Figure(
            f"a condition in SQL over {size(deals):,} deals ({found:,} meet it)", seconds, "s", 3,
            target=Target(below=0.5),
        ),
        Figure("auction: kept of a seed", kept, "MB", 3, target=Target(below=1.0)),
    ]  # fmt: skip


def main() -> None:
    """Measure, print, and write the page."""
    os.environ["TACIT_THREADS"] = "1"
    figures = [*replays(REPEATS), *queries(REPEATS), *training(2 * REPEATS)]
    text = table(figures)
    print(text)
    head = (
        "# What a record costs\n\n`python -m benchmarks.record` writes this page. "
        f"{REPEATS} repeats; ratios are medians within a repeat.\n\n{machine()}\n"
    )
    PAGE.write_text(f"{head}\n```\n{text}\n```\n", encoding="utf-8")


if __name__ == "__main__":
    main()
