"""Files of different shapes: five real ones, if they are at hand, and the shapes of public exports.

Each is read with nothing lost, or refused with the sentence that gets it read.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.paths import ROOT
from support.user_files import exports

from tacit.envs.errors import ConfigError
from tacit.training.calibrate import Request, calibrate
from tacit.training.calibrate.data_file import Column, read_data
from tacit.training.screening.bid_file import BidColumns, Bids, read_bids

DATA = Path(os.environ.get("TACIT_DATA", ROOT.parent / "shared" / "data"))
WANTED = (Column("time", "date", "when"), Column("value", "amount", "how much"))
EU = BidColumns("ID_NOTICE,ID_LOT", "TENDER_VALUE", "BIDDER_NAME", date="DT_DISPATCH")
US = BidColumns(
    "Contract ID", "Bidder # Amount", "Bidder # Name", "Engineer's Estimate", "Letting Date",
    wide=True,
)  # fmt: skip
EXCEL = BidColumns("Los", "Angebot", "Bieter", date="Datum")


def accounted(bids: Bids) -> int:
    """Rows of the file: kept and told as left out."""
    return len(bids.bid) + sum(found.rows for found in bids.left_out.values())


# --- shapes that authorities publish -------------------------------------------------------------


def test_an_eu_export_with_lots_is_read_whole(tmp_path):
    path = tmp_path / "eu.csv"
    rows = exports.eu_tenders(path)
    bids = read_bids(path, EU)
    assert (len(bids.bid), bids.left_out, bids.notes) == (rows, {}, [])
    assert "DT_DISPATCH: DD/MM/YYYY" in bids.reading
    merged = read_bids(path, BidColumns("ID_NOTICE", "TENDER_VALUE"))
    assert "does one tender stand for several (--tender notice,lot)" in merged.notes[-1]


def test_a_state_letting_is_read_whole_and_its_names_are_asked_for(tmp_path):
    path = tmp_path / "us.csv"
    rows = exports.state_letting(path)
    bids = read_bids(path, US)
    assert len(bids.bid) == rows
    assert {reason: found.rows for reason, found in bids.left_out.items()} == {
        "no Bidder # Amount": 4 * 40 - rows
    }
    assert 0.9 < np.median(bids.bid) < 1.1  # shares of the estimate
    assert "in $" in bids.reading
    with pytest.raises(ConfigError, match="A # stands for a number: 'Bidder # Amount'"):
        read_bids(path, BidColumns("Contract ID", "Amount", wide=True))
    with pytest.raises(
        ConfigError, match=r"several bids of its tender: --wide, with --bid 'Bid #'"
    ):
        read_bids(path, BidColumns("Contract ID", "Bidder 1 Amount"))


def test_an_excel_export_with_titles_and_a_total_is_read_whole(tmp_path):
    path = tmp_path / "excel.csv"
    rows = exports.excel_export(path)
    bids = read_bids(path, EXCEL)
    assert len(bids.bid) == rows
    assert accounted(bids) == rows + 2  # an empty row and the total
    assert bids.reading.startswith("semicolons, names in line 4; Angebot: decimal comma, points ")
    assert bids.bid.min() > 1e3


def test_an_excel_series_with_a_total_is_refused_with_what_gets_it_read(tmp_path):
    path = tmp_path / "demand.csv"
    exports.excel_demand(path)
    columns = "time=Zeit,value=Wert [kW]"
    with pytest.raises(ConfigError, match=r"line 304.*'Summe'.*--missing 'Summe'"):
        read_data(path, WANTED, columns)
    assert read_data(path, WANTED, columns, missing=("Summe",)).rows == 301
    found = calibrate("cloud_bandwidth", path, Request(columns, missing=("Summe",)))
    assert found.within


# --- real files ----------------------------------------------------------------------------------


def real(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"real data: no {name} in {DATA} (set TACIT_DATA)")
    return path


def test_japanese_works_are_read_whole():
    bids = read_bids(
        real("tsuchiura/bids.csv"),
        BidColumns("pid", "bid", "bidder_id", "reserveprice", "year,month,day"),
    )
    assert accounted(bids) == bids.rows == 6_013


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("nab_adexchange/exchange-3_cpm_results.csv", "time=timestamp,value=value", 1_538),
        ("nab_cloudwatch/ec2_network_in_5abac7.csv", "time=timestamp,value=value", 4_730),
        ("azure_traces/AzureLLMInferenceTrace_code.csv", "time=TIMESTAMP,value=ContextTokens",
         8_819),
    ],
)  # fmt: skip
def test_real_series_are_read_whole(name, columns, rows):
    found = read_data(real(name), WANTED, columns)
    assert found.rows == rows
    assert np.isfinite(found.columns["value"]).all()
    assert (np.diff(found.columns["time"]) >= 0).mean() > 0.99


def test_real_deliveries_are_refused_until_their_dates_are_told():
    path, wanted = real("usaid_scms/SCMS_Delivery_History_Dataset.csv"), WANTED[:1]
    with pytest.raises(ConfigError, match=r"must be a date, got .* may be --dates %d-%b-%y"):
        read_data(path, wanted, "time=Scheduled Delivery Date")
    found = read_data(path, wanted, "time=Scheduled Delivery Date", ["%d-%b-%y"])
    assert found.rows == 10_324
    assert np.isfinite(found.columns["time"]).all()
