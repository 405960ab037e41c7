"""Mistakes of a user: collected, named, and told all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError


class ConfigError(ValueError):
    """One or more mistakes in what a user wrote. `mistakes` holds one line for each."""

    def __init__(self, mistakes: Sequence[str] | str) -> None:
        self.mistakes: list[str] = [mistakes] if isinstance(mistakes, str) else list(mistakes)
        super().__init__("\n".join(self.mistakes))


def nearest(name: str, known: Iterable[str]) -> str:
    """The advice behind an unknown name: the nearest valid one, else the list of them."""
    names = sorted(known)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"One of: {', '.join(names)}." if names else "There are none."


class Misfit(ValueError):
    """What a model's validator over several keys finds wrong with one of them."""

    def __init__(self, key: str, told: str) -> None:
        self.key = key
        super().__init__(told)


M = TypeVar("M", bound=BaseModel)


def build(model: type[M], values: Mapping[str, Any], prefix: str) -> M:
    """`model(**values)`, with every mistake told as `prefix.key: what is wrong`."""
    try:
        return model(**values)
    except ValidationError as error:
        lines = [_line(model, e, values, prefix) for e in error.errors()]
        raise ConfigError(list(dict.fromkeys(lines))) from None


def _variants(field: Any) -> dict[Any, type[BaseModel]]:
    """The models that a field chooses from by one of their keys, by that key's value."""
    if field is None or not isinstance(field.discriminator, str):
        return {}
    return {
        tag: member
        for member in get_args(field.annotation)
        for tag in get_args(member.model_fields[field.discriminator].annotation)
    }


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field, or a list's entry, holds."""
    inside = (annotation, *get_args(annotation))
    return next((a for a in inside if isinstance(a, type) and issubclass(a, BaseModel)), None)


@dataclass
class _Place:
    """Where a mistake is: its path as a user wrote it, the valid keys where its last part stands,
    and the alternatives that a value there could have been."""

    path: list[str]
    known: list[str]
    choices: tuple[Any, ...] = ()


def _place(model: type[BaseModel], path: Sequence[int | str]) -> _Place:
    """Pydantic puts the name of a chosen model, or alternative, behind the key it is for."""
    place = _Place([], [])
    inside: type[BaseModel] | None = model
    variants: dict[Any, type[BaseModel]] = {}
    for part in path:
        if part in variants:
            inside, variants = variants[part], {}
            continue
        if place.choices:
            break  # what follows speaks of one alternative only
        place.path.append(str(part))
        if isinstance(part, int):
            continue
        place.known = list(inside.model_fields) if inside else []
        field = inside.model_fields.get(part) if inside else None
        variants = _variants(field)
        place.choices = () if variants or field is None else _alternatives(field.annotation)
        inside = _model_in(field.annotation) if field else None
    return place


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; none for a plain type, or one that may be null."""
    if get_origin(annotation) not in (Union, UnionType):
        return ()
    members = tuple(a for a in get_args(annotation) if a is not NoneType)
    return members if len(members) > 1 else ()


def _in_words(annotation: Any) -> str:
    """A type as a user knows it: `a number`, `a list of 2`, `'first'`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    inside = get_args(annotation)
    if get_origin(annotation) is Literal:
        return " or ".join(repr(value) for value in inside)
    if get_origin(annotation) is tuple:
        return "a list" if Ellipsis in inside else f"a list of {len(inside)}"
    plain = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a word"}
    return plain.get(annotation, "a table of keys")


def _value_at(values: Any, path: Sequence[str]) -> Any:
    for part in path:
        values = values[int(part)] if isinstance(values, list | tuple) else values[part]
    return values


PLAIN = dict.fromkeys(("tuple_type", "list_type"), "a list") | dict.fromkeys(
    ("dict_type", "model_type", "mapping_type"), "a table of keys"
)


def _line(model: type[BaseModel], error: Any, values: Mapping[str, Any], prefix: str) -> str:
    place, kind, context = _place(model, error["loc"]), error["type"], error.get("ctx", {})
    if isinstance(context.get("error"), Misfit):
        place.path.append(context["error"].key)
    if error["loc"] and isinstance(error["loc"][-1], int):
        listed = _value_at(values, place.path[:-1])
        if kind == "missing" or not isinstance(listed, list | tuple):
            place.path.pop()  # a list with too few entries; one value that stands for a list
    where = ".".join([prefix, *place.path]).strip(".")
    if place.choices and len(place.path) < len(error["loc"]):
        words = [_in_words(choice) for choice in place.choices]
        either = f"{', '.join(words[:-1])} or {words[-1]}"
        return f"{where}: must be {either}, got {_value_at(values, place.path)!r}."
    if kind == "extra_forbidden":
        return f"{where}: unknown key. {nearest(place.path[-1], place.known)}"
    if kind == "missing":
        if not isinstance(error["loc"][-1], int):
            return f"{where}: missing."
        return f"{where}: has too few entries: {list(error['input'])}."
    if kind in ("too_short", "too_long"):
        side, bound = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        got = context["actual_length"]
        return f"{where}: must have at {side} {context[bound]}, got {got}: {list(error['input'])}."
    if kind == "union_tag_invalid":
        where = f"{where}.{context['discriminator'].strip(chr(39))}"
        choice = " or ".join(context["expected_tags"].rsplit(", ", 1))
        return f"{where}: must be {choice}, got {context['tag']!r}."
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":
        return f"{where}: {message}"
    return f"{where}: must be {PLAIN.get(kind, message)}, got {error['input']!r}."
