"""A seat whose table is at hand: for groups that are made in a program, not from a config file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PrivateAttr

from tacit.agents.policy import PolicyTable


class FixedSeat(BaseModel):
    """A config that stands for a policy table in memory; it cannot be written to a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    _table: PolicyTable = PrivateAttr()

    @classmethod
    def of(cls, table: PolicyTable) -> FixedSeat:
        """The config of a table, float64 `[O, A]`."""
        found = cls()
        found._table = table
        return found

    @property
    def table(self) -> PolicyTable:
        """The table, float64 `[O, A]`."""
        return self._table
