"""Answers of live agents in a run's folder: a file for each repetition, sealed by its record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tacit.agents.external.config import what_it_runs
from tacit.agents.live.answers import AnswerSource, KeptAnswers, RecordedAnswers
from tacit.training.config.arms import Arm
from tacit.training.storage.atomic_files import file_hash
from tacit.training.storage.run_folder import RunFolder
from tacit.training.trust.live_doors import MakeSource

NAME = "live_answers.jsonl"
LIVE = "live"  # in a repetition's record: what was counted, by seat
ANSWERS_SHA256 = "live_answers_sha256"  # in a repetition's record


@contextmanager
def live_answers(
    run: RunFolder, arm: Arm, k: int, make: MakeSource | None
) -> Iterator[AnswerSource | None]:
    """What gives the answers of a repetition's live agents while it is trained; None: it has none.

    Args:
        run: the run.
        arm: of the run.
        k: the repetition.
        make: makes what is asked for an answer that is not kept; None: nothing is asked.

    Raises:
        ConfigError: the file that keeps them holds something else.
    """
    if not arm.live:
        yield None
        return
    agents = {seat: what_it_runs(arm.agents[seat]) for seat in arm.live}
    about = {"arm": arm.name, "seed": k, "agents": agents}
    path = run.inside(arm.name, f"s{k}", NAME)
    source = KeptAnswers(path, about, None if make is None else make(arm, k))
    try:
        yield source
    finally:
        source.close()


def recorded_answers(run: RunFolder, arm: Arm, k: int) -> AnswerSource:
    """The answers that a repetition's live agents gave; nothing is asked.

    Raises:
        ConfigError: the file is missing, or holds something else.
    """
    return RecordedAnswers(run.inside(arm.name, f"s{k}", NAME))


def answers_hash(run: RunFolder, arm: Arm, k: int) -> dict[str, str | None]:
    """The SHA-256 of the file of a repetition's answers, by its name."""
    return {NAME: file_hash(run.inside(arm.name, f"s{k}", NAME))}
