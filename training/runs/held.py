"""Repetitions that a breaker holds on disk, and their release.

A breaker whose action is `pause` saves its repetition and ends its training. All others are trained
first; then the command ends and says who is held (`pause_text`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arms import Experiment
from tacit.training.config.breaker_settings import PAUSE
from tacit.training.config.in_force import Trip
from tacit.training.storage import checkpoint
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.run_lock import writing

from .branches import record_act, trip_text
from .breakers import RELEASED
from .partial import NAME

SHOWN = 5  # held repetitions that are described one by one


def held(run: RunFolder, experiment: Experiment) -> Iterator[tuple[str, int, Trip]]:
    """Repetitions that a breaker holds on disk: arm, number, and the trip that did it."""
    for name, arm in experiment.arms.items():
        if any(breaker.action == PAUSE for breaker in arm.breakers.values()):
            for k in range(arm.seeds):
                record = checkpoint.finished(run.inside(name, f"s{k}", NAME)) or {}
                saved = record.get("breakers", {})
                if saved.get("paused"):
                    yield name, k, saved["trips"][-1]


def pause_text(run: RunFolder, experiment: Experiment) -> str:
    """Which repetitions breakers hold, a line each, and the command with which they go on."""
    found = list(held(run, experiment))
    lines = [f"arm {arm}, seed {k}: {trip_text(trip)}" for arm, k, trip in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    names = dict.fromkeys(trip["breaker"] for _, _, trip in found)
    go_on = " or ".join(run.command("resume", "--release", name) for name in names)
    count = f"{len(found)} seed{'s' * (len(found) > 1)}"
    return "\n".join([f"paused: {count}; everything is kept.", *lines, f"Go on: {go_on}"])


def release(run: RunFolder, experiment: Experiment, name: str) -> int:
    """Release all repetitions that a breaker holds on disk; returns how many.

    The ledger has an act for each repetition before its record is changed.

    Raises:
        ConfigError: it holds none, or another command is writing to the run.
    """
    with writing(run):
        found = list(held(run, experiment))
        own = [(arm, k, trip) for arm, k, trip in found if trip["breaker"] == name]
        if not own:
            holding = dict.fromkeys(trip["breaker"] for _, _, trip in found)
            raise ConfigError(f"--release: '{name}' holds no seed. {nearest(name, holding)}")
        for arm, k, trip in own:
            where = {key: trip[key] for key in ("breaker", "branch", "round")}
            record_act(run, RELEASED, arm=arm, seed=k, **where)
            path = run.inside(arm, f"s{k}", NAME)
            record = checkpoint.finished(path) or {}
            saved = record["breakers"]
            released = dict.fromkeys([*saved.get("released", ()), name])
            saved = {**saved, "paused": None, "released": list(released)}
            checkpoint.rewrite_record(path, {**record, "breakers": saved})
    return len(own)
