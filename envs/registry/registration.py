"""Every market by its name in PettingZoo and Gymnasium, as soon as these are imported.

Importing both takes a command of tacit longer than much of what it then does, and most commands
need neither. So a library that is imported already is told of a market at once; one that is not
is told of all markets by an import hook, right behind its own import. (Gymnasium could be told by
an entry point of the group `gymnasium.envs`; PettingZoo 1.27 has nothing like it.)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .shipped import MARKETS, SHIPPED

VERSIONS: dict[str, int] = {}  # of markets that are not version 0


def register_environments(name: str, version: int = 0) -> None:
    """Register a market as `tacit/NAME-vVERSION` with PettingZoo and Gymnasium, unless it is."""
    if version:
        VERSIONS[name] = version
    for library, tell in TELL.items():
        if library in sys.modules and library not in _UNDER_WAY:
            tell(name, version)


def _tell_pettingzoo(name: str, version: int) -> None:
    from pettingzoo import aec_registry, parallel_registry, register

    label = f"tacit/{name}-v{version}"
    views = "tacit.envs.views.pettingzoo_env"
    if label not in parallel_registry and name in SHIPPED:
        register("parallel", label, f"tacit.envs.{name}_v{version}:parallel_env")
    elif label not in parallel_registry:
        register("parallel", label, f"{views}:make_parallel", kwargs={"name": name})
    if label not in aec_registry and name in SHIPPED:
        register("aec", label, f"tacit.envs.{name}_v{version}:env")
    elif label not in aec_registry:
        register("aec", label, f"{views}:make_aec", kwargs={"name": name})


def _tell_gymnasium(name: str, version: int) -> None:
    import gymnasium

    label = f"tacit/{name}-v{version}"
    if label not in gymnasium.registry:
        gymnasium.register(
            label,
            "tacit.envs.views.gymnasium_env:make_seat_env",
            vector_entry_point="tacit.envs.views.gymnasium_vector_env:make_seat_vector_env",
            kwargs={"name": name},
        )


TELL: dict[str, Callable[[str, int], None]] = {
    "gymnasium": _tell_gymnasium,
    "pettingzoo": _tell_pettingzoo,
}
_UNDER_WAY: set[str] = set()  # libraries whose own import has begun and not ended


class _Hook(MetaPathFinder):
    """Finds the libraries of `TELL` as the other finders do, with a loader that tells them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in TELL:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _TellingLoader(spec.loader)
        return spec


class _TellingLoader(Loader):
    """A library's own loader; once it has run the library's code, all markets are registered."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._own  # whoever asks finds it as it is
        _UNDER_WAY.add(name)
        try:
            self._own.exec_module(module)
        finally:
            _UNDER_WAY.discard(name)
        for market in MARKETS:
            TELL[name](market, VERSIONS.get(market, 0))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


def register_all() -> None:
    """Register every known market now or, with a library that is not imported yet, then."""
    for name in MARKETS:
        register_environments(name)
    if not all(library in sys.modules for library in TELL):
        sys.meta_path.insert(0, _Hook())
