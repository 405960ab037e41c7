"""Mistakes of a user: collected, named, and told all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_args

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


M = TypeVar("M", bound=BaseModel)


def build(model: type[M], values: Mapping[str, Any], prefix: str) -> M:
    """`model(**values)`, with every mistake told as `prefix.key: what is wrong`."""
    try:
        return model(**values)
    except ValidationError as error:
        raise ConfigError([_line(model, e, prefix) for e in error.errors()]) from None


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


def _descend(model: type[BaseModel], path: Sequence[int | str]) -> tuple[list[str], list[str]]:
    """`path` as a user wrote it, and the valid keys where its last part stands.

    Pydantic puts the name of a chosen model behind the key that it was chosen for.
    """
    written: list[str] = []
    inside: type[BaseModel] | None = model
    variants: dict[Any, type[BaseModel]] = {}
    known: list[str] = []
    for part in path:
        if part in variants:
            inside, variants = variants[part], {}
            continue
        written.append(str(part))
        if isinstance(part, int):
            continue
        known = list(inside.model_fields) if inside else []
        field = inside.model_fields.get(part) if inside else None
        variants = _variants(field)
        inside = _model_in(field.annotation) if field else None
    return written, known


def _line(model: type[BaseModel], error: Any, prefix: str) -> str:
    path, known = _descend(model, error["loc"])
    where = ".".join([prefix, *path]).strip(".")
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key. {nearest(path[-1], known)}"
    if error["type"] == "missing":
        return f"{where}: missing."
    if error["type"] == "union_tag_invalid":
        said = error["ctx"]
        where = f"{where}.{said['discriminator'].strip(chr(39))}"
        choice = " or ".join(said["expected_tags"].rsplit(", ", 1))
        return f"{where}: must be {choice}, got {said['tag']!r}."
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "value_error":
        return f"{where}: {message}"
    return f"{where}: must be {message}, got {error['input']!r}."
