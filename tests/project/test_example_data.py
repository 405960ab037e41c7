"""CSV files that pages name: shipped in examples/, or public and named with their source, or made
by a command. The shipped ones do what the pages say."""

from __future__ import annotations

import json
import re

import pytest
from support.paths import ROOT
from support.terminal import Terminal

NAME = re.compile(r"[\w./-]*\w\.csv\b")
SHIPPED = {path.name for path in (ROOT / "examples").glob("*.csv")}
PLACEHOLDERS = {"BIDS.csv", "DATA.csv", "FILE.csv"}
# Public files, each with where it is from, on the page that names it.
PUBLIC = {
    "tsuchiura.csv": "github.com/sylvaingchassang/missing_bids",
    "SCMS_Delivery_History_Dataset.csv": "USAID",
    "iio_us-east-1_i-a2eb1cd9_NetworkIn.csv": "Numenta Anomaly Benchmark",
    "elb_request_count_8c0756.csv": "Numenta Anomaly Benchmark",
    "exchange-2_cpc_results.csv": "Numenta Anomaly Benchmark",
}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read_by_a_command(line):
    """Files that a command on this line reads, by their last part."""
    words = line.split()
    if "tacit" not in words[:2] or not {"screen", "calibrate"} & set(words[:3]):
        return set()
    return {word.rpartition("/")[2] for word in words if NAME.fullmatch(word)} - PLACEHOLDERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_command_reads_is_there_or_public(page):
    text = page.read_text(encoding="utf-8")
    for line in text.splitlines():
        for name in read_by_a_command(line.strip().removeprefix("$ ")):
            assert name in SHIPPED | set(PUBLIC), f"{page}: {name} is neither shipped nor public"
            if name in PUBLIC:
                assert PUBLIC[name] in text
            else:
                assert f"examples/{name}" in line


def test_the_pages_name_every_shipped_file():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {"bids.csv", "orders.csv", "demand.csv"} == SHIPPED
    assert all(f"examples/{name}" in text for name in SHIPPED)


@pytest.fixture
def terminal(tmp_path, monkeypatch, capsys):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.mark.slow
def test_the_bids_look_arranged(terminal):
    words = "--tender tender --bid bid --bidder firm --reserve estimate --date date --json"
    found = terminal("screen", "examples/bids.csv", *words.split())
    assert found.code == 0, found.err
    assert json.loads(found.out)["tenders"] == 120
    shown = terminal("screen", "examples/bids.csv", *words.split()[:-1]).out
    assert re.search(r"^gap .* above \*", shown, re.MULTILINE)


def test_the_orders_and_the_demand_are_fitted(terminal):
    columns = ("--columns", "sent=ordered,scheduled=due,delivered=arrived")
    refused = terminal("calibrate", "procurement", "examples/orders.csv", *columns)
    assert refused.code == 2
    assert "got 'soon' (1 row so)" in refused.err
    fitted = terminal("calibrate", "procurement", "examples/orders.csv", *columns,
                      "--missing", "soon")  # fmt: skip
    assert fitted.code == 0, fitted.out
    demand = ("cloud_bandwidth", "examples/demand.csv", "--columns", "time=time,value=requests")
    assert terminal("calibrate", *demand).code == 0
