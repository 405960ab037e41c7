"""Markets of users: what is refused, and which files `TACIT_PLUGINS` loads."""

from __future__ import annotations

import os
import sys

import pytest
from support.toy_markets.rules_only import RulesOnly

from tacit.envs.analysis import Analysis
from tacit.envs.errors import ConfigError
from tacit.envs.plugins import VARIABLE, load_plugins, register_market
from tacit.envs.registry import MARKETS


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """Writes files and names them in `TACIT_PLUGINS`; their modules are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(*sources, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        named = [str(tmp_path / s) if s.endswith(".py") else s for s in sources]
        monkeypatch.setenv(VARIABLE, os.pathsep.join(named))
        load_plugins()

    yield load
    for name in set(sys.modules) - before:
        del sys.modules[name]


def line(plugins, *sources, **files):
    with pytest.raises(ConfigError) as error:
        plugins(*sources, **files)
    (told,) = error.value.mistakes
    return told


def test_a_market_is_registered_by_its_name_once_and_again(registers):
    assert register_market(RulesOnly) is RulesOnly
    home = MARKETS["rules_only"]
    assert home == "support.toy_markets.rules_only:RulesOnly"
    register_market(RulesOnly)
    assert MARKETS["rules_only"] == home


def test_a_name_belongs_to_one_market_and_no_market_is_of_the_script_that_runs(registers):
    other = type("Other", (RulesOnly,), {"name": "ad_auction"})
    with pytest.raises(ConfigError, match="the name 'ad_auction' belongs to tacit"):
        register_market(other)
    script = type("Script", (RulesOnly,), {"__module__": "__main__"})
    with pytest.raises(ConfigError, match="Script: a market is defined in a module of its own"):
        register_market(script)
    with pytest.raises(ConfigError) as error:
        register_market(type("Bare", (), {"name": "bare", "title": "x"}))
    assert error.value.mistakes == [f"Bare.{k}: missing." for k in ("kernels", "model", "headline")]
    assert "rules_only" not in MARKETS


def test_files_and_modules_are_loaded_in_order_and_once(plugins):
    text = "import sys\nsys.modules.setdefault('plugin_log', []).append(__name__)\n"
    plugins("plugin_a.py", "", "plugin_b", "plugin_a.py", plugin_a=text, plugin_b=text)
    assert sys.modules["plugin_log"] == ["plugin_a", "plugin_b"]
    plugins("plugin_a.py")
    assert sys.modules["plugin_log"] == ["plugin_a", "plugin_b"]
    plugins()


def test_a_file_that_is_not_there_or_whose_name_is_taken_is_refused(plugins, tmp_path):
    assert line(plugins, "plugin_none.py").startswith(f"{VARIABLE}: there is no file '")
    assert "plugin_none" not in sys.modules
    taken = line(plugins, "json.py", json="x = 1\n")
    assert taken.endswith("json.py: a module 'json' is loaded already.")
    assert "ModuleNotFoundError" in line(plugins, "plugin_nowhere")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n\ny = z\n", "line 3: NameError: name 'z' is not defined."),
        ("x = 1\ny = (\n", "line 2: SyntaxError: '(' was never closed."),
        ("import json\n\n\njson.loads('{')\n", "line 4: JSONDecodeError: "),
        ("import plugin_inner\n", "plugin_inner.py: ZeroDivisionError: "),
    ],
)
def test_a_file_that_fails_is_told_at_its_own_line_and_not_kept(plugins, text, told):
    inner = "x = 0\n\n1 / x\n"
    found = line(plugins, "plugin_bad.py", plugin_bad=text, plugin_inner=inner)
    assert found.startswith(f"{VARIABLE}: ")
    if "inner" in told:
        assert "line 3 of " in found
        assert told in found
    else:
        assert f"plugin_bad.py: {told}" in found
    assert "plugin_bad" not in sys.modules


def test_what_a_file_refuses_itself_is_told_as_it_is(plugins):
    text = "from tacit.envs.errors import ConfigError\nraise ConfigError('mine: not so.')\n"
    assert line(plugins, "plugin_own.py", plugin_own=text) == "mine: not so."


def test_a_market_that_declares_no_analysis_of_its_own_says_nothing():
    """Every answer of the default is the cautious one: there may be luck, and nothing is known."""
    market = RulesOnly()
    analysis, seat = Analysis(market), market.seats[0]
    assert analysis.luck
    assert analysis.expected() is market
    assert analysis.draws(0) == ()
    assert analysis.value_scale(market.roles[0]) == 1.0
    assert analysis.part_probabilities(seat, "price") is None
    assert analysis.benchmark_action("competitive", seat, 0) is None
    assert analysis.scripted_actions("tit_for_tat", seat, 0) == ()
    assert analysis.last_actions(seat, 0) is None
    assert (analysis.theory(), analysis.policy_figures([])) == ({}, {})
