"""Figures: drawn from what is there, and only if the experiment asks for one."""

from __future__ import annotations

import pytest
from support.training_fixtures import small

from tacit.training.config.load import load
from tacit.training.outcome.summary import read_summary
from tacit.training.studies import figures

PNG = b"\x89PNG"
LINES = {"x": "kpi.bidder.price_change", "y": "cycle_1_share", "lines": {"one": ["a", "b"]}}


def config(figure):
    arms = {"a": {}, "b": {"kpi.bidder.price_change": -1}}
    return {"market": "ad_auction", "arms": arms, "figure": figure}


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    small(folder, "seeds=3", config=config(None))
    return read_summary(folder / "ad_auction/summary.json")


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Whether a figure is drawn does not depend on its pixels, which take most of the time."""
    monkeypatch.setattr(figures, "DPI", 40)


COMPARE = {"compare": ["revenue", "welfare"]}


@pytest.mark.parametrize("figure", [LINES, {"histogram": "revenue"}, COMPARE])
@pytest.mark.parametrize("shown", [("a", "b"), ("b",)])
def test_a_figure_is_drawn_from_the_arms_that_were_run(figure, shown, arms, tmp_path):
    path = tmp_path / "new/figure.png"
    assert figures.draw(load(config(figure)), {name: arms[name] for name in shown}, path)
    assert path.read_bytes()[:4] == PNG


@pytest.mark.parametrize("figure", [None, LINES, {"histogram": "revenue"}, COMPARE])
def test_without_a_figure_or_arms_nothing_is_drawn(figure, arms, tmp_path):
    some = {} if figure else arms
    assert not figures.draw(load(config(figure)), some, tmp_path / "figure.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_share_of_all_or_no_seeds_can_be_drawn(arms, tmp_path):
    """Their intervals end at the share itself, where rounding once gave a bar of length below 0."""
    for name in ("cycle_1_share", "cycle_2_share", "cycle_3plus_share"):
        experiment = load(config({**LINES, "y": name}))
        assert figures.draw(experiment, arms, tmp_path / f"{name}.png")


@pytest.mark.parametrize(
    "figure", [{**LINES, "y": "revenu"}, {"histogram": "revenu"}, {"compare": ["revenu"]}]
)
def test_a_measure_that_is_not_there_is_not_drawn(figure, arms, tmp_path):
    assert not figures.draw(load(config(figure)), arms, tmp_path / "figure.png")


def test_a_comparison_may_be_of_some_arms(arms, tmp_path):
    one = load(config({**COMPARE, "arms": ["b"]}))
    assert figures.draw(one, arms, tmp_path / "one.png")
    assert not figures.draw(one, {"a": arms["a"]}, tmp_path / "none.png")


def test_an_arm_has_its_colour_in_every_panel_also_beside_one_that_lacks_the_measure(
    arms, tmp_path, monkeypatch
):
    lacks = {name: value for name, value in arms["a"]["measures"].items() if name != "welfare"}
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, *_, **__: drawn.append(figure))
    figures.draw(load(config(COMPARE)), {**arms, "a": {**arms["a"], "measures": lacks}}, tmp_path)
    looks = [[line.get_color() for line in axis.lines if len(line.get_xdata()) == 1 and
              line.get_marker() == "o"] for axis in drawn[0].axes]  # fmt: skip
    assert [len(panel) for panel in looks] == [2, 1]
    assert looks[1] == looks[0][1:]
    assert looks[0][0] != looks[0][1]


@pytest.mark.slow
def test_one_seed_is_drawn_without_an_interval(tmp_path):
    summary = small(tmp_path, "seeds=1", config=config(LINES))
    for figure in (LINES, COMPARE):
        assert figures.draw(load(config(figure)), summary["arms"], tmp_path / "figure.png")


def test_a_runs_figure_says_who_stands_behind_its_objectives(tmp_path, monkeypatch):
    from tacit.training.storage.load_run import load_run

    small(tmp_path, config=config({"histogram": "revenue"}))
    run, told = load_run("ad_auction", tmp_path), []
    monkeypatch.setattr(figures, "draw", lambda *given: told.append(given))
    figures.draw_in_run(run.experiment, read_summary(run.folder.summary), run.folder)
    ((_, _, path, footer),) = told
    assert path == run.folder.figure("ad_auction")
    assert footer == ["Unvalidated objective."]


def test_small_print_is_drawn(arms, tmp_path):
    spec = load(config({"histogram": "revenue"}))
    for name, footer in (("plain", ()), ("signed", ("Signed by $alice$.\x1b",))):
        assert figures.draw(spec, arms, tmp_path / f"{name}.png", footer)
    assert (tmp_path / "plain.png").read_bytes() != (tmp_path / "signed.png").read_bytes()


def test_rivals_of_the_literature_are_crosses_at_their_rounds(monkeypatch):
    """`impulse/rival/2` is round 2; figures of other arms and other measures are left out."""
    names = ("path", "rival", "deviator")
    measures = {f"impulse/{part}/{k}": {"mean": 0.5, "ci95": [0.4, 0.6], "n": 7, "per_seed": []}
                for part in names for k in range(4)}  # fmt: skip
    rows = [
        {"kind": "literature", "arm": arm, "measure": f"impulse/{part}", "value": value,
         "tolerance": 1, "source": "x", "quantity": f"{arm} {part}"}
        for arm, part, value in (("a", "rival/2", 0.25), ("a", "rival/0", 0.75),
                                 ("a", "path/1", 0.1), ("b", "rival/1", 0.9))
    ]  # fmt: skip
    experiment = load({**config({"path": "impulse"}), "references": rows})
    figure = figures._impulse(experiment, {"a": {"measures": measures}}, "impulse")
    (axis,) = figure.axes
    (crosses,) = (line for line in axis.lines if line.get_label() == "rivals, literature")
    assert crosses.get_xydata().tolist() == [[2, 0.25], [0, 0.75]]
