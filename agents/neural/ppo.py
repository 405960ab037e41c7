"""Independent PPO in one seat: from the samples of an update to a new policy table.

Independent means that a seat learns from its own samples alone; the other seats are a part of its
environment.

`Ippo.learn` is one update and reads down:

    samples of a rollout                -> generalised advantages and returns, per value head
                                           (formula: `tacit.agents.batch.advantages_loop`)
    advantages                          -> normalised, once per update
    epochs x minibatches                -> sums by cell (below)
    ratio, clip, losses (`ppo_loss`)    -> one step of Adam per minibatch
    the actor's logits                  -> a new policy table, which plays until the next update

**Sums by cell.** PPO minimises, over the M samples of a minibatch,

    L = mean[ -min(ratio A, clip(ratio, 1 - c, 1 + c) A) + v (V - R)^2 / 2 - e H ]

(with an anchor + w KL(pi(. | o), prior(. | o)) for each sample: `tacit.agents.anchor`), with
ratio = pi(a | o) / pi_old(a | o), advantage A, value V, return R and entropy H, and the config's
`clip` c, `value_weight` v and `entropy` e. In a finite market the ratio depends on the cell
(observation o, action a) alone, and V and H on o alone. Where A > 0 the minimum is
A min(ratio, 1 + c), where A < 0 it is A max(ratio, 1 - c): whether a sample is clipped depends on
its cell and on the sign of its advantage. So with sums over the minibatch, n(o) of samples, R(o) of
returns, A+(o, a) and A-(o, a) of positive and of negative advantages,

    L = - 1/M sum_oa [ A+ min(ratio, 1 + c) + A- max(ratio, 1 - c) ]
        + v/M sum_o  [ n V^2 / 2 - V R ]  -  e/M sum_o n H        (+ v/M sum R^2 / 2, a constant)

This is the same loss, exactly; but networks are evaluated once per observation that was met.

**Value heads.** A head is one output of the critic; there is one for every term of the seat's KPI.
Head h predicts the unweighted term, and the advantage is the sum of weight x head's advantage; a
head of weight 0 is trained too, for monitoring. Each head works in a unit of its own, the root mean
square of its returns so far, so the unit of a KPI, euros or cents, changes nothing.

Letters in shapes: n samples, O observations and A actions of the seat, R rows (a row is one of the
observations that the samples met), H value heads, D positions of ones in an encoded observation.
*Real* is the dtype of the networks, float32 or float64.

Source: Schulman, Wolski, Dhariwal, Radford, Klimov, arXiv 1707.06347, 2017. Advantages are
normalised once per update: another mean in each minibatch would change signs between epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit.agents.anchor import log_prior
from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.config import Clock, schedule
from tacit.agents.batch.encoding import Encoding
from tacit.agents.batch.learner import ROWS_AT_ONCE, Beliefs, Diverged, Terms, chunks, term_weights
from tacit.agents.batch.state_names import join_parts, part_of
from tacit.agents.batch.work_arrays import WorkArrays, of_this_thread
from tacit.agents.policy import PolicyTable
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat
from tacit.envs.types import Floats, Ints

from .actor_critic import ActorCriticFactory, Losses, Rates, UpdatesAtOnce
from .arrays import (
    CELLS_AT_ONCE,
    LEAST_SHARE,
    NEGATIVE,
    POSITIVE,
    AnchorArrays,
    Batch,
    MinibatchCells,
    UpdateMemory,
)
from .config import MAX_HEADS, IppoConfig, too_many_heads
from .network import TEMPLATE as NETWORK_TEMPLATE

if TYPE_CHECKING:
    import torch

ADVANTAGES_TEMPLATE = "tacit.agents.batch.advantages_loop"
MINIBATCH_TEMPLATE = "tacit.agents.neural.minibatch_loop"
PPO_TEMPLATE = "tacit.agents.neural.ppo_loop"


class Ippo:
    """Independent PPO in one seat of one seed. A `tacit.agents.batch.learner.Learner`.

    Attributes:
        config: its keys.
        seat: the seat that it plays.
        seed: the number that all draws come from.
        weights: of the seat's KPI terms, float64 `[H]`; a change applies at the next update.
        encoding: what the networks see of an observation.
        digits: all encoded observations, int32 `[O, D]`.
        actor_critic: the networks.
        key: of the draws that deal samples into minibatches.
        return_scale: the unit of each value head, float64 `[H]`; 0 until returns were seen.
        updates: so far.
        policy: the table that plays, float64 `[O, A]`.
        policy_sum, averaged: sum and number of the policies that are averaged.
    """

    def __init__(
        self,
        config: IppoConfig,
        seat: Seat,
        terms: Terms,
        seed: int,
        make_actor_critic: ActorCriticFactory,
        prior: PolicyTable | None = None,
    ) -> None:
        """Draw the first networks, and write the first policy.

        `prior` float64 `[O, A]` is the table that the config's `anchor` names.

        Raises:
            ConfigError: more KPI terms than a critic has heads.
        """
        if len(terms) > MAX_HEADS:
            raise ConfigError(too_many_heads(seat.name, len(terms)))
        self.config, self.seat, self.seed = config, seat, seed
        self.weights = term_weights(terms)
        self.encoding = Encoding(seat.role, config.encoding)
        initial_key = rng.child_key(rng.seed_key(seed, rng.INITIAL), seat.index)
        self.actor_critic = make_actor_critic(
            config, self.encoding, seat, len(self.weights), initial_key
        )
        # A larger table is evaluated in stretches, which bounds the networks' memory.
        is_small = seat.role.observations <= ROWS_AT_ONCE
        networks = self.actor_critic
        self._at_once = networks if is_small and isinstance(networks, UpdatesAtOnce) else None
        # Outputs of all layers of the wider network: actor and critic use the same memory in turns.
        self._widths = sum(config.hidden) + max(seat.role.actions, len(self.weights))
        self.key = rng.child_key(rng.seed_key(seed, rng.MINIBATCH), seat.index)
        self.return_scale = np.zeros(len(self.weights))
        self.updates = 0
        shape = (seat.role.observations, seat.role.actions)
        self.policy: PolicyTable = np.zeros(shape)
        self.policy_sum, self.averaged = np.zeros(shape), 0
        self._advantage_loops = compiled(ADVANTAGES_TEMPLATE)
        self._minibatch_loops = compiled(MINIBATCH_TEMPLATE)
        self._softmax = compiled(PPO_TEMPLATE).softmax
        self._finite = compiled(NETWORK_TEMPLATE).finite
        self._work = WorkArrays()
        self.digits = self.encoding.digits(np.arange(seat.role.observations))
        self._row_numbers = np.zeros(seat.role.observations, np.int32)
        self._observations = np.zeros(0, np.int64)
        self._cells = self._empty_cells(0, self._work)
        none = np.zeros(0, np.int32)
        self._batch = Batch(none, none, np.zeros(0), np.zeros((0, len(self.weights))))
        self._prior, weight = prior, config.anchor_weight
        self._anchor = None
        if prior is not None and 0.0 < weight < inf:
            self._anchor = AnchorArrays(log_prior(prior), weight)
        self._write_policy()

    @property
    def looks_ahead(self) -> bool:
        """Whether values behind the end of a batch count: not where they are discounted by 0."""
        return self.config.discount > 0.0

    # --- acting ----------------------------------------------------------------------------------

    def acting(self) -> PolicyTable:
        """The table that plays until the next update, float64 `[O, A]`."""
        return self.policy

    def table(self) -> PolicyTable:
        """The policy, or the mean policy if `average_from` asks for that, float64 `[O, A]`."""
        return self.policy_sum / self.averaged if self.averaged else self.policy

    def beliefs(self, observation: int) -> Beliefs:
        """The critic's values of the KPI terms at an observation, unweighted."""
        values = self.actor_critic.values(self.digits[[observation]]).astype(np.float64)
        return Beliefs("terms", values[0] * self.return_scale)

    def _write_policy(self) -> None:
        """Write what the actor says at every observation, or the prior, into `policy`."""
        if self._prior is not None and self.config.anchor_weight == inf:
            self.policy[:] = self._prior
            return
        for rows in chunks(len(self.policy)):
            logits = self.actor_critic.logits(self.digits[rows])
            self._softmax(logits, self.seat.role.legal[rows], self.policy[rows])

    # --- learning --------------------------------------------------------------------------------

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update.

        Args:
            samples: the seat's decisions since the last update.
            clock: when the update takes place.

        Returns:
            Figures for charts: those of `Losses`, and `rows`, how many observations were met.

        Raises:
            Diverged: losses, weights or probabilities are no finite numbers any more.
        """
        count = samples.total
        # No decision had two legal actions, or the policy is the prior whatever is met.
        if count == 0 or self.config.anchor_weight == inf:
            return {}
        config, progress = self.config, clock.progress
        rates = Rates(
            schedule(config.learning_rate, config.learning_rate_end, progress),
            schedule(config.entropy, config.entropy_end, progress),
        )
        if self._at_once is None:
            losses, rows = self._update(samples, rates)
        else:
            losses, rows = self._update_at_once(self._at_once, samples, count, rates)
        if config.average_from is not None and progress >= config.average_from:
            self.policy_sum += self.policy
            self.averaged += 1
        return {**losses._asdict(), "rows": float(rows)}

    def _update(self, samples: SeatSamples, rates: Rates) -> tuple[Losses, int]:
        """One update, step by step: `learn` without its schedules. Returns the number of rows too.

        Raises:
            Diverged: losses, weights or probabilities are no finite numbers any more.
        """
        # Also fills `_row_numbers`: the row of each observation that was met.
        observations = self._advantage_loops.number_observations(samples, self._row_numbers)
        batch = self._advantages(samples, observations)
        cells = self._cells_of(observations)
        anchor = self._anchor and self._anchor.at(observations, self._unit)
        losses = Losses(0.0, 0.0, 0.0)
        for key in self._epoch_keys():
            self._minibatch_loops.sum_by_cell(*batch, key, cells)  # fills `cells`
            losses = self.actor_critic.train_epoch(cells, self.return_scale, rates, anchor)
        self.updates += 1
        self._write_policy()
        networks = self.actor_critic.networks
        sound = isfinite(sum(losses)) and all(network.finite() for network in networks)
        self._check_finite(sound and self._finite(self.policy.reshape(-1)))
        return losses, len(observations)

    def _update_at_once(
        self, actor_critic: UpdatesAtOnce, samples: SeatSamples, count: int, rates: Rates
    ) -> tuple[Losses, int]:
        """The same in one compiled call; it has the same bits.

        Raises:
            Diverged: losses, weights or probabilities are no finite numbers any more.
        """
        share = max(1.0 / (self.updates + 1), LEAST_SHARE)
        table = (self._row_numbers, self.digits, self.seat.role.legal, self.policy)
        losses, rows, is_sound = actor_critic.update(
            samples, count, self._memory(count), table, self.weights, self.return_scale, self.key,
            self.updates, share, rates, self._anchor,
        )  # fmt: skip
        self.updates += 1
        self._check_finite(is_sound)
        return losses, rows

    def _epoch_keys(self) -> list[np.uint64]:
        """The keys of the draws of this update's epochs."""
        key = rng.child_key(self.key, self.updates)
        return [rng.child_key(key, epoch) for epoch in range(self.config.epochs)]

    def _advantages(self, samples: SeatSamples, observations: Ints) -> Batch:
        """Advantages and returns of all n samples; the units of the heads move on to these returns.

        `observations` int64 `[R]` are those that the samples met.
        """
        config, count = self.config, samples.total
        batch = self._batch_of(count)
        values = self.actor_critic.values(self.digits[observations]).astype(np.float64)
        # The critic answers in units of its heads, so its values are scaled to those of rewards.
        squares, total = self._advantage_loops.generalised_advantages(
            samples, self._row_numbers, values * self.return_scale, self.weights, config.discount,
            config.gae_lambda, *batch,
        )  # fmt: skip
        self._unit = 1.0
        if config.normalise_advantages:
            self._unit = self._advantage_loops.normalise(batch.advantages, total)
        share = max(1.0 / (self.updates + 1), LEAST_SHARE)
        self._advantage_loops.move_scale(self.return_scale, squares, count, share)
        return batch

    def _memory(self, count: int) -> UpdateMemory:
        """Working memory of `_update_at_once` for so many samples: shared by the thread's seats."""
        # Numbers of samples may change from update to update: the arrays are up to twice as long.
        count = 1 << (count - 1).bit_length()
        (rows, actions), heads, config = self.policy.shape, len(self.weights), self.config
        widths, dtype = self._widths, config.precision
        key = (count, rows, heads, actions, self.digits.shape[1], widths, dtype, config.epochs,
               config.minibatches)  # fmt: skip
        # All epochs' sums of rows that are few enough must fit, and one epoch's sums of all rows.
        room = max(rows, min(config.epochs * rows, CELLS_AT_ONCE // (config.minibatches * actions)))

        def make(work: WorkArrays) -> UpdateMemory:
            size, real = rows * widths, np.dtype(dtype)
            return UpdateMemory(
                work.get("rows of samples", count, dtype=np.int32),
                work.get("actions", count, dtype=np.int32),
                work.get("advantages", count),
                work.get("returns", count, heads),
                self._empty_cells(room, work, config.epochs),
                work.get(f"outputs, {dtype}", size, dtype=real),
                work.get(f"output gradients, {dtype}", size, dtype=real),
            )

        return of_this_thread().kept(key, make)

    def _batch_of(self, count: int) -> Batch:
        """Uninitialised memory for so many samples, kept while updates have as many."""
        if len(self._batch.rows) != count:
            self._batch = Batch(
                rows=self._work.get("rows of samples", count, dtype=np.int32),
                actions=self._work.get("actions", count, dtype=np.int32),
                advantages=self._work.get("advantages", count),
                returns=self._work.get("returns", count, len(self.weights)),
            )
        return self._batch

    def _cells_of(self, observations: Ints) -> MinibatchCells:
        """Cells for an update that met these observations; `sum_by_cell` fills the others."""
        # In a small market every update meets the same observations, so the cells are kept.
        if not np.array_equal(observations, self._observations):
            self._observations = observations
            self._cells = self._empty_cells(len(observations), self._work)
            self._cells.digits[:] = self.digits[observations]
            self._cells.legal[:] = self.seat.role.legal[observations]
        np.take(self.policy, observations, axis=0, out=self._cells.old_policy)
        return self._cells

    def _empty_cells(self, rows: int, work: WorkArrays, epochs: int = 1) -> MinibatchCells:
        """Empty memory for one epoch of an update that met so many observations, or for more
        epochs of fewer."""
        parts, heads, actions = self.config.minibatches, len(self.weights), self.seat.role.actions
        return MinibatchCells(
            digits=work.get("digits", rows, self.digits.shape[1], dtype=np.int32),
            legal=work.get("legal", rows, 2, dtype=np.int32),
            old_policy=work.get("old_policy", rows, actions),
            sizes=work.get("sizes", epochs * parts, dtype=np.int64),
            row_counts=work.get("row_counts", epochs * parts, dtype=np.int64),
            rows=work.get("rows", parts, rows, dtype=np.int64),
            visits=work.get("visits", parts, rows),
            return_sums=work.get("return_sums", parts, rows, heads),
            advantage_sums=work.get("advantage_sums", 2, parts, rows, actions),
        )

    def _check_finite(self, is_sound: bool) -> None:
        """Stop before a policy plays that is not made of finite numbers.

        Raises:
            Diverged: losses, weights or probabilities are no finite numbers any more.
        """
        if not is_sound:
            raise Diverged(self.seat, self.seed, self.updates, self.config.learning_rate)

    # --- saving ----------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name; the policy follows from the actor."""
        counters = np.array([self.updates, self.averaged], np.int64)
        own = {"return_scale": self.return_scale.copy(), "counters": counters}
        if self.config.average_from is not None:
            own["policy_sum"] = self.policy_sum.copy()
        return own | join_parts({"actor_critic": self.actor_critic.state()})

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.actor_critic.load(part_of(state, "actor_critic"))
        self.return_scale = np.array(state["return_scale"])
        self.updates, self.averaged = (int(x) for x in state["counters"])
        if "policy_sum" in state:
            self.policy_sum[:] = state["policy_sum"]
        self._write_policy()


def ppo_loss(
    logits: torch.Tensor,
    values: torch.Tensor,
    cells: MinibatchCells,
    b: int,
    scale: Floats,
    config: IppoConfig,
    entropy_weight: float,
    anchor: AnchorArrays | None = None,
) -> tuple[torch.Tensor, Losses]:
    """The loss of minibatch b, over cells of the policy table.

    The engine `torch` uses it; the engine `compiled` has the same loss with its gradient written
    out (`ppo_loop.py`), and is tested against this one.

    The module's docstring explains why sums by cell give the loss of every sample.

    Args:
        logits: of the actor at the rows that the minibatch met, `[R, A]`.
        values: of the critic there, in units of each head's scale, `[R, H]`.
        cells: the epoch's samples.
        b: which minibatch.
        scale: the unit of each value head, float64 `[H]`.
        config: clip range and weight of the value loss.
        entropy_weight: weight of the entropy in this update.
        anchor: to a prior, a row for each of the cells' rows; None: there is none.

    Returns:
        The loss, a scalar with its graph, and its figures.
    """
    import torch  # here and not above: runs with the compiled engine never load it

    rows, size = cells.rows[b, : cells.row_counts[b]], int(cells.sizes[b])
    clip_range, dtype = config.clip, logits.dtype
    legal = torch.from_numpy(cells.legal[rows])
    first, count = legal[:, :1], legal[:, 1:]
    columns = torch.arange(logits.shape[1])
    illegal = (columns < first) | (columns >= first + count)

    def of_rows(table: Floats) -> torch.Tensor:
        return torch.from_numpy(table[rows]).to(dtype)

    # ratio of new to old probability; an old probability of 0, which no sample can have, counts as
    # the smallest float
    log_policy = logits.masked_fill(illegal, -torch.inf).log_softmax(1)
    old_policy = of_rows(cells.old_policy).masked_fill(illegal, 1.0)
    old_policy = old_policy.clamp(min=torch.finfo(dtype).tiny)
    ratio = log_policy.masked_fill(illegal, 0.0).exp() / old_policy

    # policy loss: positive advantages gain nothing above 1 + clip_range, negative ones lose nothing
    # below 1 - clip_range
    gains = of_rows(cells.advantage_sums[POSITIVE, b]) * ratio.clamp(max=1 + clip_range)
    losses = of_rows(cells.advantage_sums[NEGATIVE, b]) * ratio.clamp(min=1 - clip_range)
    policy_loss = -(gains + losses).masked_fill(illegal, 0.0).sum() / size

    # entropy loss: of each row's policy, weighted by the row's samples
    visits = of_rows(cells.visits[b])
    entropy = -(log_policy.exp() * log_policy.masked_fill(illegal, 0.0)).sum(1)
    entropy_loss = -(visits * entropy).sum() / size

    # value loss: (V - R)^2 / 2 summed over samples, without its constant R^2 / 2
    returns = of_rows(cells.return_sums[b]) / torch.from_numpy(scale).to(dtype)
    value_loss = (visits[:, None] * values**2 / 2 - values * returns).sum() / size

    loss = policy_loss + config.value_weight * value_loss + entropy_weight * entropy_loss
    if anchor is not None:  # divergence from the prior, of each row's policy
        log_ratio = (log_policy - of_rows(anchor.log_prior)).masked_fill(illegal, 0.0)
        divergence = (log_policy.exp() * log_ratio).sum(1)
        loss = loss + anchor.weight * (visits * divergence).sum() / size
    return loss, Losses(-policy_loss.item(), -entropy_loss.item(), value_loss.item())
