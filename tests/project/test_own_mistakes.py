"""Mistakes in a market, learner or probe of one's own end in a line that names them."""

from __future__ import annotations

import importlib
import re
import sys

import pytest
from numba.core.errors import NumbaError
from support.pages import blocks
from support.paths import ROOT

from tacit.emergence.registry import Probe, register_probe
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.plugins import load_plugins
from tacit.envs.registry import MARKETS
from tacit.training.cli.numba_error import in_one_line
from tacit.training.outcome.probing import _check_figures

PAGES = ROOT / "docs/tutorials"


def source_of(page, title):
    """A file of a tutorial."""
    return next(block.text for block in blocks(PAGES / page) if block.title == title)


@pytest.fixture
def load(tmp_path, monkeypatch, registers):
    """Makes a market's module from the tutorial's lemonade with one passage replaced."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(old, new):
        name = f"sour_{len(made)}_{abs(hash((old, new)))}"
        text = source_of("own_market.md", "lemonade.py")
        assert old in text
        (tmp_path / f"{name}.py").write_text(text.replace(old, new), encoding="utf-8")
        importlib.invalidate_caches()
        made.append(name)
        return importlib.import_module(name).Lemonade

    yield write
    for name in made:
        sys.modules.pop(name, None)
    MARKETS.pop("lemonade", None)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("    kernels = __name__\n", "", "Lemonade.kernels: missing."),
        ("def declare", "def declared", "Lemonade.declare: missing."),
        (
            'headline = "cups"',
            'headline = "cup"',
            "Lemonade.headline: unknown measure 'cup'. Did you",
        ),
        ('"profit", "profit", (b', '"gain", "profit", (b', "the fundamental 'gain' is no measure"),
        ("        self.state_width = 2\n", "", "Lemonade.declare: does not set `state_width`."),
        ("[self.config.prices, self.config.people], np.float64", "3", "Lemonade.params: must be"),
        ("Block(0,", "Block(1,", "stand has a block for phase 1"),
        ("(seen,)", "seen", "block 0 of stand: `sees` must be a tuple of Parts."),
    ],
)
def test_a_declaration_is_checked_before_anything_is_trained(load, old, new, mistake):
    with pytest.raises(ConfigError) as refused:
        load(old, new)()
    assert mistake in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("def reset(", "def rest(", "reset: missing"),
        ("@kernel\ndef play", "def play", "play: needs the decorator `kernel`."),
        ("phase: Any, seat: Any", "seat: Any", "observe: takes 3 arguments, must take 4."),
    ],
)
def test_kernels_are_checked_before_they_are_compiled(load, old, new, mistake):
    with pytest.raises(ConfigError) as refused:
        Engine(load(old, new)())
    assert mistake in str(refused.value)


def test_an_observation_that_does_not_exist_is_named(load):
    engine = Engine(load("int(state[1 - seat])", "int(state[1 - seat]) + 9")())
    engine.reset()
    with pytest.raises(ConfigError, match=r"stand_0 .*`observe` returned 9, not in 0 .. 5"):
        engine._refusal(0, 0)


def test_rules_that_do_not_compile_are_told_in_a_line(load):
    engine = Engine(load("state[:] = 0.0", "state[:] = params.bogus")())
    with pytest.raises(NumbaError) as refused:
        engine.reset()
    line = in_one_line(refused.value)
    assert "Unknown attribute 'bogus'" in line
    assert re.search(r"at .*sour_\S*\.py \(36\)$", line)
    assert in_one_line(ValueError("another")) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("x = 1\ny = (\n", "broken.py: line 2: SyntaxError"),
        ("x = 1\ny = z\n", "broken.py: line 2: NameError: name 'z' is not defined"),
        ("import tacit\n\nx = tacit.nothing\n", "broken.py: line 3: AttributeError"),
        ("import nothing_of_this_name\n", "broken.py: line 1: ModuleNotFoundError"),
    ],
)
def test_a_file_that_does_not_import_is_named_with_its_line(tmp_path, monkeypatch, text, mistake):
    (tmp_path / "broken.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TACIT_PLUGINS", str(tmp_path / "broken.py"))
    with pytest.raises(ConfigError, match=mistake):
        load_plugins()


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("(BatchConfig)", "(BaseModel)", "ReinforceConfig: must be a subclass of BatchConfig."),
        ("def state(", "def stat(", "reinforce: Reinforce lacks methods of a Learner: state."),
        (", terms: Mapping[str, Any], seed", ", seed", "is made from config, seat, terms, seed"),
    ],
)
def test_a_learner_is_checked_when_it_registers(registers, old, new, mistake):
    text = source_of("own_learner.md", "reinforce.py").replace(old, new)
    text = text.replace("import tacit\n", "import tacit\nfrom pydantic import BaseModel\n", 1)
    with pytest.raises(ConfigError, match=mistake):
        exec(compile(text, "reinforce.py", "exec"), {"__name__": "reinforce"})


@pytest.mark.parametrize(
    ("figures", "mistake"),
    [
        (None, "probe mine: must return figures by name, got None."),
        ({"regrt": 1.0}, "probe mine: returns 'regrt', which its FIGURES do not declare."),
        ({"decided": "x"}, "probe mine: 'decided' must be a number, got 'x'."),
    ],
)
def test_figures_of_a_probe_are_checked(registers, figures, mistake):
    register_probe(Probe("mine", dict, lambda market, kpi: None, {"decided": "a share"}))
    with pytest.raises(ConfigError) as refused:
        _check_figures("mine", figures)
    assert str(refused.value) == mistake


def never(market, kpi):
    return "nowhere"


@pytest.mark.parametrize(
    ("probe", "mistake"),
    [
        (Probe("index", dict, never, {"x": "."}), "index: a probe of this name exists."),
        (Probe("rematched", dict, never, {"x": "."}), "rematched: a probe of this name exists."),
        (
            Probe("mine", lambda: {}, never, {"x": "."}),
            "mine.run: must be a function of a population: too many positional arguments.",
        ),
        (
            Probe("mine", dict, lambda market: None, {"x": "."}),
            "mine.why_not: must be a function of a market and a KPI: too many positional "
            "arguments.",
        ),
        (
            Probe("mine", dict, never, {}),
            "mine.figures: must map the name of a figure to its meaning and unit.",
        ),
        (
            Probe("mine", dict, never, {"tempted_states": "a share"}),
            "mine.figures: 'tempted_states' is a figure of the probe temptation.",
        ),
    ],
)
def test_a_probe_is_checked_when_it_registers(registers, probe, mistake):
    with pytest.raises(ConfigError) as refused:
        register_probe(probe)
    assert str(refused.value) == mistake
