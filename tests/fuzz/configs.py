"""Experiments with something wrong in them: refused in words, or accepted as they are written.

A shipped experiment or a market is changed in one to four places: a key gets another value, goes,
is misspelt or moves; or the text of the file is damaged. What is accepted must say of itself what
was accepted: printed by `train --show` and read again, every arm is the same.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from fuzz.trial import CONTROL, VALUES, Outcome, luck_of

from tacit.envs.errors import ConfigError
from tacit.envs.registry import MARKETS
from tacit.training.config import files
from tacit.training.config.load import load

KEYS = (
    "market", "name", "seeds", "seed", "arms", "kpi", "agents", "train", "rounds", "copies",
    "measure_last", "evaluate_every", "episode_rounds", "breakers", "when", "then", "above",
    "figure", "references", "question", "bidder", "supplier", "provider", "profit", "discount",
)  # fmt: skip
MOST_ARMS = 3  # that are kept of a shipped experiment: more only take longer


def configs(folder: Path, count: int, first: int = 0) -> list[Outcome]:
    """`count` experiments, from seed `first` on."""
    outcome = Outcome(
        "experiment files", "refused in words, or accepted and the same when printed and read again"
    )
    sources = [data for data in _sources() if _loads(data)]
    path = folder / "fuzzed.yaml"
    for seed in range(first, first + count):
        outcome.count(seed, lambda seed=seed: _tried(path, sources, luck_of("configs", seed)))
    return [outcome]


def _sources() -> Iterator[dict[str, Any]]:
    """Shipped experiments with their first few arms, and every market by itself."""
    for name in files.names("experiments"):
        data = files.read_yaml(files.find(name, ("experiments",), "name"))
        arms = data.get("arms", {})
        data["arms"] = {arm: arms[arm] for arm in list(arms)[:MOST_ARMS]}
        for key in ("references", "figure"):  # they name arms that are gone
            data.pop(key, None)
        if all(not isinstance(own, dict) or "from" not in own for own in data["arms"].values()):
            yield data
    for market in MARKETS:
        (arm, *_) = load(market).arms.values()
        yield {"market": arm.plain["market"], "seeds": 2}


def _loads(data: dict[str, Any]) -> bool:
    """Whether data are an experiment; imports and compiles what may take longer than a trial."""
    try:
        load(data)
    except ConfigError:
        return False
    return True


def _tried(path: Path, sources: list[dict[str, Any]], luck: random.Random) -> str:
    data = copy.deepcopy(luck.choice(sources))
    for _ in range(luck.choice((0, 1, 1, 1, 2, 4))):
        _change(data, luck)
    text = _as_yaml(data)
    if luck.random() < 0.3:
        text = _damaged(text, luck)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    words = [f"{luck.choice(KEYS)}.{luck.choice(KEYS)}={_word(luck)}"] * (luck.random() < 0.2)
    try:
        experiment = load(path, words)
    except ConfigError as error:
        return _judged(error)
    shown = files.parse(files.dump_yaml({n: a.plain for n, a in experiment.arms.items()}), "shown")
    for name, arm in experiment.arms.items():
        (again,) = load(shown[name]).arms.values()
        if again.plain != arm.plain:
            return f"failed: arm {name!r} is another when it is printed and read again"
    return "accepted"


def _judged(error: ConfigError) -> str:
    """`refused`, if it is told in words."""
    if not error.mistakes or not all(line.strip() for line in error.mistakes):
        return "failed: refused without a word"
    internal = ("pydantic", "NoneType", "object at 0x", "Traceback", "<class")
    told = [word for word in internal if any(word in line for line in error.mistakes)]
    return f"failed: {told} in {error}" if told else "refused"


def _as_yaml(data: Any) -> str:
    """YAML text, of values that JSON does not know as well."""
    try:
        return str(yaml.dump(data, Dumper=files.Dumper, sort_keys=False, allow_unicode=True))
    except (ValueError, yaml.YAMLError, UnicodeError):
        return repr(data)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every table or list in data with each of its keys or positions."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from _places(node[key])


def _change(data: dict[str, Any], luck: random.Random) -> None:
    """One change, in place."""
    places = [*_places(data)]
    if not places:
        data[luck.choice(KEYS)] = luck.choice(VALUES)
        return
    node, key = luck.choice(places)
    kind = luck.randrange(7)
    if kind <= 2:
        node[key] = copy.deepcopy(luck.choice(VALUES))
    elif kind == 3:
        del node[key]
    elif kind == 4 and isinstance(node, dict):
        node[_misspelt(str(key), luck)] = node.pop(key)
    elif kind == 5 and isinstance(node, dict):
        node[luck.choice(KEYS)] = copy.deepcopy(luck.choice(VALUES))
    else:
        other, place = luck.choice(places)
        node[key] = copy.deepcopy(other[place]) if _is_there(other, place) else None


def _is_there(node: Any, key: Any) -> bool:
    return key in node if isinstance(node, dict) else key < len(node)


def _misspelt(word: str, luck: random.Random) -> str:
    k = luck.randrange(len(word) + 1)
    return luck.choice([
        word[:k] + word[k + 1 :], word[:k] + "x" + word[k:], word.upper(), word + ".a", f".{word}",
        word[::-1],
    ])  # fmt: skip


def _damaged(text: str, luck: random.Random) -> str:
    """The text with some characters gone, doubled or replaced."""
    for _ in range(luck.randint(1, 6)):
        k = luck.randrange(len(text) + 1)
        new = luck.choice([*"\t:{}[]-#&*!|>'\"%@`\n ,?\0\x07", "\u2028", "  ", "<<: *a\n", "---\n"])
        text = luck.choice([text[:k] + new + text[k:], text[:k] + text[k + luck.randint(1, 9) :]])
    return text


def _word(luck: random.Random) -> str:
    """A value as it may stand on a command line."""
    text = str(luck.choice(VALUES)).replace("\0", "")
    return "".join(c for c in text if not 0xD800 <= ord(c) < 0xE000 and c not in CONTROL)
