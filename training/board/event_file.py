"""TensorBoard event files, written with TensorBoard's own record writer, without torch.

One event per evaluation point holds all scalars of a run. HParams: the experiment's columns stand
once in the run's root, every seed is a trial of its arm. Bands: TensorBoard aggregates nothing, so
`<arm>/_band` holds mean, lo and hi over seeds, and Custom Scalars draws them as margins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.plugins.custom_scalar import layout_pb2, metadata
from tensorboard.plugins.hparams import summary_v2 as hp
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter

LISTED, UNLISTED = "events.out.tfevents.", "curves.out."  # TensorBoard looks for the first only


def event_files(folder: Path) -> list[Path]:
    """The event files of a folder, whether TensorBoard lists them or not."""
    return sorted(path for name in (LISTED, UNLISTED) for path in folder.glob(f"{name}*"))


class EventFile:
    """An event file in a folder; old ones there are replaced, as a run is told once.

    `goes_on`: the file to go on with, and its size (see `size`); what came later is cut off.
    `listed`: TensorBoard shows it.
    """

    def __init__(
        self, folder: Path, goes_on: Mapping[str, int] | None = None, listed: bool = True
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        kept = {name: n for name, n in (goes_on or {}).items() if (folder / name).is_file()}
        for old in event_files(folder):
            if old.name not in kept:
                old.unlink()
        stamp = f"{LISTED if listed else UNLISTED}{int(time.time())}.tacit.{os.getpid()}"
        self.path = folder / next(iter(kept), stamp)
        self._file = self.path.open("r+b" if kept else "wb")
        self._writer = RecordWriter(self._file)
        if kept:
            self._file.seek(self._file.truncate(kept[self.path.name]))
        else:
            self._write(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def size(self) -> dict[str, int]:
        """The file's name and how much of it is written, on disk."""
        self._writer.flush()
        return {self.path.name: self._file.tell()}

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """All values of one evaluation point."""
        made = [summary_pb2.Summary.Value(tag=t, simple_value=v) for t, v in values.items()]
        summary = summary_pb2.Summary(value=made)
        self._write(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def summary(self, summary: Any, step: int = 0) -> None:
        """A ready summary, as the plugins make them."""
        self._write(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def image(self, tag: str, png: bytes, width: int, height: int) -> None:
        """A picture of the Images tab."""
        image = summary_pb2.Summary.Image(
            encoded_image_string=png, width=width, height=height, colorspace=3
        )
        self.summary(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, image=image)]))

    def text(self, tag: str, markdown: str) -> None:
        """A page of the Text tab."""
        self.summary(_as_summary(text_pb(tag, markdown)))

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())


def _as_summary(pb: Any) -> Any:
    """Plugins' messages as the plain event file needs them."""
    summary = summary_pb2.Summary()
    summary.ParseFromString(pb.SerializeToString())
    return summary


def hparams_config(columns: Mapping[str, Sequence[Any]], metrics: Iterable[str]) -> Any:
    """The experiment's table: its columns (values that differ between arms) and its metrics."""
    shown = [hp.HParam(name, _domain(values)) for name, values in columns.items()]
    return _as_summary(
        hp.hparams_config_pb(hparams=shown, metrics=[hp.Metric(tag) for tag in metrics])
    )


def _domain(values: Sequence[Any]) -> Any:
    if all(isinstance(v, bool) for v in values):
        return hp.Discrete(sorted(set(values)))
    if all(isinstance(v, int | float) for v in values):
        return hp.RealInterval(float(min(values)), float(max(values)))
    return hp.Discrete(sorted({str(v) for v in values}))


def hparams_trial(values: Mapping[str, Any], arm: str) -> Any:
    """One seed's row; seeds of an arm share a trial, so the table has one row an arm."""
    plain = {k: v if isinstance(v, bool | int | float) else str(v) for k, v in values.items()}
    plain = {k: float(v) if type(v) is int else v for k, v in plain.items()}
    return _as_summary(hp.hparams_pb(plain, trial_id=arm))


def band_layout(measures: Sequence[str], title: str) -> Any:
    """Custom Scalars: for every measure its mean with the 95 % band, one line an arm."""

    def chart(measure: str) -> Any:
        value, lower, upper = (f"band/{measure}/{part}" for part in ("mean", "lo", "hi"))
        series = layout_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)
        content = layout_pb2.MarginChartContent(series=[series])
        return layout_pb2.Chart(title=measure, margin=content)

    category = layout_pb2.Category(title=title, chart=[chart(m) for m in measures])
    layout = layout_pb2.Layout(category=[category]).SerializeToString()
    # (the plugin's own `pb` needs TensorFlow; this is the same message)
    tensor = tensor_pb2.TensorProto(dtype="DT_STRING", string_val=[layout])
    value = summary_pb2.Summary.Value(
        tag=metadata.CONFIG_SUMMARY_TAG,
        tensor=tensor,
        metadata=metadata.create_summary_metadata(),
    )
    return summary_pb2.Summary(value=[value])
