"""A repetition that is trained up to some round, and saved there as one that is held."""

from __future__ import annotations

from support.training_fixtures import arm

from tacit.training.acts.gate import Gate
from tacit.training.runs.seed_run import train_seed

SETTINGS = (
    "kpi.bidder.price_change=-1", "train.evaluate_every=1000", "train.rounds=12000",
    "train.measure_last=5000", "seeds=1",
    # The price is below .99 at every point, so it trips at the third one, round 3,000, goes back to
    # round 2,000, trips there again at 5,000, and ends the repetition.
    "breakers.calm={watch: clearing_price, low: .99, points: 3, action: rollback, to: 1, times: 1,"
    " redirect: {kpi: {bidder: {price_change: 0}}}}",
)  # fmt: skip


class Until(Gate):
    """Lets a repetition play up to a round of a branch, and has it save and return there."""

    def __init__(self, rounds, branch=1):
        super().__init__()
        self._last, self._branch = rounds, branch

    def wait(self, rounds, carry_out=None):
        on_the_way = self.facts.get("branch", 0) < self._branch
        return 1_000 if on_the_way else max(0, self._last - rounds)


def half_trained(run, rounds, branch=1, settings=SETTINGS, **options):
    """The arm whose repetition 0 is saved in the run after so many rounds of a branch."""
    own = arm(*settings, **options)
    train_seed(run, own, 0, lambda progress: None, Until(rounds, branch))
    return own


def trained(run, settings=SETTINGS, **options):
    """The arm whose repetition 0 is trained to its end, as if nobody had held it."""
    own = arm(*settings, **options)
    train_seed(run, own, 0, lambda progress: None, Gate())
    return own
