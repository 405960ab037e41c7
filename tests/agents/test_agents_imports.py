"""Which folder of agents may import which, and how little a compiled loop depends on."""

from __future__ import annotations

import ast

import pytest
from support.paths import ROOT

from tacit.envs.jit.loops import import_closure

AGENTS = ROOT / "agents"
# A folder imports only from those before it; `neural` and `sb3` share a place.
ORDER = {"tabular": 1, "batch": 2, "neural": 3, "sb3": 3}
LOOPS = sorted(AGENTS.rglob("*_loop.py"))


def agents_imported(path) -> set[str]:
    """Modules of agents that a file names in its imports, also of those inside functions."""
    package = ["tacit", *path.parent.relative_to(ROOT).parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = ".".join([*package, node.module or ""]) if node.level else node.module
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("tacit.agents.") for name in found if "tacit.agents." in name}


@pytest.mark.parametrize("folder", ORDER)
def test_folders_import_only_from_those_before_them(folder):
    for path in (AGENTS / folder).glob("*.py"):
        for name in agents_imported(path):
            other, _, _ = name.partition(".")
            assert other not in ("registry", "group"), f"{path}: {name}"
            if other in ORDER and other != folder:
                assert ORDER[other] < ORDER[folder], f"{path}: {name}"


def test_no_learner_imports_another():
    learners = {"neural.ppo", "neural.dqn", "sb3.learner"}
    for learner in learners:
        path = (AGENTS / learner.replace(".", "/")).with_suffix(".py")
        assert not agents_imported(path) & learners, learner


@pytest.mark.parametrize("path", LOOPS, ids=lambda path: path.stem)
def test_a_loop_depends_on_arrays_and_arithmetic_only(path):
    """So that an edit of a group, a learner or a config recompiles nothing."""
    name = ".".join(["tacit", *path.relative_to(ROOT).with_suffix("").parts])
    own = [module for module in import_closure([name]) if module.startswith("tacit.agents.")]
    plain = {"arrays", "exploration", "q_values", "recording", "decisions"}
    plain |= {"coming_draws", "two_learners"}  # agents/tabular/lookup
    plain |= {"products", "policy_rows", "row_sums", "tiles"}  # agents/neural/simd
    plain |= {"pairs", "transpose"}  # the same
    plain |= {"search"}  # of cumulative rows, in agents/batch/lookup
    plain |= {"table_update"}  # which is no template, so that it needs no market
    assert [m for m in own if not m.endswith("_loop") and m.split(".")[-1] not in plain] == []
