"""A user's mistake in a table of keys: one line, with the key, what must be there, and what is."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.types import Count, Finite


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: Count = 1
    is_open: bool = False


class Uniform(BaseModel):
    kind: Literal["uniform"] = "uniform"
    low: Finite = 0.0


class Listed(BaseModel):
    kind: Literal["list"] = "list"
    values: tuple[Finite, ...] = (1.0,)


class Keys(BaseModel):
    model_config = ConfigDict(extra="forbid")

    needed: int
    flag: bool = False
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    rule: Literal["first", "random"] = "first"
    pair: tuple[Finite, Finite] = (0.0, 1.0)
    few: Annotated[tuple[Count, ...], Field(min_length=1, max_length=2)] = (1,)
    inner: Inner = Inner()
    start: Literal["rival"] | Finite | tuple[Finite, Finite] = 0.0
    value: Annotated[Uniform | Listed, Field(discriminator="kind")] = Uniform()
    counts: dict[str, Count] = {}


MISTAKES = [
    ({"needed": "3"}, ["needed: must be a number, got '3'."]),
    ({"needed": True}, ["needed: must be a number, got True."]),
    ({"needed": 2**70}, ["needed: must be at most 9,007,199,254,740,992 in size, got "]),
    ({"pair": [0, -1e308]}, ["pair.1: must be at most 1e+100 in size, got -1e+308."]),
    ({"start": 1.1e100}, ["start: must be at most 1e+100 in size, got 1.1e+100."]),
    ({"flag": 1}, ["flag: must be true or false, got 1."]),
    ({"flag": "yes"}, ["flag: must be true or false, got 'yes'."]),
    ({"share": 1.5}, ["share: must be less than or equal to 1, got 1.5."]),
    ({"share": "x"}, ["share: must be "]),
    ({"rule": "frist"}, ["rule: must be 'first' or 'random', got 'frist'."]),
    ({"pair": [1]}, ["pair: has too few entries: [1]."]),
    ({"pair": [1, "x"]}, ["pair.1: must be "]),
    ({"pair": 3}, ["pair: must be "]),
    ({"few": []}, ["few: must have at least 1, got 0: []."]),
    ({"few": [1, 2, 3]}, ["few: must have at most 2, got 3: [1, 2, 3]."]),
    ({"counts": {"a": 0}}, ["counts.a: must be greater than or equal to 1, got 0."]),
    ({"few": [True]}, ["few.0: must be a number, got True."]),
    ({"inner": {"sise": 2}}, ["inner.sise: unknown key. Did you mean 'size'?"]),
    ({"inner": {"is_open": 0}}, ["inner.is_open: must be true or false, got 0."]),
    (
        {"start": "rivals"},
        ["start: must be 'rival', a finite number or a list of 2, got 'rivals'."],
    ),
    ({"value": {"kind": "lst"}}, ["value.kind: must be 'uniform' or 'list', got 'lst'."]),
    ({"value": {"kind": "list", "values": ["1"]}}, ["value.values.0: must be a number, got '1'."]),
    ({"counts": {"a": "2"}}, ["counts.a: must be a number, got '2'."]),
    ({"nedeed": 1}, ["nedeed: unknown key. Did you mean 'needed'?"]),
    ({"rule": 1, "share": -1}, ["share: must be greater than or equal to 0", "rule: must be"]),
]


@pytest.mark.parametrize(("keys", "mistakes"), MISTAKES)
def test_every_mistake_in_its_line(keys, mistakes):
    with pytest.raises(ConfigError) as error:
        build(Keys, {"needed": 1, **keys}, "market")
    found = error.value.mistakes
    assert len(found) == len(mistakes), found
    for line, mistake in zip(found, mistakes, strict=True):
        assert line.startswith(f"market.{mistake}")


def test_what_is_missing_and_what_is_right():
    with pytest.raises(ConfigError) as error:
        build(Keys, {}, "")
    assert error.value.mistakes == ["needed: missing."]
    found = build(Keys, {"needed": 1e6, "pair": [1, 2], "inner": {"size": 3}, "start": 2}, "x")
    assert (found.needed, found.pair, found.inner.size, found.start) == (10**6, (1, 2), 3, 2)
    build(Keys, {"needed": -(2**53), "flag": True, "counts": {"a": 2}}, "x")


def test_the_nearest_name_or_all_of_them():
    assert nearest("profti", ["profit", "price"]) == "Did you mean 'profit'?"
    assert nearest("zzz", ["b", "a"]).startswith("One of: ")
    assert nearest("rofit", ["profit", "price"]) == "Did you mean 'profit'?"
    # six letters of ten are alike, and nobody means it
    assert nearest("nothing", ["hiring", "price"]).startswith("One of: ")
