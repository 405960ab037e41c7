"""The presets that ship, and other real files: fitted again, and held to the files' quantiles.

The files are not part of this repository. They are looked for in $TACIT_DATA, else in
../shared/data beside the checkout: `usaid_scms`, `nab_cloudwatch`, `nab_adexchange` (Numenta
Anomaly Benchmark) and `azure_traces`; without them these tests skip.
"""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from support.paths import ROOT
from support.terminal import Terminal

from tacit.envs.errors import ConfigError
from tacit.envs.registry import SHIPPED
from tacit.training.calibrate import Request, calibrate
from tacit.training.calibrate.data_file import Column, read_data
from tacit.training.config import files

DATA = Path(os.environ.get("TACIT_DATA", ROOT.parent / "shared" / "data"))
PRESETS = sorted(set(files.names("markets")) - set(SHIPPED))
SERIES = "time=timestamp,value=value"

OTHERS = [
    ("cloud_bandwidth", "nab_cloudwatch/ec2_network_in_257a54.csv", SERIES, {}),
    ("cloud_bandwidth", "nab_cloudwatch/ec2_network_in_5abac7.csv", SERIES, {}),
    ("cloud_bandwidth", "azure_traces/AzureLLMInferenceTrace_conv.csv", "time=TIMESTAMP",
     {"interval": 5, "threshold": 1.5}),
    ("cloud_bandwidth", "azure_traces/AzureLLMInferenceTrace_code.csv", "time=TIMESTAMP",
     {"interval": 60}),
    *(("ad_auction", f"nab_adexchange/exchange-{name}_results.csv", SERIES, {})
      for name in ("2_cpm", "3_cpc", "3_cpm", "4_cpc", "4_cpm")),
]  # fmt: skip


def real(name: str) -> Path:
    """A real file, wherever it lies below the data folder."""
    found = sorted(DATA.rglob(name)) if DATA.is_dir() else []
    if not found:
        pytest.skip(f"real data: no {name} in {DATA} (set TACIT_DATA)")
    return found[0]


def words(preset: str) -> list[str]:
    """The command in a preset's comment."""
    text = files.find(preset, ("markets",), "name").read_text(encoding="utf-8")
    lines = [line[1:].removesuffix("\\") for line in text.splitlines() if line.startswith("#")]
    return shlex.split(" ".join(lines[1:]))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_shipped_preset_is_what_its_command_fits(preset, tmp_path, monkeypatch, capsys):
    """Byte for byte; exit code 0: every quantile of the played market is near the file's."""
    program, command, market, file, *rest = words(preset)
    assert (program, command, rest[-2:]) == ("tacit", "calibrate", ["--write", f"{preset}.yaml"])
    tacit = Terminal(tmp_path, monkeypatch, capsys)
    result = tacit(command, market, str(real(file)), *rest)
    assert (result.code, result.err) == (0, "")
    shipped = files.find(preset, ("markets",), "name").read_text(encoding="utf-8")
    assert (tmp_path / f"{preset}.yaml").read_text(encoding="utf-8") == shipped


def test_every_kind_of_preset_ships():
    assert {words(preset)[2] for preset in PRESETS} == {
        "procurement", "cloud_bandwidth", "ad_auction",
    }  # fmt: skip


@pytest.mark.parametrize(("market", "file", "columns", "options"), OTHERS)
def test_other_real_files_are_matched_too(market, file, columns, options):
    result = calibrate(market, real(Path(file).name), Request(columns, options=options))
    assert [row for row in result.rows if not row.within] == []


def test_the_deliveries_are_read_as_their_source_says():
    """USAID, SCMS delivery history: 10,324 deliveries, 11.5 % late, 2/12/51 days; lead times of
    35/101/217 days where the date of the order is known (4,592 rows, some on the day itself)."""
    _, _, market, file, *rest = words("procurement_scms")
    given: dict[str, list[str]] = {}
    for name, value in zip(rest[::2], rest[1::2], strict=True):
        given.setdefault(name, []).append(value)
    request = Request(given["--columns"][0], tuple(given["--dates"]), tuple(given["--missing"]))
    result = calibrate(market, real(file), request)
    observed = {f"{r.quantity} {r.figure}": r.observed for r in result.rows}
    assert result.lines == 10_324
    assert round(observed.pop("late share"), 3) == 0.115
    assert observed == {
        "lead time 10%": 35, "lead time 50%": 101, "lead time 90%": 217,
        "days late given late 10%": 2, "days late given late 50%": 12,
        "days late given late 90%": 51,
    }  # fmt: skip


def test_the_same_series_is_read_however_it_is_written(tmp_path):
    """Dates with offsets, semicolons and commas, seconds since 1970: one series in each."""
    seconds = [1_729_900_800 + 300 * k for k in range(12)]
    values = [1000.5 + 100 * (k % 3) for k in range(12)]
    iso = [datetime.fromtimestamp(s, UTC) for s in seconds]
    summer = timezone(timedelta(hours=2))
    # The clock goes back after the sixth row: what it shows jumps, what has passed does not.
    zones = [summer] * 6 + [timezone(timedelta(hours=1))] * 6
    ways = {
        "comma": [f"{d:%Y-%m-%d %H:%M:%S},{v}" for d, v in zip(iso, values, strict=True)],
        "epoch": [f"{s},{v}" for s, v in zip(seconds, values, strict=True)],
        "milliseconds": [f"{s}000,{v}" for s, v in zip(seconds, values, strict=True)],
        "microseconds": [f"{s}000000,{v}" for s, v in zip(seconds, values, strict=True)],
        "unit": [f"{s},{v} kW" for s, v in zip(seconds, values, strict=True)],
        "semicolon": [
            f"{d:%d.%m.%Y %H:%M};{v:,.2f}".replace(",", " ").replace(".5", ",5")
            for d, v in zip(iso, values, strict=True)
        ],
        "offset": [
            f"{d.astimezone(zone).isoformat()},{v}"
            for d, zone, v in zip(iso, zones, values, strict=True)
        ],
    }
    wanted = (Column("time", "date", "when"), Column("value", "amount", "how much"))
    for name, lines in ways.items():
        path = tmp_path / f"{name}.csv"
        mark = ";" if name == "semicolon" else ","
        path.write_text("\n".join([f"t{mark}v", *lines, ""]))
        found = read_data(path, wanted, "time=t,value=v").columns
        passed = found["time"] - found["time"][0]
        np.testing.assert_array_equal(passed, 300.0 * np.arange(12), name)
        np.testing.assert_array_equal(found["value"], values, name)
    # Times of day are those of the file's own clock.
    path = tmp_path / "offset.csv"
    assert read_data(path, wanted, "time=t,value=v").columns["time"][0] == seconds[0] + 7200


DOTTED = [f"1.{k:03}" for k in range(1, 13)]


@pytest.mark.parametrize(
    ("numbers", "decimal", "first"),
    [
        (DOTTED, ",", 1001), (DOTTED, ".", 1.001),
        ([*DOTTED, "974", "988"], ",", 1001),
        ([text.replace(".", ",") for text in DOTTED], ".", 1001),
        ([f"1.{k:03}" for k in range(1, 99)] + ["1.5"], ".", 1.001),  # one cell decides nothing
    ],
)  # fmt: skip
def test_numbers_that_can_be_two_are_asked_about(tmp_path, numbers, decimal, first):
    path = tmp_path / "data.csv"
    rows = [f"2024-{1 + k // 28:02}-{1 + k % 28:02};{text}\n" for k, text in enumerate(numbers)]
    path.write_text("t;v\n" + "".join(rows))
    wanted = (Column("time", "date", "when"), Column("value", "amount", "how much"))
    with pytest.raises(ConfigError, match=r"--columns.value: column 'v': '1[.,]001' can be 1"):
        read_data(path, wanted, "time=t,value=v")
    found = read_data(path, wanted, "time=t,value=v", decimal=decimal)
    assert found.columns["value"][0] == first


def test_rows_may_be_counted_in_place_of_dates(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("t,v\n" + "".join(f"{k},{k + 0.5}\n" for k in range(12)))
    wanted = (Column("time", "date", "when"), Column("value", "amount", "how much"))
    found = read_data(path, wanted, "time=t,value=v")
    assert found.reading == "commas; t: index; v: decimal point"
    np.testing.assert_array_equal(np.diff(found.columns["time"]), 86_400.0)


@pytest.mark.parametrize("places", [(3, 7), (3, 4), (11, None)])
def test_a_stray_quote_is_refused_here_as_well(tmp_path, places):
    rows = [[f"2024-01-{k + 1:02}", f"{k}.5", "n"] for k in range(12)]
    rows[places[0]][1] = '"' + rows[places[0]][1]
    if places[1] is not None:
        rows[places[1]][1] += '"'
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["t,v,note", *map(",".join, rows), ""]))
    wanted = (Column("time", "date", "when"), Column("value", "amount", "how much"))
    with pytest.raises(ConfigError, match=r"a quote (that )?opens"):
        read_data(path, wanted, "time=t,value=v")
