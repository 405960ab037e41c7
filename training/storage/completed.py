"""Runs in which nothing was due when they were last trained, so that to train them again is quick.

Whether a summary is the one that would be written now can be told by making it anew, which costs
seconds for hundreds of seeds. So where it was made, that is *marked* in the cache folder, under all
that results depend on (`tacit.envs.jit.kept`): the seals and the ledger of the run, and through
them every file and seed, whose hashes are checked before a mark is looked for; the experiment; the
sources of tacit; the versions and the machine. Where no mark is found, everything is made anew.

Nothing is marked that runs code from outside tacit, which may change unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.envs.jit.kept import keep, read_kept
from tacit.training.config.arms import Experiment
from tacit.training.trust.own_code import runs_own_code

from .atomic_files import file_hash
from .machine import machine
from .run_folder import RunFolder
from .seals import is_unfinished

MARKS = "completed"  # the kind of what is kept


def read_mark(experiment: Experiment, run: RunFolder, draws: bool) -> list[str] | None:
    """The notes that were shown when nothing was due; None where something may be due.

    Args:
        experiment: what is to be trained.
        run: its folder, in which every file is as it was sealed.
        draws: whether the experiment's figure is to be drawn if it asks for one.
    """
    made_of = _made_of(experiment, run, draws)
    notes = None if made_of is None else read_kept(MARKS, made_of)
    if not isinstance(notes, list):
        return None
    return [str(note) for note in notes]


def write_mark(experiment: Experiment, run: RunFolder, draws: bool, notes: Sequence[str]) -> None:
    """Mark that nothing is due, with the notes that belong to the run."""
    made_of = _made_of(experiment, run, draws)
    if made_of is not None:
        keep(MARKS, made_of, list(notes))


def _made_of(experiment: Experiment, run: RunFolder, draws: bool) -> list[Any] | None:
    """What the results of a run depend on; None for a run that gets no mark."""
    sealed, ledger = file_hash(run.seals), file_hash(run.ledger)
    if sealed is None or ledger is None or is_unfinished(run):
        return None
    if not runs_own_code(experiment.arms.values()):
        return None
    if run.signatures.exists():  # signatures are checked, and no seal covers them
        return None
    return [
        sealed,
        ledger,
        draws,
        experiment.name,
        experiment.file.model_dump(mode="json"),
        list(experiment.arms),
        {name: arm.plain for name, arm in experiment.arms.items()},
        {name: list(words) for name, words in experiment.overridden.items()},
        machine(),
    ]
