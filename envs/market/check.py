"""Mistakes in what a market declares, found before anything is compiled or trained."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tacit.envs.errors import nearest

from .roles import PHASE, WAIT, Part, Role

if TYPE_CHECKING:
    from .market import Market

OF_THE_CLASS = ("name", "title", "kernels", "model", "headline")
OF_DECLARE = ("measures", "phases", "roles", "params", "state_width")

EVERYBODY = "market"  # owner of the measures that no seat has
KERNELS = {"reset": 3, "observe": 4, "play": 6}  # how many arguments each has


def class_mistakes(cls: type[Market]) -> list[str]:
    """Attributes that a market's class lacks, a line each."""
    return [f"{cls.__name__}.{name}: missing." for name in OF_THE_CLASS if not hasattr(cls, name)]


@cache
def kernel_mistakes(module: str) -> tuple[str, ...]:
    """What is wrong with the kernels of a market, a line each; imports their module by its name."""
    found, mistakes = importlib.import_module(module), []
    for name, count in KERNELS.items():
        kernel = getattr(found, name, None)
        written = getattr(kernel, "py_func", None)
        if kernel is None:
            mistakes.append(f"{module}.{name}: missing; it is one of a market's three kernels.")
        elif written is None:
            mistakes.append(f"{module}.{name}: needs the decorator `kernel`.")
        elif (got := len(inspect.signature(written).parameters)) != count:
            mistakes.append(f"{module}.{name}: takes {got} arguments, must take {count}.")
    return tuple(mistakes)


def declaration_mistakes(market: Market) -> list[str]:
    """What is wrong in what `declare` has set, a line each."""
    name = type(market).__name__
    missing = [attribute for attribute in OF_DECLARE if not hasattr(market, attribute)]
    if missing:
        return [f"{name}.declare: does not set `{attribute}`." for attribute in missing]
    shapes = [line for role in market.roles for line in _block_mistakes(market, role)]
    lines = [*shapes, *_array_mistakes(market), *_names(market)]
    # Parts that are none have no names either.
    return [f"{name}.{line}" for line in (lines if shapes else [*lines, *_ambiguous(market)])]


def _block_mistakes(market: Market, role: Role) -> Iterator[str]:
    """Blocks: parts are tuples of `Part`, and every phase has one."""
    for k, block in enumerate(role.blocks):
        for side in ("sees", "does"):
            parts = getattr(block, side)
            if not isinstance(parts, tuple) or not all(isinstance(p, Part) for p in parts):
                yield f"roles: block {k} of {role.name}: `{side}` must be a tuple of Parts."
    phases = [block.phase for block in role.blocks]
    if phases != sorted(phases):
        yield f"roles: blocks of {role.name} must be in order of phase, got {phases}."
    for phase in sorted(set(phases) - set(range(len(market.phases)))):
        yield f"roles: {role.name} has a block for phase {phase}; phases are {market.phases}."
    for phase in sorted(set(range(len(market.phases))) - set(phases)):
        yield (
            f"roles: {role.name} has no block for phase {phase} ('{market.phases[phase]}'); "
            f"Block({phase}) waits there."
        )


def _array_mistakes(market: Market) -> Iterator[str]:
    """`params` and `state_width` as the kernels take them."""
    params = market.params
    if not isinstance(params, np.ndarray) or params.ndim != 1 or params.dtype != np.float64:
        yield "params: must be an array float64 [.]: np.array([...], np.float64)."
    if not isinstance(market.state_width, int | np.integer) or market.state_width < 0:
        yield f"state_width: must be a whole number of 0 or more, got {market.state_width!r}."


def _names(market: Market) -> Iterator[str]:
    """Names of measures, parts and roles that do not exist."""
    if market.headline not in market.columns:
        advice = nearest(market.headline, market.columns)
        yield f"headline: unknown measure '{market.headline}'. {advice}"
    roles = {role.name: role for role in market.roles}
    for role in market.roles:
        measured = [measure.name for measure in market.measured(role.name)]
        if role.fundamental not in measured:
            yield (
                f"roles: the fundamental '{role.fundamental}' is no measure of a {role.name}. "
                f"{nearest(role.fundamental, measured)}"
            )
    for claim in market.claims:
        if claim.role not in roles:
            yield f"claims: unknown role '{claim.role}'. {nearest(claim.role, roles)}"
            continue
        for side, part in (("does", claim.part), ("sees", claim.about)):
            blocks = roles[claim.role].blocks
            known = [p.name for block in blocks for p in getattr(block, side)]
            known += [p.name for block in blocks for p, _ in block.given if side == "sees"]
            if part not in known:
                yield f"claims: no {claim.role} {side} '{part}'. {nearest(part, known)}"
        for measure in (claim.above, claim.below):
            if measure is not None and measure not in market.columns:
                yield f"claims: unknown measure '{measure}'. {nearest(measure, market.columns)}"
    yield from _rivalry(market, roles)


def _ambiguous(market: Market) -> Iterator[str]:
    """Names that stand for two things, or for something of tacit's own."""
    seats = [seat.name for seat in market.seats]
    owners = [*(role.name for role in market.roles), *seats, EVERYBODY]
    for name in sorted({name for name in owners if owners.count(name) > 1}):
        yield f"roles: '{name}' names two of the roles, the seats and the market itself."
    names = [measure.name for measure in market.measures]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"measures: '{name}' occurs twice."
    taken = {"sees": PHASE, "does": WAIT[0].name}
    for role in market.roles:
        for k, block in enumerate(role.blocks):
            for side, reserved in taken.items():
                parts = getattr(block, side)
                if parts == WAIT:
                    continue
                own = [part.name for part in parts]
                for name in sorted({name for name in own if own.count(name) > 1}):
                    yield f"roles: block {k} of {role.name}: `{side}` has '{name}' twice."
                if reserved in own:
                    yield (
                        f"roles: block {k} of {role.name}: `{side}` must not name a part "
                        f"'{reserved}', which tacit uses itself."
                    )


def _rivalry(market: Market, roles: Mapping[str, Role]) -> Iterator[str]:
    """Names in `Analysis.rivalry` that do not exist; a role may be missing under a config."""
    if (found := market.analysis_class) is None:
        return
    short = bool(found.conduct)  # the short form: measure and part have one name
    where = f"analysis_class.{'conduct' if short else 'rivalry'}"
    declared = {k: (v, v, 1) for k, v in found.conduct.items()} or {
        k: (v.measure, v.part, v.competition) for k, v in found(market).rivalry.items()
    }
    for name, (chosen, part, way) in declared.items():
        if name not in roles:
            continue
        measured = [measure.name for measure in market.measured(name)]
        if chosen not in measured:
            yield f"{where}: unknown measure '{chosen}'. {nearest(chosen, measured)}"
        parts = [own.name for parts in roles[name].choices for own in parts]
        if part not in parts:
            advice = " (`rivalry` names measure and part apart.)" if short else ""
            yield f"{where}: no {name} does '{part}'. {nearest(part, parts)}{advice}"
        if way not in (-1, 1):
            yield f"{where}: competition must be +1 or -1, got {way!r}."
