"""Generated loops: where they are kept, when they are made anew, when they come from the cache."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

from tacit.envs.jit import loops as jit

TEMPLATE = """
from tacit.envs.jit.decorators import loop
from tacit.envs.rules import observe, play, reset

@loop
def total(n):
    result = 0
    for k in range(n):
        result += play(k)
    return result
"""
MARKET = """
from tacit.envs.jit.decorators import kernel
from toy_helpers import twice

@kernel
def play(k):
    return twice(k)

reset = observe = play
"""
HELPERS = """
from tacit.envs.jit.decorators import kernel

@kernel
def twice(k):
    return 2 * k
"""
SCRIPT = """
from tacit.envs.jit.loops import compiled
loops = compiled("toy_loop", "toy_market")
print(loops.__file__, loops.total(10))
"""


@pytest.fixture
def toys(tmp_path, monkeypatch) -> Path:
    """A folder with a template and a market; an empty cache beside it."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "toy_loop.py").write_text(TEMPLATE)
    (sources / "toy_market.py").write_text(MARKET)
    (sources / "toy_helpers.py").write_text(HELPERS)
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(sources))
    monkeypatch.syspath_prepend(sources)
    for name in ("toy_market", "toy_helpers"):  # of an earlier test, from its folder
        monkeypatch.delitem(sys.modules, name, raising=False)
    for known in (jit._is_followed, jit._is_package, jit._is_outside_libraries):
        known.cache_clear()
    return sources


def generate(template: str = "toy_loop", market: str = "toy_market"):
    """`compiled`, past its memory of what this process has made."""
    return jit._compiled.__wrapped__(template, market)


def in_a_process() -> tuple[Path, int]:
    """The generated file and the sum, as another process has them."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    file, total = done.stdout.split()
    return Path(file), int(total)


def cached(file: Path) -> dict[str, int]:
    """Compiled code beside a generated file, with the time of its writing."""
    folder = file.parent / "__pycache__"
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("*.nb[ci]")}


def test_a_loop_is_generated_for_its_market(toys, tmp_path):
    loops = generate()
    file = Path(loops.__file__)
    assert file.parent == tmp_path / "cache"
    assert file.name.startswith("toy_loop_toy_market_")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "from toy_market import observe, play, reset" in file.read_text()
    assert not list(file.parent.glob("*.tmp"))
    assert loops.total(10) == 90
    assert generate().__file__ == loops.__file__


def test_what_was_compiled_is_loaded_by_the_next_who_asks(toys):
    """A module generated anew has compiled nothing by itself, as in another process."""
    first, second = generate(), generate()
    assert [loops.total(10) for loops in (first, second)] == [90, 90]
    assert not first.total.stats.cache_hits
    assert list(second.total.stats.cache_hits.values()) == [1]
    assert not second.total.stats.cache_misses


@pytest.mark.slow
def test_a_second_process_compiles_nothing(toys):
    file, total = in_a_process()
    first = cached(file)
    assert total == 90
    assert first
    assert in_a_process() == (file, 90)
    assert cached(file) == first


@pytest.mark.parametrize("name", ["toy_loop", "toy_market", "toy_helpers"])
def test_the_name_changes_with_every_source_that_is_imported(toys, name):
    """A helper may be inlined: without its source in the hash, its old code would go on running."""
    before = generate().__file__
    with (toys / f"{name}.py").open("a") as file:
        file.write("# an edit\n")
    assert generate().__file__ != before


def test_the_name_does_not_change_with_a_source_that_is_not_imported(toys):
    before = generate().__file__
    (toys / "beside.py").write_text("# new\n")
    assert generate().__file__ == before


def test_the_closure_is_what_a_loop_imports():
    value_loop = jit.import_closure(["tacit.emergence.play.value_loop"])
    assert value_loop == ["tacit.emergence.play.value_loop", "tacit.envs.jit.decorators"]
    engine = jit.import_closure(ENGINE)
    assert {"tacit.envs.kpi", "tacit.envs.rng", "tacit.envs.ad_auction.kernels"} <= {*engine}
    assert not any(name.startswith(("tacit.emergence", "tacit.agents")) for name in engine)


def test_the_name_changes_with_a_template_of_another_folder(toys, monkeypatch):
    """Else it would go on importing the loops that were generated before the edit."""
    above = toys.parent / "above"
    above.mkdir()
    monkeypatch.syspath_prepend(above)
    (above / "upper_loop.py").write_text("from toy_loop import total\n")
    monkeypatch.setattr(jit, "_compiled", jit._compiled.__wrapped__)  # remembers nothing
    before = jit.compiled("upper_loop", "toy_market").__file__
    with (toys / "toy_loop.py").open("a") as file:
        file.write("# an edit\n")
    assert jit.compiled("upper_loop", "toy_market").__file__ != before


def test_a_folder_that_others_may_write_to_is_refused(toys, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(PermissionError, match="Set TACIT_CACHE to a folder of your own"):
        generate()
    assert not list((tmp_path / "cache").iterdir())


def test_without_a_setting_the_user_s_cache_is_used(tmp_path, monkeypatch):
    monkeypatch.delenv("TACIT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert jit.cache_folder() == tmp_path / "tacit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert jit.cache_folder() == tmp_path / ".cache" / "tacit"


def test_where_the_user_s_cache_cannot_be_written_a_temporary_one_is_told(tmp_path, monkeypatch):
    """Also to processes that are started: they find it in TACIT_CACHE."""
    monkeypatch.setenv("TACIT_CACHE", "")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.warns(jit.TemporaryCacheWarning, match=r"file/tacit cannot be written to \(.*\)"):
        folder = jit.cache_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert jit.cache_folder() == folder == Path(os.environ["TACIT_CACHE"])


def test_a_chosen_cache_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(NotADirectoryError):
        jit.cache_folder()


def test_a_template_must_name_the_kernels_and_a_market_have_a_source(toys):
    with pytest.raises(ModuleNotFoundError, match="needed to compile a loop"):
        generate(market="toy_nowhere")
    (toys / "toy_loop.py").write_text("from tacit.envs.jit.decorators import loop\n")
    with pytest.raises(ValueError, match="must hold the line"):
        generate()


ARRAY = {"T", "dtype", "flat", "itemsize", "max", "ndim", "reshape", "shape", "size", "sum", "view"}
TEMPLATES = sorted(
    p for d in ("envs", "agents", "emergence") for p in (ROOT / d).rglob("*_loop.py")
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_names_the_tuples_that_it_takes(path):
    """Numba's cache keeps the classes of a loop's arguments. Only a class that the template imports
    is in its import closure: after an edit elsewhere, a cached loop could no longer be read."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            untyped = {a.arg for a in function.args.args if ast.unparse(a.annotation) == "Any"}
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    assert node.value.id not in untyped or node.attr in ARRAY, ast.unparse(node)


ENGINE = ("tacit.envs.engine.engine_loop", "tacit.envs.ad_auction.kernels")


def test_templates_of_templates_are_generated_too():
    """The tabular loop steps the engine's loop of its own market, not the template."""
    loops = jit.compiled("tacit.agents.tabular.q_learning_loop", "tacit.envs.ad_auction.kernels")
    text = Path(loops.__file__).read_text()
    assert "from tacit.envs.engine.engine_loop import" not in text
    assert f"from {jit.compiled(*ENGINE).__name__} import" in text


def test_compiled_remembers():
    first = jit.compiled(*ENGINE)
    assert jit.compiled(*ENGINE) is first
    assert Path(first.__file__).parent == jit.cache_folder()
