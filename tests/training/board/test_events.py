"""Event files, read back as TensorBoard reads them: tags, axis, bands, HParams, pages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support.boards import Board
from support.training_fixtures import EVERY_POINT, small

from tacit.emergence import stats
from tacit.emergence.registry import PROBES
from tacit.emergence.words import key_lines, short, words_given
from tacit.envs import kpi as kpis
from tacit.training.board.event_file import event_files
from tacit.training.board.read_scalars import read_scalars
from tacit.training.config.experiment_file import TrainConfig
from tacit.training.outcome.summary import read_summary
from tacit.training.runs import seed_run
from tacit.training.runs.evaluation import evaluation_points
from tacit.training.storage.load_run import read_experiment
from tacit.training.storage.run_folder import RunFolder

SEEDS = 3
CALM = ["kpi=calm", "agents.bidder=banchio"]
SHOWN = ("clearing_price", "revenue", "fill", "welfare", "collusion_index")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two arms, the second added later, as a user would."""
    results = tmp_path_factory.mktemp("results")
    small(results, f"seeds={SEEDS}", as_arm="profit")
    small(results, f"seeds={SEEDS}", *CALM, as_arm="calm")
    return RunFolder(results / "ad_auction")


@pytest.fixture(scope="module")
def board(run):
    return Board(run.path)


@pytest.fixture(scope="module")
def summary(run):
    return read_summary(run.summary)


# --- seeds ---------------------------------------------------------------------------------------


def test_the_runs(board):
    arms = [f"{arm}/{part}" for arm in ("calm", "profit") for part in ("_band", "s0", "s1", "s2")]
    assert board.runs == [".", *arms]


def test_the_tags_of_a_seed(board):
    seats = ("bidder_0", "bidder_1")
    own = ("profit", "win", "spend", "bid", "shading", "price_change", "clearing_price")
    tags = {f"reward/{s}" for s in seats} | {f"fundamental/{s}" for s in seats}
    tags |= {f"kpi/{s}/{term}" for s in seats for term in ("profit", "price_change")}
    tags |= {f"measure/{s}/{name}" for s in seats for name in own}
    tags |= {f"measure/market/{name}" for name in SHOWN[:4]}
    tags |= {"probe/collusion_index", "probe/winner_share"}
    tags |= {f"probe/cycle_{kind}_share" for kind in ("1", "2", "3plus")}
    found = board.tags("calm/s1")
    assert tags <= found
    extra = {tag.removeprefix("probe/") for tag in found - tags}
    assert "tempted_states" in extra
    assert extra <= {name for probe in PROBES.values() for name in probe.figures}


@pytest.mark.parametrize(
    "settings",
    [[], ["train.copies=3"], ["train.episode_rounds=100"], ["train.evaluate_every=4000"]],
)
def test_the_axis_is_rounds_per_copy(settings, tmp_path):
    small(tmp_path, EVERY_POINT, "seeds=1", *settings)
    steps = list(Board(tmp_path / "ad_auction").scalars("base/s0", "measure/market/revenue"))
    cut = 20_000 - 5_000  # what the summary measures begins at a point of its own
    assert steps[-1] == 20_000
    assert cut in steps
    if "train.evaluate_every=4000" in settings:
        assert steps == sorted({*range(4000, 20_000, 4000), cut, 20_000})
    else:
        assert len(steps) == 24
        gaps = [b - a for a, b in pairwise([0, *steps])]
        assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("rounds", "last"),
    [(600_000, 20_000), (1_000_000, 20_000), (30, 30), (30, 1), (7, 3), (24, 12), (10_000_000, 1)],
)
def test_no_two_points_lie_close_together(rounds, last):
    points = evaluation_points(TrainConfig(rounds=rounds, measure_last=last))
    assert points == sorted(set(points))
    assert points[-1] == rounds
    assert rounds - last in (0, *points)
    gaps = [b - a for a, b in pairwise([0, *points])]
    assert min(gaps) >= min(last, rounds // 24)
    assert max(gaps) <= -(-rounds // 22)


def test_a_seed_that_stops_ends_where_it_stopped(tmp_path):
    rule = ["agents.bidder.stop_after=300", "agents.bidder.epsilon_decay=.01"]
    found = small(tmp_path, *rule, "agents.bidder.initial_q=0")["measures"]["rounds_to_stop"]
    board = Board(tmp_path / "ad_auction")
    for k, rounds in enumerate(found["per_seed"]):
        end = rounds + 300  # the window in which nothing may change is not counted
        assert max(board.scalars(f"base/s{k}", "reward/bidder_0")) == end
        assert board.scalars(f"base/s{k}", "probe/rounds_to_stop") == {end: rounds}


def test_points_after_the_cut_average_to_the_summary(board, summary):
    for k in range(SEEDS):
        points = board.scalars(f"calm/s{k}", "measure/market/revenue")
        steps = [0, *points]
        last = [(b - a, points[b]) for a, b in pairwise(steps) if a >= 15_000]
        mean = sum(n * value for n, value in last) / 5_000
        assert mean == pytest.approx(
            summary["calm"]["measures"]["revenue"]["per_seed"][k], rel=1e-5
        )


def test_a_reward_is_its_weighted_terms(board):
    reward, profit, change = (
        board.scalars("calm/s2", tag)
        for tag in ("reward/bidder_1", "kpi/bidder_1/profit", "kpi/bidder_1/price_change")
    )
    assert all(reward[x] == pytest.approx(profit[x] - change[x], abs=1e-6) for x in reward)
    assert profit == board.scalars("calm/s2", "fundamental/bidder_1")


# --- bands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", SHOWN)
def test_bands_are_t_intervals_over_seeds(board, measure):
    tag = f"probe/{measure}" if measure == "collusion_index" else f"measure/market/{measure}"
    seeds = [board.scalars(f"profit/s{k}", tag) for k in range(SEEDS)]
    mean, low, high = (
        board.scalars("profit/_band", f"band/{measure}/{end}") for end in ("mean", "lo", "hi")
    )
    assert mean.keys() == seeds[0].keys()
    for step, value in mean.items():
        e = stats.student([s[step] for s in seeds])
        assert (value, low[step], high[step]) == pytest.approx((e.mean, e.low, e.high), rel=1e-5)


def test_the_last_band_is_the_summary_s_where_they_measure_the_same_rounds(tmp_path):
    found = small(tmp_path, "train.evaluate_every=5000", "seeds=4")["measures"]["revenue"]
    board = Board(tmp_path / "ad_auction")
    ends = [board.scalars("base/_band", f"band/revenue/{e}")[20_000] for e in ("mean", "lo", "hi")]
    assert ends == pytest.approx([found["mean"], *found["ci95"]], rel=1e-5)


def test_one_seed_has_a_band_of_no_width(tmp_path):
    small(tmp_path, "seeds=1")
    board = Board(tmp_path / "ad_auction")
    mean, low, high = (
        board.scalars("base/_band", f"band/revenue/{e}") for e in ("mean", "lo", "hi")
    )
    assert mean == low == high != {}


# --- pages ---------------------------------------------------------------------------------------


def test_hparams_has_one_row_an_arm(board):
    experiment = board.experiment()
    groups = {group.name: group for group in board.session_groups(experiment)}
    assert {name: len(group.sessions) for name, group in groups.items()} == {
        "calm": 1, "profit": 1,
    }  # fmt: skip
    weight = "kpi.bidder.price_change"
    assert groups["calm"].hparams[weight].number_value == -1
    assert groups["profit"].hparams[weight].number_value == 0
    assert groups["calm"].hparams["agents.bidder.discount"].number_value == 0.99


def test_hparams_columns_are_what_differs_between_arms(board):
    names = {info.name for info in board.experiment().hparam_infos}
    keys = ("learning_rate", "discount", "epsilon", "epsilon_decay", "initial_q")
    beside = {"clearing_price, mean [95 %]", "n", "Verdict"}
    assert names - beside == {"kpi.bidder.price_change", *(f"agents.bidder.{k}" for k in keys)}
    assert beside < names


def test_hparams_metrics_are_the_means_of_the_summary(board, summary):
    experiment = board.experiment()
    tags = [info.name.tag for info in experiment.metric_infos]
    assert {"summary/revenue", "summary/profit/bidder_1", "summary/collusion_index"} < set(tags)
    for group in board.session_groups(experiment):
        shown = {m.name.tag: m.value for m in group.metric_values}
        measures = summary[group.name]["measures"]
        means = {tag: measures[tag.removeprefix("summary/")]["mean"] for tag in tags}
        assert shown == pytest.approx(means, rel=1e-6)


def test_hparams_has_interval_n_and_verdict_as_text(board, summary):
    for group in board.session_groups(board.experiment()):
        shown = {name: group.hparams[name].string_value for name in group.hparams}
        own = summary[group.name]["measures"]["clearing_price"]
        found = stats.student(own["per_seed"])
        told = f"{stats.number(found.mean)} {stats.interval(found)}"
        assert shown["clearing_price, mean [95 %]"] == told
        assert shown["n"] == str(SEEDS)
        words = words_given(summary[group.name]["verdicts"])
        assert shown["Verdict"] == ", ".join(map(short, words)) != ""


def test_every_chart_of_custom_scalars_is_in_every_band(board):
    (category,) = board.charts(".").category
    assert category.title == f"ad_auction: mean and 95 % band, n = {SEEDS} seeds"
    assert [chart.title for chart in category.chart] == list(SHOWN)
    for chart in category.chart:
        (series,) = chart.margin.series
        for arm in ("calm", "profit"):
            assert {series.value, series.lower, series.upper} <= board.tags(f"{arm}/_band")


def test_the_text_page_has_every_kpi_in_words(run, board):
    text = board.text(".", "incentives")
    assert "nvalidated objective" in text
    for name, arm in read_experiment(run).arms.items():
        for seat, terms in arm.kpi.items():
            assert f"| {name} | {seat} | {kpis.sentence(terms)} |" in text
    assert "What do two learning bidders pay" in board.text(".", "question")


def test_the_text_page_says_what_words_mean(board, summary):
    page = board.text(".", "words")
    assert "| tacit collusion | leaving pays at once" in page
    for name, own in summary.items():
        words = words_given(own["verdicts"])
        text = board.text(f"{name}/_band", "verdict")
        assert all(f"{line}  " in text for line in key_lines(words))
        assert words


def test_training_again_leaves_one_event_file_a_run(run, board):
    small(run.path.parent, f"seeds={SEEDS}", as_arm="profit")
    again = Board(run.path)
    assert again.runs == board.runs
    assert all(len(list(f.parent.glob("events.*"))) == 1 for f in run.path.rglob("events.*"))
    assert again.experiment() == board.experiment()


def test_beyond_sixteen_seeds_curves_are_kept_and_not_listed(tmp_path, monkeypatch):
    """TensorBoard selects nothing in a run of more than 500; bands are over all seeds."""
    assert seed_run.LISTED_SEEDS == 16
    monkeypatch.setattr(seed_run, "LISTED_SEEDS", 2)
    small(tmp_path, "seeds=4", "train.rounds=2000", "train.measure_last=500")
    base = tmp_path / "ad_auction/base"
    listed = {p.parent.name for p in base.glob("s*/*tfevents*")}
    assert listed == {"s0", "s1"}
    for k in (1, 3):
        (path,) = event_files(base / f"s{k}")
        assert (path.name.startswith("curves.out.")) == (k == 3)
        assert any(tag == "measure/market/revenue" for tag, _ in read_scalars(base / f"s{k}"))
    every = [read_scalars(base / f"s{k}", {"measure/market/revenue"}) for k in range(4)]
    band = read_scalars(base / "_band", {"band/revenue/mean"})
    step = max(step for _, step in band)
    (group,) = (board := Board(tmp_path / "ad_auction")).session_groups(board.experiment())
    in_all = read_summary(tmp_path / "ad_auction/summary.json")["base"]["measures"]["revenue"]
    metric = {m.name.tag: m.value for m in group.metric_values}["summary/revenue"]
    assert (metric, in_all["n"]) == (pytest.approx(in_all["mean"], rel=1e-6), 4)
    mean = sum(own["measure/market/revenue", step] for own in every) / 4
    assert band["band/revenue/mean", step] == pytest.approx(mean, rel=1e-6)
