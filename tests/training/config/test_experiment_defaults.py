"""What a key of an experiment is where nobody sets it: with another, old files train anew."""

from __future__ import annotations

import pytest

from tacit.training.config.breaker_settings import BreakerConfig, RedirectConfig
from tacit.training.config.experiment_file import ExperimentFile, RecordConfig, TrainConfig
from tacit.training.config.references import Reference

NOTHING: dict = {}
DEFAULTS = {
    TrainConfig: {
        "rounds": 600_000, "episode_rounds": None, "copies": 1, "measure_last": 20_000,
        "evaluate_every": None, "starts_from": None,
    },
    RecordConfig: {"keyframe_bytes": 1_000_000, "sample_rounds": 200},
    RedirectConfig: {
        "kpi": NOTHING, "market": NOTHING, "fresh_stream": False, "forget": False, "memory": None,
        "rivals_data": None, "updates": None, "partners": None, "policies": None,
    },
    BreakerConfig: {
        "low": None, "high": None, "points": 1, "scope": "seed", "to": None, "redirect": None,
        "times": None, "from_": 0, "wait": False, "spent": None,
    },
    ExperimentFile: {
        "question": "", "source": "", "kpi": NOTHING, "agents": NOTHING, "train": NOTHING,
        "record": NOTHING, "policies": NOTHING, "breakers": NOTHING, "seeds": 16, "seed": 0,
        "requires": [],
        "arms": NOTHING, "references": [], "published": [], "predicted": [],
        "expected_verdict": None, "shares": None, "figure": None, "explains": "", "compute": "",
        "adoption": None,
    },
    Reference: {
        "quantity": "", "measure": "", "value": None, "versus": None, "expected": None,
        "tolerance": None, "statistic": "mean", "source": "", "read": "checked", "word": "",
        "written": None, "fitted": "",
    },
}  # fmt: skip


@pytest.mark.parametrize("model", DEFAULTS, ids=lambda model: model.__name__)
def test_every_key_has_its_default(model):
    fields = model.model_fields.items()
    found = {name: f.get_default() for name, f in fields if not f.is_required()}
    assert found == DEFAULTS[model]


@pytest.mark.parametrize(
    ("model", "key", "least"),
    [
        (TrainConfig, "rounds", 20_000),  # as many as are measured
        (TrainConfig, "episode_rounds", 1),
        (TrainConfig, "copies", 1),
        (TrainConfig, "measure_last", 1),
        (TrainConfig, "evaluate_every", 1),
        (RecordConfig, "keyframe_bytes", 0),
        (RecordConfig, "sample_rounds", 0),
    ],
)
def test_the_least_that_a_key_may_be(model, key, least):
    assert getattr(model(**{key: least}), key) == least
    with pytest.raises(ValueError, match=key):
        model(**{key: least - 1})


@pytest.mark.parametrize(("key", "ends"), [("seeds", (1, 100_000)), ("seed", (0, 10**12))])
def test_how_many_seeds_there_may_be(key, ends):
    for value in ends:
        assert getattr(ExperimentFile(market="ad_auction", **{key: value}), key) == value
    refused = (0, 100_001) if key == "seeds" else (-1,)
    for value in refused:
        with pytest.raises(ValueError, match=key):
            ExperimentFile(market="ad_auction", **{key: value})
