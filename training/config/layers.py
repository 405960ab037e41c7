"""Layers of settings: what one file or one dotted key puts over what lies below it.

The way of a setting: the model's default, then the market's YAML, the experiment file, the arm, and
last the command line, over every arm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.envs.registry import MARKETS

from . import files
from .experiment_file import ExperimentFile, short_market

Setting = tuple[str, Any]  # a dotted key and its value: ("train.rounds", 1000)


def as_table(value: Any, key: str) -> dict[str, Any]:
    """A copy of a value that must be a table of keys.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key}: must be a table of keys, got {value!r}.")
    return dict(value)


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One table over another, tables within them merged likewise."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            value = overlay(known, value)
        merged[key] = value
    return merged


def set_dotted(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set `path` in nested tables; a value on the way that is no table is replaced by one."""
    *heads, last = path
    for head in heads:
        below = tree.get(head)
        tree[head] = dict(below) if isinstance(below, Mapping) else {}
        tree = tree[head]
    tree[last] = value


def market_file(name: Any) -> dict[str, Any]:
    """The YAML of a market, the layer below every experiment in it; empty where there is none."""
    if str(name) not in MARKETS or str(name) not in files.names("markets"):
        return {}
    return files.read_yaml(files.find(str(name), ("markets",), "market.name"))


def layered_settings(file: ExperimentFile, settings: Sequence[Setting]) -> dict[str, Any]:
    """Market, policies, train, record, breakers, seeds and seed of an arm, every layer applied.

    Args:
        file: the experiment file.
        settings: the arm's dotted keys, then the command line's.
    """
    plain = ("market", "policies", "train", "record", "breakers", "seeds", "seed")
    own = {**file.model_dump(include={*plain}, exclude_unset=True)}
    own["market"] = short_market(file.market)
    for key, value in settings:
        if key.split(".")[0] in plain:
            set_dotted(own, key.split("."), value)
    own["market"] = _with_preset(short_market(own["market"]))
    name = own["market"].get("name") if isinstance(own["market"], Mapping) else None
    default = market_file(name)
    below: dict[str, Any] = {k: default[k] for k in plain[1:] if k in default}
    below["market"] = short_market(default.get("market"))
    none: dict[str, Any] = {group: {} for group in ("policies", "train", "record", "breakers")}
    return none | overlay(below, own)


def _with_preset(market: Any) -> Any:
    """`market: {name: procurement_scms, ...}`: the preset's market, other keys on top of it."""
    name = str(market.get("name")) if isinstance(market, Mapping) else ""
    if name in MARKETS or name not in files.names("markets"):
        return market
    preset = files.read_yaml(files.find(name, ("markets",), "market.name")).get("market")
    return overlay(short_market(preset), {k: v for k, v in market.items() if k != "name"})
