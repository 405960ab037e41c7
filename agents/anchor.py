"""An anchor holds a learner to a prior policy: to what people do, a script, an earlier agent.

A seat with `anchor: {policy: ..., weight: w}` maximises at each observation o in which it decides

    E[reward given o] - w KL(pi(. | o), prior(. | o)),   KL(p, q) = sum_a p(a) ln(p(a) / q(a))

so that against fixed others its best policy is pi(a | o) proportional to
prior(a | o) exp(Q(o, a) / w), with Q the expected KPI payoff of an action, played on by its own
policy. w is in units of the KPI. 0: no anchor; infinite: the policy is the prior (behaviour
cloning). The divergence is charged where it arises, and no earlier decision is charged for it.

Source: the utility of piKL (Jacob, Wu, Farina, Lerer, Hu, Bakhtin, Andreas, Brown, Modeling Strong
and Human-Like Gameplay with KL-Regularized Search, ICML 2022, arXiv 2112.07544), which Diplodocus
(Bakhtin, Wu, Lerer, Gray, Jacob, Farina, Miller, Brown, Mastering the Game of No-Press Diplomacy
via Human-Regularized Reinforcement Learning and Planning, ICLR 2023, arXiv 2210.05492) draws its
weights for from a distribution. There as here the learner stands first in the divergence and the
prior second, so that an action without mass in the prior is never played.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints, NonNegative, Share

from .external.moved_seat import moved_table
from .external.policy_file import check_fits, read_policy
from .policy import PolicyTable, mask, uniform
from .prior import PriorFile, prior_table
from .prior.prior_table import NO_DATA
from .scripted import Rule, Scripted, ScriptedConfig

RULES: tuple[str, ...] = get_args(Rule)
FILE = ".safetensors"  # ends the name of a policy file
UNSEEN = "unseen"  # in the origin of a policy file: its rows for which there were no data


def _weight(value: Any) -> Any:
    """YAML's `.inf` as the word that a run's files hold: JSON has no infinity."""
    return "inf" if value == inf else value


class AnchorConfig(BaseModel):
    """Keys of an anchor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: str = Field(
        description="the prior: one of `tacit list` or a YAML file, a scripted rule, or a policy "
        "file (tacit export); a relative path leads out from the folder of the config"
    )
    weight: Annotated[NonNegative | Literal["inf"], BeforeValidator(_weight)] = Field(
        description="of the divergence from the prior, in units of the KPI; inf: plays the prior"
    )
    floor: Share = Field(
        0.0, description="share of uniform play that is mixed into every row of the prior"
    )
    table_hash: str = Field(
        "", description="SHA-256 of the file's table, which a run's config keeps"
    )
    content: PriorFile | None = Field(
        None, description="what a prior of that name holds; filled in, and kept by a run"
    )

    @property
    def is_file(self) -> bool:
        """Whether the prior is a policy file."""
        return self.policy.endswith(FILE)

    def in_folder(self, folder: Path) -> AnchorConfig:
        """The same with an absolute path; a relative one is looked up in `folder`."""
        if not self.is_file:
            return self
        path = os.path.abspath(folder / Path(self.policy).expanduser())
        return self.model_copy(update={"policy": path})

    def bound(self, market: Market, seat: Seat) -> AnchorConfig:
        """The same with the hash of the table that the file holds now.

        Raises:
            ConfigError: as `prior`.
        """
        self.prior(market, seat)
        if self.table_hash or not self.is_file:
            return self
        return self.model_copy(update={"table_hash": read_policy(self.policy)[1].table_hash})

    def prior(self, market: Market, seat: Seat) -> PolicyTable:
        """The prior of a seat with the floor mixed in, float64 `[O, A]`.

        Raises:
            ConfigError: no such rule or file, one that does not fit the seat, another table than
                `table_hash` says; or, where the weight is neither 0 nor infinite, legal actions
                without mass, or rows that nobody was seen in, without a floor.
        """
        where = f"agents.{seat.name}.anchor.policy: {self.policy}"
        table, unseen = self._table(market, seat, where)
        needs_mass = self.floor == 0 and self.weight not in (0, "inf")
        if needs_mass and unseen:
            raise ConfigError(
                f"{where}: {unseen} of its {len(table)} rows were never seen, so it says nothing "
                "there. State what stands for them: anchor.floor, a share of uniform play that is "
                "mixed into every row."
            )
        if needs_mass:
            _check_mass(seat, table, where)
        return (1.0 - self.floor) * table + self.floor * uniform(seat.role)

    def _table(self, market: Market, seat: Seat, where: str) -> tuple[PolicyTable, int]:
        """The table that is named, and how many of its rows have no data behind them.

        Of a prior these are the rows about which its figures and assumptions say nothing.
        """
        if self.content is not None:
            found = prior_table(self.content, market, seat.name, 0.0, where)
            return found.table, int(np.sum(found.rows == NO_DATA))
        if self.policy in RULES:
            rule = ScriptedConfig.model_validate({"rule": self.policy})
            try:
                return Scripted(rule, market, seat).table(), 0
            except ConfigError as error:
                told = [line.replace(".rule:", ".anchor.policy:") for line in error.mistakes]
                raise ConfigError(told) from None
        if not self.is_file:
            raise ConfigError(
                f"{where}: is neither a prior, nor a scripted rule, nor a policy file ({FILE}). "
                f"{nearest(self.policy, RULES)}"
            )
        try:
            table, card = read_policy(self.policy)
        except ConfigError as error:
            told = [f"agents.{seat.name}.anchor.policy: {line}" for line in error.mistakes]
            raise ConfigError(told) from None
        if self.table_hash and card.table_hash != self.table_hash:
            raise ConfigError(
                f"{where}: has changed: its table is {card.table_hash[:12]}, and the run was begun "
                f"with {self.table_hash[:12]}. Put the old file back, or train under another "
                "--name."
            )
        check_fits(card, table, market, seat.name, where)
        found = card.origin.get(UNSEEN, ())
        unseen = len(found) if isinstance(found, list | tuple) else 0
        if card.seat == seat.name or card.seat not in {s.name for s in market.seats}:
            return table, unseen
        return moved_table(market, table, card.seat, seat.name), unseen


@dataclass(frozen=True, eq=False)
class Anchored:
    """How a seat is held.

    Attributes:
        prior: the floor mixed in, float64 `[O, A]`; None: it is not held.
        weight: of the divergence, in units of the seat's KPI; infinite: it plays the prior.
    """

    prior: PolicyTable | None = None
    weight: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether the prior has any weight."""
        return self.prior is not None and self.weight > 0.0


def _check_mass(seat: Seat, table: PolicyTable, where: str) -> None:
    """Whether a prior gives every legal action some mass, as a finite divergence needs.

    Raises:
        ConfigError: it does not; the first such action is named.
    """
    lacking = mask(seat.role) & (table <= 0.0)
    if not lacking.any():
        return
    o, a = (int(k) for k in np.argwhere(lacking)[0])
    seen = ", ".join(f"{k} {v}" for k, v in seat.role.decode_observation(o).items())
    done = ", ".join(f"{k} {v}" for k, v in seat.role.decode_action(a).items())
    raise ConfigError(
        f"{where}: gives no mass to {int(lacking.sum())} actions that {seat.name} may take, such "
        f"as {done} at {seen}: the divergence from it would be infinite there. State "
        "anchor.floor, a share of uniform play that is mixed into every row (0.01, say)."
    )


def log_prior(prior: PolicyTable) -> Floats:
    """Logarithms of a table `[O, A]`; 0 where an action has no mass, as illegal ones have none."""
    return np.log(np.where(prior > 0.0, prior, 1.0))


def cloned_table(seat: Seat, observations: Ints, actions: Ints) -> tuple[PolicyTable, list[int]]:
    """Behaviour cloning: how often each action was taken at each observation.

    The rows without data go into the card of a policy file, so that nobody takes them for data:
    `card_of(market, seat.name, table, origin={"unseen": unseen})`.

    Args:
        seat: whose behaviour it is.
        observations: int64 `[n]`.
        actions: what was done there, int64 `[n]`.

    Returns:
        The table float64 `[O, A]`, uniform where nobody was seen, and the rows with a choice in
        which nobody was.

    Raises:
        ConfigError: an action that is illegal where it was taken.
    """
    legal = mask(seat.role)
    bad = np.flatnonzero(~legal[observations, actions])
    if bad.size:
        k = int(bad[0])
        raise ConfigError(
            f"{seat.name}: action {actions[k]} of sample {k} is illegal at {observations[k]}."
        )
    counts = np.zeros(legal.shape)
    np.add.at(counts, (observations, actions), 1.0)
    total = counts.sum(axis=1, keepdims=True)
    table = np.where(total > 0, counts / np.maximum(total, 1.0), uniform(seat.role))
    unseen = np.flatnonzero((total[:, 0] == 0) & (seat.role.legal[:, 1] > 1))
    return table, [int(o) for o in unseen]
