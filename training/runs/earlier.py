"""What a run folder holds from earlier commands: whether it can be relied on, and on what machine
its seeds were trained."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.config.arm_settings import flat_settings
from tacit.training.config.arms import Experiment
from tacit.training.outcome.finishing import Records, Summaries
from tacit.training.outcome.summary import read_summary
from tacit.training.storage.run_folder import CHECKPOINT, RunFolder
from tacit.training.storage.seals import (
    Seals,
    findings,
    is_unfinished,
    read_seals,
    still_made,
)

from .progress import ProgressListener

SHOWN = 3  # differing settings that a message names


def checked_seals(
    experiment: Experiment,
    run: RunFolder,
    config: Mapping[str, Any] | None,
    listener: ProgressListener,
) -> tuple[Seals, bool]:
    """The seals of a run, without those of files that are to be made again; whether there are any.

    Files that were altered and that are made of seeds are removed with a note, so that nothing of
    them is used. Altered seeds are trained again.

    Args:
        experiment: what is to be trained in the run.
        run: its folder, whose lock is held.
        config: what config.yaml holds, or None for a new run.
        listener: receives the notes.

    Raises:
        ConfigError: what was altered is not made again by training these arms.
    """
    every = config["arms"] if config is not None else {}
    counts = {name: int(_count(arm)) for name, arm in every.items()}
    found = findings(run, counts)
    trains_all = set(every) <= set(experiment.arms)
    refused = [f for f in found if not f.is_made_again or not trains_all]
    if refused:
        raise ConfigError([f"{f.path}: {f.text}" for f in refused])
    seals = Seals() if any(f.path == run.seals for f in found) else read_seals(run)
    for finding in found:
        if finding.path.stem == Path(CHECKPOINT).stem:
            # A seed is trained again, and `partial.save_notes` tells of a damaged one.
            if not finding.path.exists():
                listener.note(f"{finding.path}: {finding.text}")
            continue
        listener.note(f"{finding.path}: {finding.text.partition('. ')[0]}; it is written anew")
        with suppress(FileNotFoundError):
            finding.path.unlink()
        seals.files.pop(finding.path.relative_to(run.path).as_posix(), None)
        seals.made_of.clear()
    if is_unfinished(run):
        seals.made_of = still_made(run, seals)
    return seals, bool(found)


def _count(arm: object) -> int:
    """How many seeds an arm has, as config.yaml says; 0 where it says nothing that can be right."""
    count = arm.get("seeds") if isinstance(arm, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def earlier_summaries(experiment: Experiment, run: RunFolder) -> Summaries:
    """The summaries of those arms of a run that are not trained now.

    Raises:
        ConfigError: summary.json is no summary.
    """
    known = read_summary(run.summary)
    return {name: own for name, own in known.items() if name not in experiment.arms}


def differences(stored: object, own: Mapping[str, Any]) -> str:
    """In which settings a stored arm differs from another, in words: `market.bidders 3, here 2`."""
    if not isinstance(stored, Mapping):
        return "it no longer says which arm it belongs to"
    there, here = flat_settings(stored), flat_settings(own)
    keys = [key for key in dict.fromkeys([*there, *here]) if there.get(key) != here.get(key)]
    told = [f"{key} {there.get(key)!r}, here {here.get(key)!r}" for key in keys[:SHOWN]]
    return "; ".join(told) + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")


def mixed_machines(experiment: Experiment, records: Records) -> list[str]:
    """Lines that name arms whose seeds were trained on different machines or versions.

    A result is the same bit for bit on one type of machine with one set of versions only.
    """
    lines = []
    for name, arm in experiment.arms.items():
        machines = [records[name, k].get("machine") for k in range(arm.seeds)]
        settings = [flat_settings(m) if isinstance(m, Mapping) else {} for m in machines]
        keys = dict.fromkeys(key for own in settings for key in own)
        told = []
        for key in keys:
            seeds: dict[str, list[int]] = {}
            for k, own in enumerate(settings):
                if own:
                    seeds.setdefault(str(own.get(key)), []).append(k)
            if len(seeds) > 1:
                told.append(
                    f"{key}: " + ", ".join(f"{v} ({len(ks)} seeds)" for v, ks in seeds.items())
                )
        if told:
            lines.append(
                f"arm {name} mixes seeds of different machines or versions: {'; '.join(told)}"
            )
    return lines
