"""Bands over seeds: made of what records hold, the same as from event files."""

from __future__ import annotations

import json

import pytest
from support.training_fixtures import small

from tacit.training.board import bands
from tacit.training.board.bands import KEY, banded_measures, curve_of, record_of
from tacit.training.board.event_file import EventFile, event_files
from tacit.training.board.read_scalars import read_scalars
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import write_sealed
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

TAGS = {"a", "b"}


def test_a_curve_is_what_would_be_read_back(tmp_path):
    """Through a restart, and when the file is cut and continued."""
    with EventFile(tmp_path, curve_tags=TAGS) as events:
        events.scalars(1, {"a": 0.1, "b": 2.0, "c": 1.0})
        events.scalars(2, {"a": 0.2})
        events.restart(2)
        events.scalars(2, {"b": 1 / 3})
        assert events.curve[("a", 1)] != 0.1  # an event file has 32 bits for it
        size = events.size()
        events.scalars(3, {"a": 5.0})
    with EventFile(tmp_path, size, curve_tags=TAGS) as events:
        assert set(events.curve) == {("a", 1), ("b", 1), ("b", 2)}
        events.scalars(4, {"a": 0.7})
    assert events.curve == read_scalars(tmp_path, TAGS)


def test_a_file_that_is_missing_is_begun_with_an_empty_curve(tmp_path):
    with EventFile(tmp_path, {"events.out.tfevents.1.tacit.1": 10}, curve_tags=TAGS) as events:
        assert events.curve == {}


def test_a_record_gives_the_curve_back(tmp_path, monkeypatch):
    curve = {("a", 1): 0.5, ("b", 1): 1.0, ("b", 3): 2.0}
    kept = json.loads(json.dumps(record_of(curve)))
    assert kept == {KEY: {"rounds": [1, 3], "scalars": {"a": [0.5, None], "b": [1.0, 2.0]}}}
    monkeypatch.setattr(bands, "banded_measures", lambda tags: {tag: tag for tag in tags})
    assert curve_of(kept, tmp_path, TAGS) == curve
    assert curve_of(kept, tmp_path, {"a"}) == {("a", 1): 0.5}


@pytest.mark.parametrize("curve", [{}, {("a", 1): float("nan")}, {("a", 1): float("inf")}])
def test_what_json_cannot_hold_is_left_to_the_event_file(curve):
    assert record_of(curve) == {}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    small(results, "seeds=2")
    return RunFolder(results / "ad_auction")


def test_a_run_keeps_its_evaluation_points(run):
    arm = read_experiment(run).arms["base"]
    tags = set(banded_measures(arm).values())
    for k in range(2):
        record = checkpoint.finished(run.checkpoint("base", k))
        assert set(record[KEY]["scalars"]) == tags
        assert curve_of(record, run.seed("base", k), arm) == read_scalars(run.seed("base", k), tags)


def test_bands_read_no_event_file_and_bands_of_an_older_run_do(run, monkeypatch, tmp_path):
    """Every record of a band is the same; older records have no points."""
    arm = read_experiment(run).arms["base"]
    records = [checkpoint.finished(run.checkpoint("base", k)) for k in range(2)]
    folders = [run.seed("base", k) for k in range(2)]

    def written(name, records, folders):
        with EventFile(tmp_path / name, rank=0) as events:
            each = zip(records, folders, strict=True)
            bands.write_bands(events, [curve_of(*one, arm) for one in each], arm)
        return read_scalars(tmp_path / name)

    new = written("new", records, [tmp_path] * 2)  # no event file lies there
    older = [{key: x for key, x in record.items() if key != KEY} for record in records]
    assert written("old", older, folders) == new
    assert written("mixed", [records[0], older[1]], folders) == new
    assert new == {
        key: x for key, x in read_scalars(run.band("base")).items() if key[0].startswith("band/")
    }


def test_an_older_run_is_completed_from_its_event_files(tmp_path):
    """Its records are sealed and hold no points; its bands are lost and made again."""
    small(tmp_path, "seeds=2")
    run = RunFolder(tmp_path / "ad_auction")
    before = read_scalars(run.band("base"))
    for k in range(2):
        path = run.checkpoint("base", k).with_suffix(".json")
        record = json.loads(path.read_text())
        write_sealed(path, {key: x for key, x in record.items() if key != KEY})
    for path in (run.seals, run.ledger, *event_files(run.band("base"))):
        path.unlink()
    small(tmp_path, "seeds=2")
    assert read_scalars(run.band("base")) == before
