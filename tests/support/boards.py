"""A run's event files as TensorBoard itself reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG
from tensorboard.plugins.hparams import api_pb2, get_experiment, list_session_groups
from tensorboard.plugins.hparams.backend_context import Context


class Board:
    """TensorBoard's data behind its pages, of every run below a folder."""

    def __init__(self, logdir: Path) -> None:
        self.events = EventMultiplexer(size_guidance={"scalars": 0, "tensors": 0})
        self.events.AddRunsFromDirectory(str(logdir))
        self.events.Reload()
        self.runs = sorted(self.events.Runs())
        self._provider = MultiplexerDataProvider(self.events, str(logdir))
        self._context = Context(TBContext(data_provider=self._provider, logdir=str(logdir)))

    def tags(self, run: str) -> set[str]:
        """Tags of scalars."""
        found = self._provider.list_scalars(
            RequestContext(), experiment_id="", plugin_name="scalars"
        )
        return set(found.get(run, {}))

    def scalars(self, run: str, tag: str) -> dict[int, float]:
        """Step -> value."""
        return {e.step: float(e.tensor_proto.float_val[0]) for e in self.events.Tensors(run, tag)}

    def text(self, run: str, tag: str) -> str:
        (event,) = self.events.Tensors(run, tag)
        return str(event.tensor_proto.string_val[0], "utf-8")

    def charts(self, run: str) -> Any:
        """The layout of Custom Scalars."""
        (event,) = self.events.Tensors(run, CONFIG_SUMMARY_TAG)
        return layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])

    def experiment(self) -> Any:
        """What the HParams page knows of columns and metrics."""
        request = api_pb2.GetExperimentRequest(experiment_name="")
        return get_experiment.Handler(RequestContext(), self._context, "", request).run()

    def session_groups(self, experiment: Any) -> Any:
        """Rows of the HParams page."""
        columns = [
            api_pb2.ColParams(hparam=info.name, include_in_result=True)
            for info in experiment.hparam_infos
        ]
        columns += [api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos]
        request = api_pb2.ListSessionGroupsRequest(
            start_index=0, slice_size=1000, col_params=columns,
            allowed_statuses=[api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_SUCCESS,
                              api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING],
            aggregation_type=api_pb2.AGGREGATION_AVG,
        )  # fmt: skip
        handler = list_session_groups.Handler(RequestContext(), self._context, "", request)
        return handler.run().session_groups
