"""Runs in which nothing was due when they were last trained, so that to train them again is quick.

Whether a summary is the one that would be written now can be told by making it anew, which costs
seconds for hundreds of seeds. So where it was made, a *mark* is left in the cache folder: a small
file whose name is a hash of all that results depend on. These are the seals and the ledger of the
run, and through them every file and seed (whose hashes are checked before a mark is looked for);
the experiment; the sources of tacit; the versions and the machine. With anything else the name is
another one, and where no mark is found, or none can be written, everything is made anew.

Nothing is marked that runs code from outside tacit, which may change unseen.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tacit.agents.registry import AGENTS
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import cache_folder_name
from tacit.training.config.arms import Experiment

from .atomic_files import file_hash, read_json
from .machine import machine
from .run_folder import RunFolder
from .seals import is_unfinished

FOLDER = "completed"  # within the cache folder
OWN = "tacit."  # how the names of tacit's own modules begin
SOURCES = ("agents", "emergence", "envs", "oversight", "training")
NOTES = "notes"
MOST_MARKS = 400


def read_mark(experiment: Experiment, run: RunFolder, draws: bool) -> list[str] | None:
    """The notes that were shown when nothing was due; None where something may be due.

    Args:
        experiment: what is to be trained.
        run: its folder, in which every file is as it was sealed.
        draws: whether the experiment's figure is to be drawn if it asks for one.
    """
    path = _mark(experiment, run, draws)
    if path is None or not path.is_file():
        return None
    with suppress(ConfigError):
        notes = read_json(path).get(NOTES)
        if isinstance(notes, list) and all(isinstance(note, str) for note in notes):
            return notes
    return None


def write_mark(experiment: Experiment, run: RunFolder, draws: bool, notes: Sequence[str]) -> None:
    """Mark that nothing is due; where that cannot be written, it is made anew next time."""
    path = _mark(experiment, run, draws)
    if path is None:
        return
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_oldest(path.parent)
        path.write_text(json.dumps({NOTES: list(notes)}), encoding="utf-8")


def _forget_oldest(folder: Path) -> None:
    """Remove the older half of the marks once there are `MOST_MARKS`."""
    marks = list(folder.iterdir())
    if len(marks) < MOST_MARKS:
        return
    for mark in sorted(marks, key=lambda path: path.stat().st_mtime)[: len(marks) // 2]:
        mark.unlink(missing_ok=True)


def _mark(experiment: Experiment, run: RunFolder, draws: bool) -> Path | None:
    """Where the mark of a run lies; None for a run that gets none."""
    sealed, ledger = file_hash(run.seals), file_hash(run.ledger)
    if sealed is None or ledger is None or is_unfinished(run) or not _runs_own_code(experiment):
        return None
    if run.signatures.exists():  # signatures are checked, and no seal covers them
        return None
    made_of = [
        sealed,
        draws,
        ledger,
        experiment.name,
        experiment.file.model_dump(mode="json"),
        {name: arm.plain for name, arm in experiment.arms.items()},
        {name: list(words) for name, words in experiment.overridden.items()},
        list(experiment.arms),
        _sources_hash(),
        machine(),
    ]
    text = json.dumps(made_of, sort_keys=True).encode()
    return cache_folder_name() / FOLDER / f"{hashlib.sha256(text).hexdigest()}.json"


def _runs_own_code(experiment: Experiment) -> bool:
    """Whether all that a run's results come from is code of tacit."""
    found: list[object] = [type(arm.market) for arm in experiment.arms.values()]
    found += [*AGENTS.values(), *(probe.run for probe in PROBES.values())]
    found += [control.run for control in CONTROLS.values()]
    own = all(str(getattr(each, "__module__", "")).startswith(OWN) for each in found)
    return own and not os.environ.get("TACIT_PLUGINS")


@cache
def _sources_hash() -> str:
    """SHA-256 of every source file of tacit, as hexadecimal digits."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
