"""Scalars read back from event files."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.message import DecodeError
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2

from .event_file import Curve, event_files

HEAD, TAIL = 12, 4  # bytes of a record before and behind its data: its length, and two checksums
MOST_BACK = 2_000  # records from the end among which an evaluation point is looked for


def read_scalars(folder: Path, tags: set[str] | None = None) -> Curve:
    """`{(tag, step): value}` of the event files in a folder; of repetitions that were rolled back,
    those of the branch that went on.

    Args:
        folder: where the files are.
        tags: only these; all by default.
    """
    found: Curve = {}
    for path in event_files(folder):
        for raw in RawEventFileLoader(str(path)).Load():
            event = event_pb2.Event.FromString(raw)
            if event.session_log.status == event_pb2.SessionLog.START:
                found = {key: x for key, x in found.items() if key[1] < event.step}
            for value in event.summary.value:
                if value.HasField("simple_value") and (tags is None or value.tag in tags):
                    found[value.tag, event.step] = value.simple_value
    return found


def last_scalars(folder: Path, step: int, prefix: str) -> dict[str, float]:
    """The scalars of one evaluation point, read from the end of the last event file.

    Records are only counted until the last ones are reached, so this takes milliseconds also of a
    long file, and of one that is being written.

    Args:
        folder: where the files are.
        step: rounds played at the evaluation point.
        prefix: only tags that begin with it.

    Returns:
        Values by tag without the prefix; empty where the point is not among the last MOST_BACK
        records.
    """
    paths = event_files(folder)
    if not paths:
        return {}
    data = paths[-1].read_bytes()
    starts, at = list[tuple[int, int]](), 0
    while at + HEAD <= len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        starts.append((at + HEAD, size))
        at += HEAD + size + TAIL
    for first, size in reversed(starts[-MOST_BACK:]):
        if first + size > len(data):
            continue  # not written to its end yet
        try:
            event = event_pb2.Event.FromString(data[first : first + size])
        except DecodeError:
            return {}
        found = {
            value.tag.removeprefix(prefix): value.simple_value
            for value in event.summary.value
            if value.HasField("simple_value") and value.tag.startswith(prefix)
        }
        if found and event.step == step:
            return found
    return {}
