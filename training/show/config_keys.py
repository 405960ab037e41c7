"""Keys of a config model as rows of a table: name, default, bounds, meaning."""

from __future__ import annotations

from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tacit.envs.errors import fields_by_key


def key_rows(model: type[BaseModel], prefix: str = "", head: str = "key") -> list[dict[str, str]]:
    """A row a key of a config model, but for `name`, which chooses the model.

    Args:
        model: whose keys.
        prefix: put before every key, such as `market.` or `--`.
        head: the title of the first column.
    """
    return [
        {
            head: f"{prefix}{name}",
            "default": default_text(info),
            "bounds": bounds_text(info),
            "meaning": info.description or "",
        }
        for name, info in fields_by_key(model).items()
        if name != "name"
    ]


def default_text(info: FieldInfo) -> str:
    """The default of a key, as a user would write it in YAML."""
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "{" + ", ".join(f"{k}: {v}" for k, v in value.model_dump().items()) + "}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value) if isinstance(value, tuple) else value)


def bounds_text(info: FieldInfo) -> str:
    """Bounds of a key, `>= 2, <= 16`, or its choices, `none | price | bids`."""
    bounds = [_bound_text(constraint) for constraint in _constraints(info)]
    return ", ".join(text for text in bounds if text) or " | ".join(_choices(info.annotation))


def _constraints(info: FieldInfo) -> list[Any]:
    """What pydantic knows of a key's bounds.

    For `Annotated[int, Field(ge=1)]` it is in the field's own metadata; for a union, such as
    `Annotated[...] | None`, in those of its members; a nested `Field` holds a list of its own.
    """
    metadata = list(info.metadata)
    for member in getattr(info.annotation, "__args__", ()):
        metadata += list(getattr(member, "__metadata__", ()))
    return [
        constraint
        for entry in metadata
        for constraint in (getattr(entry, "metadata", None) or [entry])
    ]


def _bound_text(constraint: Any) -> str:
    """`>= 2` for a bound, else nothing."""
    if isinstance(constraint, annotated_types.Ge):
        return f">= {constraint.ge}"
    if isinstance(constraint, annotated_types.Gt):
        return f"> {constraint.gt}"
    if isinstance(constraint, annotated_types.Le):
        return f"<= {constraint.le}"
    if isinstance(constraint, annotated_types.Lt):
        return f"< {constraint.lt}"
    return ""


def _choices(annotation: Any) -> list[str]:
    """The words of a `Literal`, also within a union."""
    if annotation is bool:
        return ["true", "false"]
    members = getattr(annotation, "__args__", ())
    words = [str(member) for member in members if isinstance(member, str)]
    return words or [word for member in members for word in _choices(member)]
