"""What a market's file in this folder declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tacit.envs.market import Market

from .data_file import Column, DataFile
from .samples import Sample


@dataclass(frozen=True)
class MarketFit:
    """How a market is fitted to a file, and how the two are compared.

    Attributes:
        columns: what is read from the file.
        options: the model of what can be chosen; its fields are options of the command.
        question: of a preset; `{file}` stands for the data's name.
        fit: from data and options to the market's keys. It reads nothing but the file.
        of_file: the samples of the file that are compared.
        of_market: the same samples of the fitted market, which it plays; of the data it may use
            only which quantities there are to compare.
        agents: of a preset, where the market's default learners do not suit the data.
    """

    columns: tuple[Column, ...]
    options: type[BaseModel]
    question: str
    fit: Callable[[DataFile, Any], dict[str, Any]]
    of_file: Callable[[DataFile, Any], list[Sample]]
    of_market: Callable[[Market, DataFile, Any], list[Sample]]
    agents: Mapping[str, Any] = field(default_factory=dict)
