"""TensorBoard event files, written without torch.

One event holds all scalars of one evaluation point. The messages of TensorBoard's plugins (HParams,
Custom Scalars) are made in `plugin_messages.py`.
"""

from __future__ import annotations

import html
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.text.summary_v2 import text_pb

from tacit.training.plain_text import visible

from .plugin_messages import as_summary
from .record_writer import RecordWriter

# TensorBoard looks for the first name only; files of the second kind hold the same records.
LISTED, UNLISTED = "events.out.tfevents.", "curves.out."
FORMAT = "brain.Event:2"  # what every event file says of itself in its first record
# TensorBoard's older pages, Custom Scalars among them, colour runs by their place in the order of
# when each began, with seven colours in turn. Runs that begin in the first seconds of 1970 come
# first, so that no two of the first seven share a colour, however many runs follow.
RANKED = 1.0
Curve = dict[tuple[str, int], float]  # scalars by tag and step
RGB = 3  # a PNG's colour space, as TensorBoard numbers them


def event_files(folder: Path) -> list[Path]:
    """The event files of a folder, whether TensorBoard lists them or not, by name."""
    return sorted(path for name in (LISTED, UNLISTED) for path in folder.glob(f"{name}*"))


def as_stored(value: float) -> float:
    """A scalar as an event file holds it, which has 32 bits for it."""
    return float(np.float32(value))


class EventFile:
    """The event file of a folder, open for writing; a context that closes it at its end.

    Attributes:
        path: the file.
        curve: the scalars of `curve_tags`, by tag and step, as `read_scalars` would read
            them back.
    """

    def __init__(
        self,
        folder: Path,
        resume: Mapping[str, int] | None = None,
        listed: bool = True,
        rank: int | None = None,
        curve_tags: Collection[str] = (),
    ) -> None:
        """Open a file; older ones in the folder are removed, or curves would be drawn twice.

        Args:
            folder: where the file lies; made if it is missing.
            resume: what `size` returned: the file to continue, cut to the length that it had then.
                By default, and where that file is missing, a new file is begun. It comes from a
                file, so only a name that an event file can have, and no link, is continued.
            listed: whether TensorBoard shows it.
            rank: its place among all runs, where TensorBoard gives colours by place (`RANKED`);
                None: after all that have one.
            curve_tags: tags whose scalars `curve` holds too, those of a continued file included.
        """
        folder.mkdir(parents=True, exist_ok=True)
        present = {path.name for path in event_files(folder) if not path.is_symlink()}
        kept = {name: size for name, size in (resume or {}).items() if name in present}
        for old in event_files(folder):
            if old.name not in kept:
                old.unlink()
        new_name = f"{LISTED if listed else UNLISTED}{int(time.time())}.tacit.{os.getpid()}"
        self.path = folder / next(iter(kept), new_name)
        self._file = self.path.open("r+b" if kept else "xb")
        self._writer = RecordWriter(self._file)
        if kept:
            self._file.seek(self._file.truncate(kept[self.path.name]))
        else:
            began = time.time() if rank is None else RANKED + rank
            self._write(event_pb2.Event(wall_time=began, file_version=FORMAT))
        self._curve_tags = frozenset(curve_tags)
        self.curve: Curve = self._read_back(folder) if kept and self._curve_tags else {}

    def _read_back(self, folder: Path) -> Curve:
        """The scalars that a continued file holds already."""
        from .read_scalars import read_scalars  # imports this module

        return read_scalars(folder, set(self._curve_tags))

    def size(self) -> dict[str, int]:
        """The file's name, and how many bytes of it are on disk."""
        self._writer.flush()
        return {self.path.name: self._file.tell()}

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write all values of one evaluation point, by tag."""
        self.curve |= {(t, step): as_stored(v) for t, v in values.items() if t in self._curve_tags}
        tagged = [summary_pb2.Summary.Value(tag=t, simple_value=v) for t, v in values.items()]
        self.summary(summary_pb2.Summary(value=tagged), step)

    def restart(self, step: int) -> None:
        """What follows begins anew at this step: readers leave out what was written from it on."""
        self.curve = {key: x for key, x in self.curve.items() if key[1] < step}
        log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(event_pb2.Event(wall_time=time.time(), step=step, session_log=log))

    def summary(self, summary: Any, step: int = 0) -> None:
        """Write a `Summary` message, as `plugin_messages` makes them."""
        self._write(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def image(self, tag: str, png: bytes, width: int, height: int) -> None:
        """Write a picture of the Images tab; width and height in pixels."""
        image = summary_pb2.Summary.Image(
            encoded_image_string=png, width=width, height=height, colorspace=RGB
        )
        self.summary(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, image=image)]))

    def text(self, tag: str, markdown: str) -> None:
        """Write a page of the Text tab; tags of HTML in it are shown, not followed."""
        safe = html.escape(visible(markdown), quote=False)
        self.summary(as_summary(text_pb(tag, safe)))

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())
