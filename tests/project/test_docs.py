"""The examples in documents do what they say."""

from __future__ import annotations

import doctest

import pytest
from support.paths import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", ["gymnasium.md"])
def test_examples_print_what_stands_below_them(page):
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False)
    assert (failed, tried > 0) == (0, True)
