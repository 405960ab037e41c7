"""Markets of installed packages: found by their entry point, imported when they are asked for."""

from __future__ import annotations

import sys

import pettingzoo
import pytest
from support.paths import ROOT
from support.terminal import Terminal

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import HANDED_OVER, hand_over, load_plugins, register_market
from tacit.envs.registry import (
    MARKETS,
    MarketNameWarning,
    find_installed,
    make_market,
    market_class,
)

RULES = (ROOT / "tests/support/toy_markets/rules_only.py").read_text(encoding="utf-8")


@pytest.fixture
def install(tmp_path, monkeypatch, registers):
    """Installs a package with one module, `NAME_package`, that offers markets."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def package(text=RULES, name="boats", **markets):
        (tmp_path / f"{name}_package.py").write_text(text, encoding="utf-8")
        about = tmp_path / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{market} = {value}" for market, value in markets.items()]
        (about / "entry_points.txt").write_text("\n".join(["[tacit.markets]", *lines, ""]))

    yield package
    # Only its own: what else was imported meanwhile (parts of NumPy) cannot be imported twice.
    for module in set(sys.modules) - before:
        if module.endswith("_package"):
            del sys.modules[module]


def refused(name):
    with pytest.raises(ConfigError) as error:
        make_market(name)
    (line,) = error.value.mistakes
    return line


def test_a_market_of_a_package_is_found_and_imported_late(install):
    install(rules_only="boats_package:RulesOnly")
    assert "rules_only" not in MARKETS
    find_installed()
    assert "boats_package" not in sys.modules
    assert make_market("rules_only").seats[0].name == "seller_0"
    assert make_market("rules_only").kernels == "boats_package"


def test_it_is_found_when_it_is_first_asked_for(install):
    install(rules_only="boats_package:RulesOnly")
    assert market_class("rules_only").name == "rules_only"


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("1 / 0\n", "boats_package:X", "does not import (ZeroDivisionError: division by zero, "),
        ("x = (\n", "boats_package:X", "does not import (SyntaxError: '(' was never closed"),
        ("", "nowhere_package:X", "does not import (ModuleNotFoundError: No module named "),
        ("", "boats_package:Boats", "does not import (AttributeError: module 'boats_package' has"),
        ("Boats = 3\n", "boats_package:Boats", "is no subclass of tacit.envs.market.Market."),
        (RULES, "boats_package:RulesOnly", "calls itself 'rules_only'; both names must be one."),
        (RULES.replace("    headline", "    head_line"), "boats_package:RulesOnly",
         "RulesOnly.headline: missing."),
    ],
)  # fmt: skip
def test_one_that_fails_is_told_in_a_line_and_breaks_no_other(install, text, value, told):
    install(text, boats=value)
    line = refused("boats")
    assert line.startswith(f"market 'boats' of the package boats ({value}): ")
    assert told in line
    assert make_market("ad_auction").name == "ad_auction"


def test_the_list_has_the_others_and_says_why_one_cannot_be_used(
    install, tmp_path, monkeypatch, capsys
):
    install("1 / 0\n", boats="boats_package:Boats")
    install(name="toys", rules_only="toys_package:RulesOnly")
    find_installed()
    printed = Terminal(tmp_path, monkeypatch, capsys)("list")
    assert printed.code == 0
    assert "cannot be used: market 'boats' of the package boats" in printed.out
    assert "two sellers, three prices (toys)" in printed.out
    assert "ad_auction" in printed.out
    told = Terminal(tmp_path, monkeypatch, capsys)("train", "boats")
    assert told.code == 2
    assert "ZeroDivisionError" in told.err
    assert "Traceback" not in told.err


def test_a_taken_name_stays_whose_it_is(install):
    install(ad_auction="boats_package:RulesOnly")
    with pytest.warns(MarketNameWarning, match="the package boats offers a market 'ad_auction'"):
        find_installed()
    assert make_market("ad_auction").kernels == "tacit.envs.ad_auction.kernels"


def test_a_registered_market_is_an_environment_too(install, tmp_path):
    install()
    import boats_package

    register_market(boats_package.RulesOnly)
    env = pettingzoo.make("parallel", "tacit/rules_only-v0", episode_rounds=1)
    env.reset(seed=0)
    assert env.step({"seller_0": 1, "seller_1": 2})[1] == {"seller_0": 2.0, "seller_1": 0.0}


def test_workers_import_what_their_parent_has_registered(install, tmp_path, monkeypatch):
    install()
    import boats_package

    register_market(boats_package.RulesOnly)
    handed = hand_over()
    assert str(tmp_path / "boats_package.py") in handed[HANDED_OVER]
    monkeypatch.setenv(HANDED_OVER, handed[HANDED_OVER])
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
    del sys.modules["boats_package"], MARKETS["rules_only"]
    source = boats_package.__file__
    with open(source, "a", encoding="utf-8") as file:
        file.write("\nimport tacit\ntacit.register_market(RulesOnly)\n")
    load_plugins()
    assert MARKETS["rules_only"] == "boats_package:RulesOnly"
