"""Markets by name in PettingZoo and Gymnasium, whichever of these and tacit is imported first."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tacit.envs.registry import SHIPPED

LABELS = {f"tacit/{name}-v0" for name in SHIPPED}
LOOK = """
import gymnasium, pettingzoo
print(*(label for label in gymnasium.registry if label.startswith("tacit/")))
print(*(label for label in pettingzoo.parallel_registry if label.startswith("tacit/")))
print(*(label for label in pettingzoo.aec_registry if label.startswith("tacit/")))
"""
MARKET = """
import tacit
from tacit.envs.one_file.hiring import Hiring

@tacit.register_market
class Lemonade(Hiring):
    name = "lemonade"
    version = 3
"""


def printed(program: str, folder: str = ".") -> list[set[str]]:
    """The words of each line that a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_importing_tacit_imports_neither_library_nor_numpy():
    program = "import sys, tacit.envs; print(*sys.modules)"
    (modules,) = printed(program)
    assert "tacit.envs.registry" in modules
    assert not {"gymnasium", "pettingzoo", "numpy"} & modules


@pytest.mark.parametrize(
    "first",
    [
        "import tacit.envs",
        "import gymnasium, tacit.envs",
        "import pettingzoo.utils, tacit.envs",
        "import tacit.envs, gymnasium.spaces",
        "import tacit.envs, gymnasium; gymnasium.registry",
        "import tacit.envs, importlib.util; importlib.util.find_spec('gymnasium')",
    ],
)
def test_every_market_has_its_names(first):
    assert printed(first + LOOK) == [LABELS] * 3


@pytest.mark.parametrize("before", ["", "import gymnasium, pettingzoo"])
def test_a_user_s_market_has_them_with_its_version(tmp_path, before):
    (tmp_path / "my_lemonade.py").write_text(MARKET)
    program = f"import tacit.envs\n{before}\nimport my_lemonade\n{LOOK}"
    assert printed(program, str(tmp_path)) == [{*LABELS, "tacit/lemonade-v3"}] * 3


def test_a_library_knows_its_own_loader():
    """Others ask a module for it, to read files beside its code."""
    program = (
        "import tacit.envs, gymnasium, pettingzoo\n"
        "for m in (gymnasium, pettingzoo): print(type(m.__loader__).__name__, "
        "m.__spec__.loader is m.__loader__)"
    )
    assert printed(program) == [{"SourceFileLoader", "True"}] * 2


def test_a_library_that_does_not_import_fails_as_it_would(tmp_path):
    (tmp_path / "pettingzoo.py").write_text("raise ImportError('broken')")
    program = "import tacit.envs\ntry: import pettingzoo\nexcept ImportError as e: print(e)"
    assert printed(program, str(tmp_path)) == [{"broken"}]
    assert importlib.util.find_spec("pettingzoo").loader is not None
