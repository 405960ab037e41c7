"""Two commands that write to one run at the same time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attack.trial import TABULAR, Child, Outcome, chance, resume, train, weights

from tacit.oversight import ledger
from tacit.training.storage.load_run import load_run, read_experiment
from tacit.training.storage.run_folder import RunFolder

TOLD = "is writing to this run"


def races(folder: Path, count: int) -> list[Outcome]:
    """Two trainings, two arms added, and a training beside a resume, in turn."""
    outcomes = []
    for name, pair in PAIRS.items():
        outcome = Outcome(
            name, "one works, the other is told who holds the run; the chain is whole"
        )
        for k in range(max(1, count // len(PAIRS))):
            outcome.count(_race(folder / name.replace(" ", "_") / str(k), pair))
        outcomes.append(outcome)
    return outcomes


def _same(target: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    return (lambda: train(target, TABULAR)), (lambda: train(target, TABULAR))


def _two_arms(target: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    return (
        lambda: train(target, TABULAR, as_arm="profit"),
        lambda: train(target, (*TABULAR, "kpi=calm"), as_arm="calm"),
    )


def _beside_resume(target: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    first = Child(lambda: train(target, TABULAR))
    first.kill() if chance(str(target)).random() < 0.5 else first.join()
    Child(lambda: train(target, (*TABULAR, "seeds=1"), as_arm="begun")).join()
    return (lambda: train(target, TABULAR)), (lambda: resume(target))


PAIRS = {
    "two trainings of one run": _same,
    "two arms added to one run": _two_arms,
    "a training beside a resume": _beside_resume,
}


def _race(
    target: Path, pair: Callable[[Path], tuple[Callable[[], object], Callable[[], object]]]
) -> str | None:
    """Both at once; None if one worked and the other was told, or came when it had ended."""
    children = [Child(do) for do in pair(target)]
    ended = [child.join() for child in children]
    told = [text for text in ended if text.startswith("refused") and TOLD in text]
    if ended.count("done") + len(told) != 2 or not ended.count("done"):
        return f"{ended}"
    run = RunFolder(target / "ad_auction")
    if ledger.first_broken(run.ledger) is not None:
        return "the ledger's chain is broken"
    load_run(run.path)
    missing = [name for name in read_experiment(run).arms if name not in _summarised(run)]
    if ended.count("done") == 2 and missing:
        return f"no summary of {missing}"
    return None if weights(target) else "nothing was learned"


def _summarised(run: RunFolder) -> set[str]:
    from tacit.training.outcome.summary import read_summary

    return set(read_summary(run.summary))
