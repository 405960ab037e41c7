"""Plots that a second process draws: the same bytes, and none is missing whatever happens to it."""

from __future__ import annotations

import pytest
from support.training_fixtures import small

from tacit.training.board import picture_process
from tacit.training.board.picture_process import PictureProcess
from tacit.training.board.plots import PLOTS, draw_plots, drawn_from
from tacit.training.outcome import ahead
from tacit.training.runs import runner
from tacit.training.storage.run_folder import RunFolder

pytestmark = [pytest.mark.plots("rendered"), pytest.mark.full_mirror]


def estimate(mean: float) -> dict:
    return {"mean": mean, "ci95": [mean - 0.1, mean + 0.1], "n": 3, "per_seed": [mean] * 3}


MEASURES = {
    "profit": estimate(1.0),
    **{f"impulse/{part}/{k}": estimate(0.1 * k) for part in ("path", "rival", "deviator")
       for k in range(4)},
    **{f"{part}/revenue": estimate(0.3)
       for part in ("mirror", "mirror_low", "mirror_high", "harm", "harm_kpi")},
}  # fmt: skip


@pytest.fixture
def process():
    made = PictureProcess()
    yield made
    made.close()


def test_plots_are_drawn_from_what_they_read_alone():
    kept = drawn_from(MEASURES)
    assert "profit" not in kept
    assert "per_seed" not in kept["harm/revenue"]
    assert draw_plots("calm", kept) == draw_plots("calm", MEASURES)


def test_the_process_draws_the_same_bytes(process):
    process.ask("calm", MEASURES)
    found = process.pictures("calm", MEASURES)
    assert found == draw_plots("calm", MEASURES)
    assert list(found) == list(PLOTS)
    assert process.count == 1


def test_what_was_not_asked_for_is_not_waited_for(process):
    assert process.pictures("calm", MEASURES) is None
    process.close()
    process.ask("calm", MEASURES)
    assert process.pictures("calm", MEASURES) is None


@pytest.mark.parametrize("worker", [("/no/such/program",), ("/bin/false",), ("/bin/echo", "no")])
def test_a_process_that_fails_draws_nothing_and_nobody_waits(process, worker, monkeypatch):
    monkeypatch.setattr(picture_process, "WORKER", worker)
    process.ask("calm", MEASURES)
    assert process.pictures("calm", MEASURES) is None


def test_a_mistake_is_left_to_the_parent_and_the_next_one_is_drawn(process):
    wrong = {name: x for name, x in MEASURES.items() if name != "harm_kpi/revenue"}
    process.ask("wrong", wrong)
    process.ask("calm", MEASURES)
    assert process.pictures("wrong", wrong) is None
    assert process.pictures("calm", MEASURES)


# --- in a run -------------------------------------------------------------------------------------


def train(results, name):
    arms = {"calm": {}, "loud": {"market.price_mix": 1}}
    return small(results, "seeds=2", config={"market": "ad_auction", "arms": arms}, name=name)


def pictures(results, name):
    run = RunFolder(results / name)
    return {p.relative_to(run.path): p.read_bytes() for p in run.path.rglob("_band/*.png")}


@pytest.mark.slow
def test_a_run_has_the_same_pictures_whoever_draws_them(tmp_path, monkeypatch):
    used = []
    leave = ahead.Ahead.__exit__
    monkeypatch.setattr(
        ahead.Ahead, "__exit__", lambda s, *a: (used.append(s.pictures.count), leave(s, *a))[1]
    )
    monkeypatch.setattr(ahead, "FROM_ARMS", 1)
    one = train(tmp_path, "beside")
    monkeypatch.setattr(picture_process, "WORKER", ("/bin/false",))
    other = train(tmp_path, "failing")
    monkeypatch.setattr(ahead, "FROM_ARMS", 9)
    third = train(tmp_path, "alone")
    assert used == [2, 0, 0]
    drawn = [pictures(tmp_path, name) for name in ("beside", "failing", "alone")]
    assert len(drawn[0]) == 4
    assert drawn[0] == drawn[1] == drawn[2]
    measures = [{a: s["arms"][a]["measures"] for a in s["arms"]} for s in (one, other, third)]
    assert measures[0] == measures[1] == measures[2]


@pytest.mark.slow
def test_an_interrupted_run_leaves_no_process_and_is_completed(tmp_path, monkeypatch):
    """Stopped when the first arm has ended: its pictures are under way."""
    processes = []
    ask = PictureProcess.ask

    def asked(self, *args):
        ask(self, *args)
        processes.append(self._process)
        if len(processes) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(ahead, "FROM_ARMS", 1)
    monkeypatch.setattr(ahead.Ahead, "ended", lambda self, name, records: asked(
        self.pictures, name, MEASURES))  # fmt: skip
    with pytest.raises(runner.Interrupted):
        train(tmp_path, "run")
    assert processes[0].poll() is not None
    monkeypatch.undo()
    monkeypatch.setattr(ahead, "FROM_ARMS", 9)
    train(tmp_path, "run")
    assert len(pictures(tmp_path, "run")) == 4
