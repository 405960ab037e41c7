"""The agent `{name: table, file: policy.safetensors}`: it plays a policy file and never learns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tacit.agents.policy import PolicyTable
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat

from .moved_seat import moved_table
from .policy_file import PolicyCard, check_fits, read_policy


class TableConfig(BaseModel):
    """Keys of a policy that is read from a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["table"] = "table"
    file: str = Field(
        "", description="a policy file (tacit export); relative to the folder of the config"
    )
    table_hash: str = Field(
        "",
        description="SHA-256 of the table, which a run's config keeps; another table is refused",
    )

    def in_folder(self, folder: Path) -> TableConfig:
        """The same with an absolute path; a relative one is looked up in `folder`."""
        path = os.path.abspath(folder / Path(self.file).expanduser()) if self.file else ""
        return self.model_copy(update={"file": path})

    def bound(self, market: Market, seat: Seat) -> TableConfig:
        """The same with the hash of the table that the file holds now.

        Raises:
            ConfigError: as `policy`.
        """
        if self.table_hash:
            self.policy(market, seat)
            return self
        _, card = read_policy(self.file) if self.file else self._missing(seat)
        return self.model_copy(update={"table_hash": card.table_hash})

    def policy(self, market: Market, seat: Seat) -> PolicyTable:
        """The policy of a seat, float64 `[O, A]`.

        The file's table where the seat is the card's; else as the file's seat would play there.

        Raises:
            ConfigError: there is no such file, it is damaged, it does not fit the seat, or it holds
                another table than `table_hash` says.
        """
        table, card = read_policy(self.file) if self.file else self._missing(seat)
        where = f"agents.{seat.name}.file: {self.file}"
        if self.table_hash and card.table_hash != self.table_hash:
            raise ConfigError(
                f"{where}: has changed: its table is {card.table_hash[:12]}, and the run was "
                f"begun with {self.table_hash[:12]}. Put the old file back, or train under "
                "another --name."
            )
        check_fits(card, table, market, seat.name, where)
        if card.seat == seat.name or card.seat not in {s.name for s in market.seats}:
            return table
        return moved_table(market, table, card.seat, seat.name)

    def _missing(self, seat: Seat) -> tuple[PolicyTable, PolicyCard]:
        """Refuse a config without a file."""
        raise ConfigError(f"agents.{seat.name}.file: missing: name a policy file (tacit export).")
