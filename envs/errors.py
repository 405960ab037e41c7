"""Mistakes of a user: all are collected, each is named by its key, and they are shown together.

A configuration is checked by a pydantic model. `build` runs the model and translates pydantic's
report into one plain line per mistake:

    market.biders: unknown key. Did you mean 'bidders'?
    market.price_mix: must be less than or equal to 1, got 1.5.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo


class ConfigError(ValueError):
    """One or more mistakes in what a user wrote.

    Attributes:
        mistakes: one line for each, `key: what is wrong`.
    """

    def __init__(self, mistakes: Sequence[str] | str) -> None:
        self.mistakes: list[str] = [mistakes] if isinstance(mistakes, str) else list(mistakes)
        super().__init__("\n".join(self.mistakes))


class InvalidKey(ValueError):
    """Raised by a model's validator that looks at several keys, to say which one is wrong.

    Pydantic reports such a validator without a key; `build` takes it from here.

    Attributes:
        key: the key, relative to the model, dotted if it is nested.
    """

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


def nearest(name: str, known: Iterable[str]) -> str:
    """The advice that follows an unknown name: the nearest valid one, else the list of them."""
    names = sorted(known)
    # A mistake in typing seldom changes the first letter: other names must be nearer to be meant.
    first = re.sub(r"^\W+", "", str(name))[:1]
    alike = [known for known in names if known.startswith(first)]
    close = difflib.get_close_matches(str(name), alike, n=1, cutoff=0.6)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.75) or close
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"One of: {', '.join(names)}." if names else "There are none."


class UnknownName(ConfigError, KeyError):
    """A name that a `ByName` does not have; a KeyError too, as of any mapping."""

    def __str__(self) -> str:
        return "\n".join(self.mistakes)  # a KeyError alone would show its message in quotes


V = TypeVar("V")
SHOWN_NAMES = 12  # of a `ByName`, where none is near


class ByName(dict[str, V]):
    """A dict whose unknown keys are told with the nearest known one: `arm: unknown 'calmm'. ...`.

    Attributes:
        what: what its keys are names of, in one word.
    """

    def __init__(self, what: str, entries: Mapping[str, V]) -> None:
        super().__init__(entries)
        self.what = what

    def __missing__(self, name: object) -> V:
        like = [known for known in self if str(name) in known]
        rest = list(self)[:SHOWN_NAMES]
        advice = nearest(str(name), like or self)
        if not advice.startswith("Did") and not like and len(self) > len(rest):
            advice = f"One of: {', '.join(rest)}, ... ({len(self)} in all)."
        raise UnknownName(f"{self.what}: unknown '{name}'. {advice}")


BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number")
LARGEST = 2**53  # of a whole number: beyond it, float64 does not hold every one
LARGEST_REAL = 1e100  # of any other: products of two, and sums of many products, are still finite

M = TypeVar("M", bound=BaseModel)


def build(model: type[M], values: Mapping[str, Any], prefix: str) -> M:
    """`model(**values)`.

    Raises:
        ConfigError: all mistakes at once, each as `prefix.key: what is wrong`.
    """
    try:
        found = model(**values)
    except ValidationError as error:
        lines = [_describe(model, e, values, prefix) for e in error.errors()]
        # Every alternative of a union reports the same mistake: keep the first of equal lines.
        raise ConfigError(list(dict.fromkeys(lines))) from None
    lines = [f"{'.'.join(filter(None, (prefix, *path)))}: must be {kind}, got {value!r}."
             for path, kind, value in _converted(found, values)]  # fmt: skip
    if lines:
        raise ConfigError(lines)
    return found


def _converted(found: Any, given: Any) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Where pydantic made a number of a text or of a truth value, or a truth value of something.

    Also numbers that arrays do not hold, or that overflow once they are multiplied; an infinity,
    where a key admits one, is meant.

    Its own strict mode would also refuse `1e6` as a count and a list as a tuple, which are meant.

    Yields:
        The keys that lead there, what is wanted there, and what was given.
    """
    if isinstance(found, bool):
        if not isinstance(given, bool):
            yield (), "true or false", given
    elif isinstance(found, int | float):
        if isinstance(given, str | bytes | bool):
            yield (), "a number", given
        elif isinstance(found, int) and abs(found) > LARGEST:
            yield (), f"at most {LARGEST:,} in size", given
        elif LARGEST_REAL < abs(found) < inf:
            yield (), f"at most {LARGEST_REAL:g} in size", given
    elif isinstance(found, BaseModel) and isinstance(given, Mapping):
        for name, field in type(found).model_fields.items():
            if (key := field.alias or name) in given:
                yield from _below(key, getattr(found, name), given[key])
    elif isinstance(found, Mapping) and isinstance(given, Mapping):
        for key in found.keys() & given.keys():
            yield from _below(str(key), found[key], given[key])
    elif isinstance(found, list | tuple) and isinstance(given, list | tuple):
        for k, (own, entry) in enumerate(zip(found, given, strict=False)):
            yield from _below(str(k), own, entry)


def _below(key: str, found: Any, given: Any) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """`_converted` of one entry, with its key in front."""
    for path, kind, value in _converted(found, given):
        yield (key, *path), kind, value


# --- where a mistake is ---------------------------------------------------------------------------


@dataclass
class _Location:
    """Where a mistake is, in the user's terms.

    Attributes:
        path: the keys and list positions that lead to it, as the user wrote them.
        known: the valid keys of the model in which the last key of `path` was looked up.
        alternatives: the types that a value there could have had, if there are several.
    """

    path: list[str]
    known: list[str]
    alternatives: tuple[Any, ...] = ()


def _locate(model: type[BaseModel], pydantic_path: Sequence[int | str]) -> _Location:
    """Translate pydantic's path of a mistake into the user's.

    Behind a key that chooses between models, or that admits several types, pydantic inserts the
    name of the model or type that it tried. The user never wrote these names; they are left out.
    """
    location = _Location([], [])
    inside: type[BaseModel] | None = model
    variants: dict[Any, type[BaseModel]] = {}
    for part in pydantic_path:
        if part in variants:
            inside, variants = variants[part], {}
            continue
        if location.alternatives:
            break  # the rest of the path is about one of the alternatives only
        location.path.append(str(part))
        if isinstance(part, int):
            continue
        fields = fields_by_key(inside) if inside else {}
        location.known = list(fields)
        field = fields.get(part)
        variants = _variants(field)
        if variants or field is None:
            location.alternatives = ()
        else:
            location.alternatives = _alternatives(field.annotation)
        inside = _model_in(field.annotation) if field else None
    return location


def fields_by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the keys that a user writes: `from` is no name in Python."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _variants(field: Any) -> dict[Any, type[BaseModel]]:
    """The models that a field chooses between by one of their keys, by that key's value."""
    if field is None or not isinstance(field.discriminator, str):
        return {}
    return {
        tag: member
        for member in get_args(field.annotation)
        for tag in get_args(member.model_fields[field.discriminator].annotation)
    }


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field, or an entry of its list, holds; None if it holds none."""
    inside = (annotation, *get_args(annotation))
    return next((a for a in inside if isinstance(a, type) and issubclass(a, BaseModel)), None)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; none for a plain type, or one that may only be null besides."""
    if get_origin(annotation) not in (Union, UnionType):
        return ()
    members = tuple(a for a in get_args(annotation) if a is not NoneType)
    return members if len(members) > 1 else ()


def _value_at(values: Any, path: Sequence[str]) -> Any:
    """The user's value at a path of keys and list positions."""
    for part in path:
        values = values[int(part)] if isinstance(values, list | tuple) else values[part]
    return values


# --- what is wrong there --------------------------------------------------------------------------

# Pydantic's kinds of mistakes whose own message names a Python type, by what the user should write.
EXPECTED = dict.fromkeys(("tuple_type", "list_type"), "a list") | dict.fromkeys(
    ("dict_type", "model_type", "mapping_type"), "a table of keys"
)


def _describe(model: type[BaseModel], error: Any, values: Mapping[str, Any], prefix: str) -> str:
    """One of pydantic's errors as a line `prefix.key: what is wrong`."""
    location, kind, context = _locate(model, error["loc"]), error["type"], error.get("ctx", {})
    if isinstance(context.get("error"), InvalidKey):
        location.path.append(context["error"].key)
    elif error["loc"] and isinstance(error["loc"][-1], int):
        listed = _value_at(values, location.path[:-1])
        if kind == "missing" or not isinstance(listed, list | tuple):
            # The list has too few entries, or one value was given in place of a list: the mistake
            # is in the list, not in an entry of it.
            location.path.pop()
    where = ".".join([prefix, *location.path]).strip(".")
    if location.alternatives and len(location.path) < len(error["loc"]):
        types = [_type_in_words(alternative) for alternative in location.alternatives]
        expected = f"{', '.join(types[:-1])} or {types[-1]}"
        return f"{where}: must be {expected}, got {_value_at(values, location.path)!r}."
    if kind == "extra_forbidden":
        return f"{where}: unknown key. {nearest(location.path[-1], location.known)}"
    if kind == "missing":
        if not isinstance(error["loc"][-1], int):
            return f"{where}: missing."
        return f"{where}: has too few entries: {list(error['input'])}."
    if kind in ("too_short", "too_long"):
        side, bound = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        got = context["actual_length"]
        return f"{where}: must have at {side} {context[bound]}, got {got}: {list(error['input'])}."
    if kind == "union_tag_invalid":
        discriminator = context["discriminator"].strip("'")
        choice = " or ".join(context["expected_tags"].rsplit(", ", 1))
        return f"{where}.{discriminator}: must be {choice}, got {context['tag']!r}."
    if kind in BOUNDS and isinstance(error["input"], bool | str):  # compared as if it were a number
        return f"{where}: must be a number, got {error['input']!r}."
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":  # raised by a validator of ours, which has written the whole sentence
        return f"{where}: {message}"
    return f"{where}: must be {EXPECTED.get(kind, message)}, got {error['input']!r}."


def _type_in_words(annotation: Any) -> str:
    """A type as a user knows it: `a finite number of at least 0`, `a list of 2`, `'first'`."""
    bounds = ""
    while get_origin(annotation) is Annotated:
        annotation, *constraints = get_args(annotation)
        bounds += _bounds_in_words(constraints)
    inside = get_args(annotation)
    if get_origin(annotation) is Literal:
        return " or ".join(repr(value) for value in inside)
    if get_origin(annotation) is tuple:
        return "a list" if Ellipsis in inside else f"a list of {len(inside)}"
    plain = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a word"}
    found = plain.get(annotation, "a table of keys")
    return found + bounds if annotation in (int, float) else found


def _bounds_in_words(constraints: Sequence[Any]) -> str:
    """What constraints of a number say: ` of at least 0`; empty for none."""
    words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
    single = [c for one in constraints for c in getattr(one, "metadata", [one])]
    found = [
        f"{text} {getattr(c, name):g}"
        for c in single
        for name, text in words.items()
        if getattr(c, name, None) is not None
    ]
    return f" {' and '.join(found)}" if found else ""
