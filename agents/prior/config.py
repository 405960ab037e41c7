"""The agent `{name: prior, file: supplier_diplomacy}`: it plays a prior and never learns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.policy import PolicyTable
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat

from .prior_file import PriorFile
from .prior_table import PriorTable, prior_table


class PriorConfig(BaseModel):
    """Keys of a seat that plays a prior.

    `content` is filled in from the file when a configuration is read, so that a run keeps the very
    figures and sources that it was made with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["prior"] = "prior"
    file: str = Field(
        "", description="a prior of `tacit list`, or a YAML file relative to the config's folder"
    )
    smoothing: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.0, description="share of each row that is uniform over the legal actions"
    )
    content: PriorFile | None = Field(
        None, description="what the file holds; filled in, and kept by a run"
    )

    def found(self, market: Market, seat: Seat) -> PriorTable:
        """The prior in a seat.

        Raises:
            ConfigError: no file was named, or it does not fit the seat.
        """
        if self.content is None:
            raise ConfigError(
                f"agents.{seat.name}.file: missing: name a prior of `tacit list`, or a YAML file."
            )
        where = f"agents.{seat.name}.file: {self.file or self.content.title}"
        return prior_table(self.content, market, seat.name, self.smoothing, where)

    def policy(self, market: Market, seat: Seat) -> PolicyTable:
        """The policy of a seat, float64 `[O, A]`.

        Raises:
            ConfigError: as `found`.
        """
        return self.found(market, seat).table
