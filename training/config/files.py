"""YAML and where configs are found: a path, else ./configs, else the installed package."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Hashable, Iterator
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.registry import MARKETS

# A file that is written by hand stays far below these bounds. Beyond them are files that were made
# to exhaust memory, by nesting, or by anchors that stand for more anchors.
MOST_BYTES = 16_000_000
MOST_DEPTH = 40
MOST_VALUES = 500_000  # every mention of an anchor counted with all that it stands for

FOLDERS = ("experiments", "markets", "kpis", "agents", "priors")  # folders of configs/
MERGE = "tag:yaml.org,2002:merge"  # of the key `<<`, where it is not quoted

# The parser in C is ten times as fast; PyYAML may be built without it.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_Base):  # type: ignore[misc]
    """Safe YAML as people mean it: `3e-4` is a number, `no` and a date are words; a key is a word,
    once; `<<: *name` takes over another table's keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A table with its keys as they are written, behind those that it takes over by `<<`.

        Its own keys come before those of a merged table, and an earlier one of several before a
        later: https://yaml.org/type/merge.html.

        Raises:
            yaml.YAMLError: a key is no word, or occurs twice; or what is merged is no table.
        """
        own: dict[Hashable, Any] = {}
        merged: dict[Hashable, Any] | None = None
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.YAMLError(f"line {line}: a key must be a word")
            key = key_node.value
            is_merge = key_node.tag == MERGE
            if key in own or (is_merge and merged is not None):
                raise yaml.YAMLError(f"line {line}: the key '{key}' stands twice")
            value = self.construct_object(value_node, deep=True)
            if is_merge:
                merged = {}
                for table in value if isinstance(value, list) else [value]:
                    if not isinstance(table, dict):
                        raise yaml.YAMLError(
                            f"line {line}: `<<` takes over a table or several, got {table!r}"
                        )
                    merged = table | merged
            else:
                own[key] = value
        return own if merged is None else merged | own


# YAML 1.2's booleans and numbers instead of 1.1's, and no dates, which JSON could not hold. So
# `1:30`, `1_000` and `010` are words, of which 1.1 would make 90, 1000 and 8.
Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, rule)
        for tag, rule in rules
        if not tag.endswith((":bool", ":int", ":float", ":timestamp"))
    ]
    for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(0|[1-9]\d*)$"), list("-+0123456789")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?((\d+\.\d*|\.\d+)([eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(inf|Inf)|\.nan)$"),
    list("-+0123456789."),
)


class Dumper(yaml.SafeDumper):
    """Writes what `Loader` reads back: text that either YAML takes for a number is quoted."""


Dumper.yaml_implicit_resolvers = {
    letter: yaml.SafeDumper.yaml_implicit_resolvers.get(letter, [])
    + Loader.yaml_implicit_resolvers.get(letter, [])
    for letter in {*yaml.SafeDumper.yaml_implicit_resolvers, *Loader.yaml_implicit_resolvers}
}


def parse(text: str, where: str) -> Any:
    """YAML text as data.

    Raises:
        ConfigError: it is not valid YAML; the message names the line. Or it is too long, nested too
            deeply, or stands for too many values.
    """
    if len(text) > MOST_BYTES:
        raise ConfigError(
            f"{where}: has {len(text):,} characters; at most {MOST_BYTES:,} are read."
        )
    try:
        _check_size(text, where)
        found = yaml.load(text, Loader)
        if runs_on := next(_without_space(found), None):
            raise ConfigError(f"{where}: needs a space after ':' in {runs_on!r}.")
        return found
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{where}: not valid YAML: line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, OverflowError) as error:  # a number of thousands of digits
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{where}: not valid YAML: {error}") from None


def _without_space(data: Any) -> Iterator[str]:
    """Keys such as `name:external`, which YAML reads as one word without a value."""
    rest, seen = [data], set()
    while rest:
        table = rest.pop()
        if isinstance(table, dict) and id(table) not in seen:  # (an anchor may stand in itself)
            seen.add(id(table))
            yield from (k for k, v in table.items() if v is None and ":" in str(k))
            rest += table.values()


_parsed = lru_cache(maxsize=16)(parse)


def _check_size(text: str, where: str) -> None:
    """Count depth and values of a YAML text without making them.

    Raises:
        ConfigError: there are too many.
        yaml.YAMLError: it is not valid YAML.
    """
    sizes: dict[str, int] = {}  # anchor -> values that it stands for
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and values counted before it
    count = 0
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.AliasEvent):
            count += sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, count))
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = count - before
        if len(open_nodes) > MOST_DEPTH:
            raise ConfigError(f"{where}: is nested more than {MOST_DEPTH} deep.")
        if count > MOST_VALUES:
            raise ConfigError(f"{where}: stands for more than {MOST_VALUES:,} values.")


def read_yaml(path: Path | Traversable) -> dict[str, Any]:
    """The table that a YAML file holds.

    Raises:
        ConfigError: it cannot be read, is not valid YAML, or holds no table.
    """
    if isinstance(path, Path) and path.exists() and not path.is_file():
        raise ConfigError(f"{path}: cannot be read: it is not an ordinary file.")
    try:
        # The same file is read several times by a command; whoever gets the data may change it.
        data = copy.deepcopy(_parsed(path.read_text(encoding="utf-8"), str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold a table of keys, got {type(data).__name__}.")
    return data


def dump_yaml(data: Any) -> str:
    """Data as readable YAML, keys in their order."""
    plain = json.loads(json.dumps(data))
    text: str = yaml.dump(plain, Dumper=Dumper, sort_keys=False, width=100)
    return text


def _roots() -> Iterator[Path | Traversable]:
    yield Path("configs")
    yield resources.files("tacit.configs")


def names(group: str) -> list[str]:
    """All configs of a group of `FOLDERS`."""
    return sorted({file.name.removesuffix(".yaml") for file in configs(group)})


def configs(group: str) -> Iterator[Path | Traversable]:
    """The YAML files of a group, in its folder and in the folders within it, by market say."""
    for root in _roots():
        folder = root / group
        if folder.is_dir():
            for entry in sorted(folder.iterdir(), key=lambda e: (e.is_dir(), e.name)):
                found = sorted(entry.iterdir(), key=lambda e: e.name) if entry.is_dir() else [entry]
                yield from (file for file in found if file.name.endswith(".yaml"))


def find(name: str, groups: tuple[str, ...], key: str) -> Path | Traversable:
    """The file that `name` means: a path to a YAML file, or a config of one of the groups.

    Raises:
        ConfigError: there is neither; the message names the nearest.
    """
    if name.endswith((".yaml", ".yml")) or os.sep in name:
        if Path(name).is_dir():
            raise ConfigError(
                f"{key}: '{name}' is a folder, not a YAML file.{_of_a_run(Path(name))}"
            )
        if not Path(name).is_file():
            raise ConfigError(f"{key}: there is no file '{name}'.")
        return Path(name)
    if "=" in name:
        raise ConfigError(f"{key}: must come before settings, got the setting '{name}'.")
    for group in groups:
        for file in configs(group):
            if file.name == f"{name}.yaml":
                return file
    known = list(dict.fromkeys(n for group in groups for n in names(group)))
    kinds = " or ".join(group[:-1] for group in groups)
    longer = [n for n in known if len(name) > 2 and n.startswith(name)]  # too far for `nearest`
    raise ConfigError(f"{key}: unknown {kinds} '{name}'. {nearest(name, longer or known)}")


def _of_a_run(folder: Path) -> str:
    """What to type where a folder is that of a run."""
    if not (folder / "config.yaml").is_file():
        return ""
    return f" It is a run: tacit resume {folder} goes on with it, tacit show {folder} shows it."


def experiment_path(config: str) -> Path | Traversable | None:
    """The file that CONFIG means on the command line; None: a user's market, which has no file.

    Raises:
        ConfigError: there is no such experiment, market or file; the message names the nearest.
    """
    groups = ("experiments", "markets")
    if config in MARKETS and not any(config in names(group) for group in groups):
        return None
    return find(config, groups, "CONFIG")
