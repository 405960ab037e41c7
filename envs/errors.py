"""Mistakes of a user: collected, named, and told all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

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


def _keys(model: type[BaseModel], path: Sequence[int | str]) -> Iterable[str]:
    """The valid keys of the model that lies at `path` inside `model`."""
    for part in path:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        options = [inner, *getattr(inner, "__args__", ())]  # `Inner` or `Inner | None`
        models = [m for m in options if isinstance(m, type) and issubclass(m, BaseModel)]
        if not models:
            return ()
        model = models[0]
    return model.model_fields


def _line(model: type[BaseModel], error: Any, prefix: str) -> str:
    where = ".".join([prefix, *(str(part) for part in error["loc"])]).strip(".")
    if error["type"] == "extra_forbidden":
        known = _keys(model, error["loc"][:-1])
        return f"{where}: unknown key. {nearest(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"{where}: missing."
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "value_error":
        return f"{where}: {message}"
    return f"{where}: must be {message}, got {error['input']!r}."
