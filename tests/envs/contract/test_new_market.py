"""Every market that ships has all its files and entries; of a new one, what is missing is named."""

from __future__ import annotations

import pytest
from support.every_market import CASES, CONFIGS
from support.markets.needed import ENTRIES, FILES, lacking

from tacit.envs.registry import SHIPPED, market_class


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_lacking(name):
    lines = list(lacking(name, market_class(name).version))
    assert not lines, "\n".join(["", f"the market '{name}' lacks:", *lines])


def test_all_that_a_new_one_lacks_is_named_at_once():
    lines = list(lacking("boats"))
    assert len(lines) == len(FILES) + len(ENTRIES) + 2
    assert "tests/support/properties.py: BALANCE has no entry 'boats': how its payments add up" in (
        lines
    )
    assert "envs/boats_v0.py: is missing: its PettingZoo module: copy envs/ad_auction_v0.py" in (
        lines
    )


def test_an_entry_that_is_missing_breaks_no_collection_and_is_named():
    assert {case.values[0][0] for case in CASES} == set(SHIPPED)
    with pytest.raises(KeyError, match=r"the market 'boats' has no entry in .*every_market.py"):
        CONFIGS["boats"]
