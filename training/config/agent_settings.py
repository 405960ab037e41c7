"""The agents of an arm: one config a seat, from entries by role or seat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tacit.agents.anchor import FILE, RULES, AnchorConfig
from tacit.agents.external.config import is_live
from tacit.agents.external.table_agent import TableConfig
from tacit.agents.neural.config import IppoConfig
from tacit.agents.prior import PriorFile, checked_prior
from tacit.agents.prior.config import PriorConfig
from tacit.agents.registry import AGENTS, make_config
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market

from . import files
from .breaker_settings import ROLLBACK
from .experiment_file import TrainConfig
from .layers import Setting, as_table, market_file
from .mistakes import MistakeList

PRIORS = "priors"  # the folder of priors in configs/
Table = dict[str, dict[str, Any]]  # owner (a role or a seat) -> keys of its agent


def agent_configs(
    market: Market, base: Mapping[str, Any], settings: Sequence[Setting]
) -> dict[str, BaseModel]:
    """Every seat's agent: its own entry, else its role's, else the market's default one.

    Args:
        market: the market whose seats are filled.
        base: the experiment file's `agents`.
        settings: dotted keys; those of other groups are passed over.

    Raises:
        ConfigError: all unknown roles, seats, agents and keys.
    """
    roles = {seat.name: seat.role.name for seat in market.seats}
    table: Table = {role.name: _default_agent(market, role.name) for role in market.roles}
    mistakes = MistakeList()
    for owner, rest, value in _entries(roles, base, settings, mistakes):
        if owner not in roles and owner not in table:
            # An entry of the market's YAML for a role that it lacks under these keys is no mistake.
            if owner not in market_file(market.name).get("agents", {}):
                known = [*roles, *dict.fromkeys(roles.values())]
                mistakes.append(f"agents.{owner}: unknown role or seat. {nearest(owner, known)}")
            continue
        with mistakes.collecting():
            below = table.get(owner) or table.get(roles.get(owner, ""), {})
            table[owner] = _applied(owner, rest, value, below)
    configs: dict[str, BaseModel] = {}
    for owner, values in table.items():
        with mistakes.collecting():
            configs[owner] = make_config(values, f"agents.{owner}")
    mistakes.raise_if_any()
    found = {seat: configs.get(seat) or configs[role] for seat, role in roles.items()}
    for seat in market.seats:  # files are read here, once every key is right
        config = found[seat.name]
        if isinstance(config, TableConfig):
            with mistakes.collecting():
                config = config.in_folder(Path())
                found[seat.name] = config.bound(market, seat)
        if isinstance(config, IppoConfig) and config.anchor is not None:
            with mistakes.collecting():
                anchor = _with_content(config.anchor, seat.name).in_folder(Path())
                found[seat.name] = config.model_copy(update={"anchor": anchor.bound(market, seat)})
        if isinstance(config, PriorConfig) and config.file and config.content is None:
            with mistakes.collecting():
                content = read_prior(config.file, f"agents.{seat.name}.file")
                found[seat.name] = config.model_copy(update={"content": content})
    mistakes.raise_if_any()
    return found


def read_prior(name: str, key: str) -> PriorFile:
    """The prior that `name` means: a YAML file, or one of `configs/priors`.

    Args:
        name: a path that ends in .yaml, or a name.
        key: whose value it is, for messages.

    Raises:
        ConfigError: there is none, or it is damaged: every mistake in it.
    """
    path = files.find(name, (PRIORS,), key)
    return checked_prior(files.read_yaml(path), f"{key}: {name}")


def _with_content(anchor: AnchorConfig, seat: str) -> AnchorConfig:
    """The anchor with what the prior that it names holds; as it is if it names something else.

    Raises:
        ConfigError: there is no such prior, rule or policy file, or it is damaged.
    """
    name, key = anchor.policy, f"agents.{seat}.anchor.policy"
    if anchor.content is not None or name in RULES or name.endswith(FILE):
        return anchor
    known = files.names(PRIORS)
    if name not in known and not name.endswith((".yaml", ".yml")):
        raise ConfigError(
            f"{key}: '{name}' is no prior, scripted rule or policy file ({FILE}). "
            f"{nearest(name, [*known, *RULES])}"
        )
    return anchor.model_copy(update={"content": read_prior(name, key)})


def live_mistakes(
    agents: Mapping[str, BaseModel], train: TrainConfig, breakers: Any, policies: Any
) -> list[str]:
    """What does not go with an agent that answers while others learn, a line each.

    It plays one market at a time, and it cannot be put back to an earlier round.
    """
    live = [seat for seat, config in agents.items() if is_live(config)]
    if not live:
        return []
    lines = []
    why = f"with a live agent (agents.{live[0]})"
    if train.copies > 1:
        lines.append(
            f"train.copies: must be 1 {why}, which plays one market at a time; got {train.copies}."
        )
    if train.starts_from is not None:
        lines.append(f"train.starts_from: must be null {why}, which remembers no other arm.")
    if policies:
        lines.append(f"policies: must be empty {why}, beside which no vendor's seats are trained.")
    for name, own in breakers.items() if isinstance(breakers, Mapping) else ():
        action = own.get("action") if isinstance(own, Mapping) else None
        if action == ROLLBACK:
            lines.append(
                f"breakers.{name}.action: must be stop or pause {why}, which cannot be put back; "
                "got rollback."
            )
    return lines


def with_folder(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Settings of a file in which relative paths of policies and prompts lead out from its folder.

    Args:
        settings: dotted keys or tables within tables: those of agents are changed.
        folder: where the file lies.
    """

    def placed(key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {inner: placed(str(inner), own) for inner, own in value.items()}
        name = key.rpartition(".")[2]
        is_path = name in ("file", "prompt") or (name == "policy" and str(value) not in RULES)
        if is_path and isinstance(value, str) and value:
            if value in files.names(PRIORS) and not (folder / value).exists():
                return value  # the name of a prior, not a path
            return str(folder / Path(value).expanduser())
        return value

    return {
        key: placed(str(key), value) if str(key).partition(".")[0] == "agents" else value
        for key, value in settings.items()
    }


def _entries(
    roles: Mapping[str, str],
    base: Mapping[str, Any],
    settings: Sequence[Setting],
    mistakes: MistakeList,
) -> Iterator[tuple[str, str, Any]]:
    """(owner, path of a key within its agent or "", value), in the order in which they apply."""
    # In a file roles come before the seats that refine them, whatever their order there.
    entries = sorted(base.items(), key=lambda entry: entry[0] in roles)
    for key, value in settings:
        if key == "agents":
            with mistakes.collecting():
                entries += as_table(value, "agents").items()
        elif key.startswith("agents."):
            entries.append((key.removeprefix("agents."), value))
    for key, value in entries:
        owner, _, rest = key.partition(".")
        yield owner, rest, value


def _applied(owner: str, rest: str, value: Any, below: Mapping[str, Any]) -> dict[str, Any]:
    """Replace (`bidder: ippo`, `bidder: {name: ...}`) or refine (`bidder.discount: .9`)."""
    if rest and rest != "name":
        return _refined(below, rest, value)
    if isinstance(value, str):
        return _load_agent(value, f"agents.{owner}")
    if isinstance(value, Mapping):
        return dict(value) if "name" in value else {**below, **value}
    raise ConfigError(f"agents.{owner}: must be a name or a table, got {value!r}.")


def _refined(table: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy in which one value is another; a path leads into tables: `kwargs.n_epochs`."""
    key, _, rest = path.partition(".")
    inner = table.get(key)
    below = inner if isinstance(inner, Mapping) else {}
    return {**table, key: _refined(below, rest, value) if rest else value}


def _load_agent(name: str, key: str) -> dict[str, Any]:
    if name in AGENTS:
        return {"name": name}
    known = [*AGENTS, *files.names("agents")]
    if name not in known and not name.endswith((".yaml", ".yml")):
        raise ConfigError(f"{key}: unknown agent '{name}'. {nearest(name, known)}")
    path = files.find(name, ("agents",), key)
    values = files.read_yaml(path)
    placed: dict[str, Any] = with_folder({"agents": values}, Path(str(path)).parent)["agents"]
    return placed


def _default_agent(market: Market, role: str) -> dict[str, Any]:
    entry = market_file(market.name).get("agents", {}).get(role, "q_learning")
    return _load_agent(entry, f"agents.{role}") if isinstance(entry, str) else dict(entry)
