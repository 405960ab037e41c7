"""Bands of up to seven arms have colours of their own on TensorBoard's older pages."""

from __future__ import annotations

import pytest
from support.training_fixtures import small
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext

from tacit.training.board.event_file import EventFile
from tacit.training.board.server import links

COLOURS = 7  # of the palette that the older pages go through again and again


def places(folder):
    """Runs in the order in which the older pages colour them: `/data/runs`."""
    events = EventMultiplexer()
    events.AddRunsFromDirectory(str(folder))
    events.Reload()
    runs = MultiplexerDataProvider(events, str(folder)).list_runs(
        RequestContext(), experiment_id=""
    )
    ordered = sorted(runs, key=lambda run: (run.start_time, run.run_name))
    return [run.run_name for run in ordered]


def test_bands_come_first_whatever_is_beside_them(tmp_path):
    for arm in ("b", "a"):
        for k in range(3):
            EventFile(tmp_path / arm / f"s{k}").__exit__()
    for rank, arm in enumerate(("b", "a")):
        EventFile(tmp_path / arm / "_band", rank=rank).__exit__()
    EventFile(tmp_path).__exit__()
    assert places(tmp_path)[:2] == ["b/_band", "a/_band"]


@pytest.mark.slow
def test_bands_of_a_run_share_no_colour(tmp_path):
    arms = {f"p{k}": {"market.price_mix": k / 6} for k in range(COLOURS)}
    config = {"market": "ad_auction", "arms": arms}
    small(tmp_path, "seeds=3", "train.rounds=2000", "train.measure_last=500", config=config,
          name="seven")  # fmt: skip
    order = places(tmp_path / "seven")
    colours = {name: place % COLOURS for place, name in enumerate(order) if "_band" in name}
    assert len(colours) == len(set(colours.values())) == COLOURS
    assert list(colours) == [f"{arm}/_band" for arm in arms]
    assert "_band" in links(6006, one_run=True)["Custom Scalars, bands over seeds"]
