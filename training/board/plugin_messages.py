"""Messages for TensorBoard's plugins: the table of HParams, the charts of Custom Scalars.

HParams: the table's columns are written once, in the run's root; every arm is one session
(`arm_session.py`).
Bands: TensorBoard aggregates nothing, so mean and interval over seeds are written as scalars
(`bands.py`), and Custom Scalars draws them as margins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tensorboard.compat.proto import summary_pb2, tensor_pb2
from tensorboard.plugins.custom_scalar import layout_pb2, metadata
from tensorboard.plugins.hparams import summary_v2 as hp


def as_summary(message: Any) -> Any:
    """A plugin's own `Summary` message as the one that event files hold.

    They have equal fields but are different classes, which protobuf does not mix.
    """
    summary = summary_pb2.Summary()
    summary.ParseFromString(message.SerializeToString())
    return summary


def hparams_columns(
    columns: Mapping[str, Sequence[Any]], texts: Iterable[str], metrics: Mapping[str, str]
) -> Any:
    """The columns of the HParams table.

    Args:
        columns: settings, each with the values that arms have.
        texts: columns of text whose values are not known yet, such as verdicts.
        metrics: tags whose last values are shown beside them, each with the column's title.
    """
    settings = [hp.HParam(name, _domain(values)) for name, values in columns.items()]
    settings += [hp.HParam(name) for name in texts]
    titled = [hp.Metric(tag, display_name=title) for tag, title in metrics.items()]
    return as_summary(hp.hparams_config_pb(hparams=settings, metrics=titled))


def hparams_session(settings: Mapping[str, Any], arm: str) -> Any:
    """The HParams row of an arm: what stands in the columns of settings and of text."""
    values = {name: _plugin_value(value) for name, value in settings.items()}
    return as_summary(hp.hparams_pb(values, trial_id=arm))


def band_charts(measures: Sequence[str], title: str) -> Any:
    """The page of Custom Scalars: a chart a measure, its mean with the 95 % band, a line an arm."""
    category = layout_pb2.Category(title=title, chart=[_band_chart(name) for name in measures])
    layout = layout_pb2.Layout(category=[category]).SerializeToString()
    # The plugin's own function for this message needs TensorFlow.
    value = summary_pb2.Summary.Value(
        tag=metadata.CONFIG_SUMMARY_TAG,
        tensor=tensor_pb2.TensorProto(dtype="DT_STRING", string_val=[layout]),
        metadata=metadata.create_summary_metadata(),
    )
    return summary_pb2.Summary(value=[value])


def band_tags(measure: str) -> tuple[str, str, str]:
    """Tags of a measure's mean and of the ends of its interval."""
    return f"band/{measure}/mean", f"band/{measure}/lo", f"band/{measure}/hi"


def _band_chart(measure: str) -> Any:
    mean, low, high = band_tags(measure)
    series = layout_pb2.MarginChartContent.Series(value=mean, lower=low, upper=high)
    return layout_pb2.Chart(title=measure, margin=layout_pb2.MarginChartContent(series=[series]))


def _domain(values: Sequence[Any]) -> Any:
    """What a column may hold: a range of numbers, or a list of values."""
    # bool comes first, as Python counts it among the integers.
    if all(isinstance(v, bool) for v in values):
        return hp.Discrete(sorted(set(values)))
    if all(isinstance(v, int | float) for v in values):
        return hp.RealInterval(float(min(values)), float(max(values)))
    return hp.Discrete(sorted({str(v) for v in values}))


def _plugin_value(value: Any) -> bool | float | str:
    """A setting as the plugin can hold it: text unless it is a truth value or a number."""
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else str(value)
