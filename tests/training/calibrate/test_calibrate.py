"""Fits on small files: what is read, fitted and played; presets; `tacit calibrate`."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from support.deliveries import DEMAND, ORDERS, START, csv, demand, orders
from support.terminal import Terminal
from support.training_fixtures import arm

from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.calibrate import Request, Sample, ad_auction, calibrate, cloud_bandwidth
from tacit.training.calibrate.samples import compare_samples
from tacit.training.calibrate.value_lists import quantile_list, significant, whole_numbers
from tacit.training.config import files

HOUR = timedelta(hours=1)


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def figures(result) -> dict[str, tuple[float, float]]:
    return {f"{r.quantity} {r.figure}": (r.observed, r.simulated) for r in result.rows}


# --- lists and comparisons -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [5, 15, 25])
def test_a_list_has_the_sample_s_quantiles(count, luck):
    """Equally likely entries, drawn often: their 10, 50 and 90 % are the sample's."""
    sample = luck.lognormal(1.0, 1.0, 5000)
    drawn = luck.choice(quantile_list(sample, count), 200_000)
    for q in (0.1, 0.5, 0.9):
        assert np.quantile(drawn, q) == pytest.approx(np.quantile(sample, q))


def test_a_long_list_ends_in_the_mean_of_the_tail():
    sample = np.r_[np.ones(90), 100 * np.arange(1.0, 11.0)]
    made = quantile_list(sample, 10)
    assert made[:-1].tolist() == [1.0] * 9
    assert made[-1] == 550


def test_entries_are_the_middles_of_equal_shares_and_rounded_halves_go_up():
    assert quantile_list(np.arange(11.0), 5) == pytest.approx(np.array([1.0, 3, 5, 7, 9]))
    assert quantile_list(np.arange(11.0), 1).tolist() == [5.0]
    assert quantile_list(np.arange(21.0), 10)[-1] == 19.0  # the mean of 18, 19 and 20
    assert whole_numbers(np.array([0.4, 0.5, 1.5, 2.49, 2.5])) == [0, 1, 2, 2, 3]
    assert whole_numbers(np.array([0.4, 2.5]), least=1) == [1, 3]
    assert significant(np.array([0.123456, 123456.0]), 3) == [0.123, 123000.0]


def series_of(time, value=None, interval=None):
    columns = {"time": np.array(time, float)}
    if value is not None:
        columns["value"] = np.array(value, float)
    data = SimpleNamespace(file="d.csv", columns=columns)
    return cloud_bandwidth.demand_series(data, cloud_bandwidth.SurgeOptions(interval=interval))


def test_rounds_are_the_nearest_intervals_and_means_of_their_rows(monkeypatch):
    """Rows out of order, one at 14 s and one at 16 s of rounds of 10 s, one round without any."""
    monkeypatch.setattr(cloud_bandwidth, "LEAST_ROWS", 5)
    nan = np.nan
    time, value = [116, 100, 114, 140, 130, nan, 150], [4, 1, 2, 5, nan, 9, 7]
    found = series_of(time, value, interval=10)
    assert found == pytest.approx(np.array([1.0, 2.0, 4.0, nan, 5.0, 7.0]), nan_ok=True)
    monkeypatch.setattr(cloud_bandwidth, "LEAST_ROWS", 6)
    with pytest.raises(ConfigError, match="5 rows have time and value, at least 6 are needed"):
        series_of(time, value, interval=10)


def test_events_are_counted_up_to_the_interval_that_is_cut_short(monkeypatch):
    monkeypatch.setattr(cloud_bandwidth, "LEAST_ROWS", 3)
    assert series_of([105, 100, 109, 110, 125, 131], interval=10).tolist() == [3, 1, 1]
    monkeypatch.setattr(cloud_bandwidth, "MOST_ROUNDS", 3)
    assert len(series_of([105, 100, 109, 110, 125, 131], interval=10)) == 3
    with pytest.raises(ConfigError, match=r"4 rounds of 10 s, must be 3 \.\. 3"):
        series_of([100, 110, 120, 130, 140], interval=10)
    with pytest.raises(ConfigError, match=r"2 rounds of 10 s, must be 3 \.\. 3"):
        series_of([100, 110, 120], interval=10)


def test_what_is_near():
    def near(a: float, b: float, **kind: bool) -> bool:
        rows = compare_samples(
            *([Sample("x", np.full(9, v), quantiles=(0.5,), **kind)] for v in (a, b))
        )
        return rows[0].within

    assert near(10, 11)
    assert not near(10, 11.01)
    assert near(2, 3, whole=True)
    assert not near(2, 3.01, whole=True)
    assert near(0.11, 0.12, share=True)
    assert not near(0.5, 0.511, share=True)


# --- procurement ---------------------------------------------------------------------------------


def test_lead_times_and_delays(tmp_path, luck):
    """Ten days foreseen at least, a fifth of deliveries 3 to 30 days late."""
    due = 10 + luck.integers(0, 90, 600)
    late = np.where(luck.random(600) < 0.2, luck.integers(3, 31, 600), 0)
    path = orders(tmp_path / "o.csv", zip(due.tolist(), late.tolist(), strict=True))
    result = calibrate("procurement", path, Request(ORDERS))
    expected = np.floor(np.quantile(due, [0.1, 0.3, 0.5, 0.7, 0.9]) + 0.5)
    assert result.keys["lead_times"] == expected.tolist()
    assert result.keys["delays"]["probability"] == pytest.approx((late > 0).mean(), abs=5e-5)
    found = figures(result)
    assert result.within
    assert found["lead time 50%"][0] == np.median(due + late)
    assert found["late share"][0] == (late > 0).mean()
    for q in (10, 50, 90):
        observed = np.quantile(late[late > 0], q / 100)
        assert found[f"days late given late {q}%"] == pytest.approx((observed, observed), abs=1)


def test_deliveries_that_are_never_late_have_no_delays(tmp_path):
    path = orders(tmp_path / "o.csv", [(k, -(k % 3)) for k in range(5, 45)])  # some come early
    result = calibrate("procurement", path, Request(ORDERS))
    assert set(result.keys) == {"lead_times"}
    assert figures(result)["late share"] == (0, 0)
    assert result.within


def test_orders_without_a_date_of_sending_still_say_who_is_late(tmp_path):
    rows = [("?", "2024-03-01", f"2024-03-{1 + 4 * (k < 5):02}") for k in range(20)]
    rows += [("2024-01-01", "2024-02-01", "2024-02-01")] * 20
    path = csv(tmp_path / "o.csv", ("Sent", "Due", "Delivered"), rows)
    result = calibrate("procurement", path, Request(ORDERS, missing=("?",)))
    assert result.keys == {
        "lead_times": [31] * 5,
        "delays": {"probability": 0.125, "days": [4] * 15},
    }
    assert [r.n for r in result.rows if r.quantity == "lead time"] == [20] * 3
    assert [r.n for r in result.rows if r.quantity == "late"] == [40]


def test_dates_in_formats_of_their_own(tmp_path):
    """Formats are tried in turn; times of day do not matter for days."""
    rows = [(f"01/{k:02}/24", f"2{k:02}-03-01 2024", "5-Mar-24") for k in range(10, 30)]
    rows = [(s, f"0{k % 9 + 1}.03.2024", d) for k, (s, _, d) in enumerate(rows)]
    path = csv(tmp_path / "o.csv", ("Sent", "Due", "Delivered"), rows)
    result = calibrate(
        "procurement", path, Request(ORDERS, dates=("%m/%d/%y", "%d.%m.%Y", "%d-%b-%y"))
    )
    assert figures(result)["lead time 50%"][0] == 45.5  # 10 to 29 January until 5 March


# --- surges --------------------------------------------------------------------------------------


def test_surges_by_hand():
    """Median 2, threshold 2: above 4. A missing round ends a surge and is no calm one."""
    nothing = np.nan
    series = np.array([2, 2, 5, 7, 2, 2, 9, nothing, 9, 9, 2, 1, 2, 4, 2.0])
    found = cloud_bandwidth.surges(series, 2.0)
    assert found.lengths.tolist() == [2, 1, 2]
    assert found.sizes.tolist() == [3, 4.5, 4.5]
    assert found.enter == pytest.approx(2 / 8)  # of nine calm rounds the last one has no next
    assert found.inside.mean() == pytest.approx(5 / 14)


def test_a_surge_preset_plays_like_the_file(tmp_path, luck):
    """Lengths of 1 or 4, multipliers of 3 to 9, about every tenth calm round."""
    series: list[float] = []
    while len(series) < 3000:
        series += luck.uniform(0.8, 1.2, 1 + luck.geometric(0.1)).tolist()
        series += [luck.uniform(3, 9)] * (1 if luck.random() < 0.5 else 4)
    result = calibrate("cloud_bandwidth", demand(tmp_path / "d.csv", series), Request(DEMAND))
    assert result.within
    surge = result.keys["surge"]
    assert set(surge["lengths"]) == {1, 4}
    assert 3 <= min(surge["multiplier"]) < max(surge["multiplier"]) <= 9.5
    assert make_market("cloud_bandwidth", result.keys).config.surge.enter == surge["enter"]


def test_rows_are_counted_without_values(tmp_path):
    """Twenty events a minute, every tenth minute fifty; the last, cut short, is left out."""
    times = [
        START + timedelta(minutes=m, seconds=k)
        for m in range(60)
        for k in range(50 if m % 10 == 5 else 20)
    ]
    path = csv(tmp_path / "e.csv", ("Time",), [(t,) for t in times])
    result = calibrate("cloud_bandwidth", path, Request("time=Time", options={"interval": 60}))
    assert result.keys["surge"] == {
        "enter": pytest.approx(6 / 52, abs=5e-5), "lengths": [1] * 15, "multiplier": [2.5] * 15,
    }  # fmt: skip


# --- values --------------------------------------------------------------------------------------


def clicks(path, luck, floor: float = 0.0):
    """Hourly values of 60 days, three times as high by day, heaped up at a floor price."""
    times = [START + k * HOUR for k in range(60 * 24)]
    level = np.array([3.0 if 8 <= t.hour < 20 else 1.0 for t in times])
    values = np.maximum(floor, level * luck.lognormal(0.0, 0.3, len(times)))
    return csv(path, ("Time", "Value"), zip(times, values.tolist(), strict=True)), values


def test_values_with_a_floor_and_a_day(tmp_path, luck):
    path, values = clicks(tmp_path / "v.csv", luck, floor=0.9)
    result = calibrate("ad_auction", path, Request(DEMAND, options={"parts": 6}))
    at_floor = (values == 0.9).mean()
    assert at_floor > 0.1
    found = figures(result)
    assert result.within
    assert found["floor price 0.9 share"] == pytest.approx((at_floor, at_floor), abs=0.01)
    assert found["value, hours 12 to 16 50%"][1] > 2.5 > 1.5 > found["value, hours 0 to 4 50%"][1]
    market = make_market("ad_auction", result.keys)
    assert 0.9 in market.values
    assert len(market.stages) == 6


def test_one_part_of_the_day_is_none(tmp_path, luck):
    path, _ = clicks(tmp_path / "v.csv", luck)
    result = calibrate("ad_auction", path, Request(DEMAND, options={"parts": 1}))
    assert set(result.keys["value"]) == {"kind", "values", "probabilities"}
    assert [r.quantity for r in result.rows] == ["value"] * 3
    assert result.within


def test_shares_are_whole_numbers_that_sum_to_one(luck):
    for _ in range(50):
        counts = luck.integers(0, 30, 17) + np.eye(17, dtype=int)[0]
        shares = ad_auction._shares(counts)
        assert round(sum(10_000 * s for s in shares)) == 10_000
        np.testing.assert_allclose(shares, counts / counts.sum(), atol=1.01e-4)


# --- presets and the command ---------------------------------------------------------------------


def test_a_preset_is_made_again_by_the_command_in_it(tacit, luck):
    clicks(tacit.folder / "my clicks.csv", luck)
    words = ["my clicks.csv", "--columns", DEMAND, "--parts", "4", "--source", "ours, 2024"]
    result = tacit("calibrate", "ad_auction", *words, "--write", "mine.yaml")
    assert (result.code, result.err) == (0, "")
    assert "wrote mine.yaml; next: tacit train mine.yaml" in result.out
    first = (tacit.folder / "mine.yaml").read_bytes()
    comment = [line[1:] for line in first.decode().splitlines() if line.startswith("#")][1:]
    again = shlex.split(" ".join(line.removesuffix("\\") for line in comment))
    (tacit.folder / "mine.yaml").unlink()
    assert tacit(*again[1:]).code == 0
    assert (tacit.folder / "mine.yaml").read_bytes() == first
    trained = arm(config="mine.yaml")
    assert len(trained.market.stages) == 4
    assert trained.agents["bidder_0"].initial_q == "rival_uniform"


def test_a_preset_is_a_market_by_name(tmp_path):
    keys = files.read_yaml(files.find("procurement_scms", ("markets",), "name"))["market"]
    mine = arm("market.suppliers=2", config="procurement_scms").market
    assert mine.config.lead_times == tuple(keys["lead_times"])
    named = arm("market.name=procurement_scms", "market.late_fine=.1", config="procurement").market
    assert named.config.delays == mine.config.delays
    assert named.config.late_fine == 0.1
    table = {"market": {"name": "procurement_scms", "lead_times": [3]}}
    assert arm(config=table).market.config.lead_times == (3,)
    with pytest.raises(ConfigError, match="unknown market 'procurement_scm'"):
        arm("market=procurement_scm", config="procurement")


def test_json_holds_keys_and_figures(tacit):
    orders(tacit.folder / "o.csv", [(k, 7 * (k % 4 == 0)) for k in range(5, 45)])
    result = tacit("calibrate", "procurement", "o.csv", "--columns", ORDERS, "--json")
    data = json.loads(result.out)
    assert (result.code, result.err, data["within"], data["rows"]) == (0, "", True, 40)
    assert data["market"]["delays"] == {"probability": 0.25, "days": [7] * 15}
    assert make_market(**{"name": data["market"].pop("name"), "config": data["market"]})
    shown = [f["figure"] for f in data["figures"]]
    assert shown == ["10%", "50%", "90%", "share", "10%", "50%", "90%"]


def test_what_does_not_fit_says_no_and_ends_with_1(tacit, luck):
    """Values over six orders of magnitude: a cell's middle is far from a part's median."""
    rows = [(START + k * HOUR, luck.lognormal(k % 24 // 12, 5.0)) for k in range(480)]
    csv(tacit.folder / "v.csv", ("Time", "Value"), rows)
    result = tacit("calibrate", "ad_auction", "v.csv", "--columns", DEMAND)
    assert result.code == 1
    lines = [line.split() for line in result.out.splitlines() if line.startswith("value, hours")]
    assert "no" in {line[-1] for line in lines}
    assert "market:" in result.out  # the keys are printed all the same
