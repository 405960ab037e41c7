"""Scalars read back from event files."""

from __future__ import annotations

from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2

from .event_file import event_files


def read_scalars(folder: Path, tags: set[str] | None = None) -> dict[tuple[str, int], float]:
    """`{(tag, step): value}` of the event files in a folder; of repetitions that were rolled back,
    those of the branch that went on.

    Args:
        folder: where the files are.
        tags: only these; all by default.
    """
    found: dict[tuple[str, int], float] = {}
    for path in event_files(folder):
        for raw in RawEventFileLoader(str(path)).Load():
            event = event_pb2.Event.FromString(raw)
            if event.session_log.status == event_pb2.SessionLog.START:
                found = {key: x for key, x in found.items() if key[1] < event.step}
            for value in event.summary.value:
                if value.HasField("simple_value") and (tags is None or value.tag in tags):
                    found[value.tag, event.step] = value.simple_value
    return found
