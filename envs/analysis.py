"""The second, optional contract of a market: what probes and scripted players ask of it.

A `Market` (`tacit.envs.market`) is all that training needs. An `Analysis` says what is true of the
market beyond its rules: what nature draws, by which act rivals compete, what the expected payoffs
are. A market that declares none still trains, and every probe that needs one says what is missing.

    class MyAnalysis(Analysis):
        rivalry = {"seller": Rivalry("price", part="price", competition=-1, sellers=True)}

    class MyMarket(Market):
        analysis_class = MyAnalysis

Every method has a neutral default, so an analysis overrides only what applies to its market.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from .types import Floats

if TYPE_CHECKING:
    from .market import Market, Role, Seat


@dataclass(frozen=True)
class Draw:
    """A number that nature writes into the state before a phase: a private type, the weather.

    Attributes:
        column: its position in the state row.
        values: the numbers that can be drawn.
        probabilities: of `values`: one row, or one row for each value 0, 1, ... of `given`.
        given: the column of an earlier draw of the same phase that this one depends on.
        lasting: whether the number persists from round to round; `probabilities` is then its
            long-run distribution.
    """

    column: int
    values: tuple[float, ...]
    probabilities: tuple[tuple[float, ...], ...]
    given: int | None = None
    lasting: bool = False


@dataclass(frozen=True)
class Rivalry:
    """How the seats of a role compete, and which way competition lies.

    Attributes:
        measure: by which their conduct is followed: what each of them asks, bids or sells.
        part: the action part that sets it, of any name; its values are in the measure's order.
        competition: +1 where more of the measure is tougher (bids, outputs), -1 where less is
            (prices).
        sellers: whether the seats sell: then collusion lies above competition; that of buyers, who
            bid, lies below.
        amounts: whether the part's values are the measure's own; False: they are steps of a grid.
    """

    measure: str
    part: str
    competition: int
    sellers: bool
    amounts: bool = True


class ActionCap(NamedTuple):
    """A value of an action part above which a key of the market leaves nothing to be had.

    Attributes:
        part: the action part.
        value: the largest value that keeps to the cap.
        key: the config key that sets it.
    """

    part: str
    value: float
    key: str


@dataclass(frozen=True)
class PriorKeys:
    """What a prior (`tacit.agents.prior`) may say about a role of a market.

    Attributes:
        figures: rates that it must give: name -> meaning.
        optional: rates that it may give; what depends on one that it lacks has no data.
        words: what data do not say and a prior must assume: name -> the words to choose from, the
            first one being the default.
        acceptance: whether it must give the rates of acceptance by share of the surplus.
    """

    figures: Mapping[str, str]
    optional: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    acceptance: bool = False


@dataclass(frozen=True)
class PriorNumbers:
    """What a prior says, as a market reads it.

    Attributes:
        figures: rates by name.
        words: an assumption by each name of `PriorKeys.words`.
        acceptance: pairs (least share of the surplus, rate of acceptance), ascending.
    """

    figures: Mapping[str, float]
    words: Mapping[str, str]
    acceptance: tuple[tuple[float, float], ...] = ()

    def accepts(self, share: float) -> float:
        """The rate of acceptance of an offer that leaves so much of the surplus, 0 .. 1."""
        rate = self.acceptance[0][1]
        for least, own in self.acceptance:
            rate = own if share >= least - 1e-9 else rate
        return rate


class PriorRow(NamedTuple):
    """What a prior says about one observation.

    Attributes:
        probabilities: of actions by index; empty where the prior says nothing about it.
        from_data: whether a figure of the prior decides, not an assumption alone.
        without_data: parts of the action about which the prior says nothing: they are uniform.
    """

    probabilities: Mapping[int, float]
    from_data: bool = False
    without_data: tuple[str, ...] = ()


class Analysis:
    """What probes and scripted players ask of a market.

    Attributes:
        market: the market that is described.
        probe_discount: the discount of a later round, where probes add up over time.
        conduct: a short form of `rivalry`, where the action part has the measure's own name: role
            -> that name. Rivals then are buyers who bid, unless one of the next two says otherwise.
        price_competition: of the short form: sellers post prices.
        output_competition: of the short form: sellers put outputs on sale.
        wins: role -> the measure that is 1 for a round's winner.
        memoryless: config keys under which seats remember nothing (a control arm).
        unheard: config keys under which nobody hears a claim (a control arm).
        sees_actions_with: the config key under which `last_actions` can tell the last actions.
        prior_keys: role -> what a prior may say about it; a role without entry has no priors.
    """

    market: Market

    probe_discount: ClassVar[float] = 0.95
    conduct: ClassVar[Mapping[str, str]] = {}
    price_competition: ClassVar[bool] = False
    output_competition: ClassVar[bool] = False
    wins: ClassVar[Mapping[str, str]] = {}
    memoryless: ClassVar[Mapping[str, Any]] = {}
    unheard: ClassVar[Mapping[str, Any]] = {}
    sees_actions_with: ClassVar[str] = ""
    prior_keys: ClassVar[Mapping[str, PriorKeys]] = {}

    def __init__(self, market: Market) -> None:
        self.market = market

    # --- rivals ---------------------------------------------------------------------------------

    @property
    def rivalry(self) -> Mapping[str, Rivalry]:
        """Role -> how its seats compete (probes of collusion); empty: they do not.

        A class may set it as an attribute.
        """
        sellers = self.price_competition or self.output_competition
        way = -1 if self.price_competition else 1
        return {role: Rivalry(name, name, way, sellers) for role, name in self.conduct.items()}

    # --- rounds ---------------------------------------------------------------------------------

    @property
    def stage_game(self) -> bool:
        """Whether a round is a game of its own.

        Then earlier rounds matter only by what seats remember of them, by payoffs that look back
        (`Measure.past`) and by nature. Not so where an act of one round binds the next one.
        """
        return True

    # --- nature ---------------------------------------------------------------------------------

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """What nature has freshly drawn into the state when a phase begins."""
        return ()

    @property
    def luck(self) -> bool:
        """Whether a round's payoffs depend on draws within `play`, beside those of `draws`."""
        return True

    def expected(self) -> Market:
        """The same market with measures in expectation over the draws within `play`.

        An override makes it once and keeps it: probes remember what they find by market.

        States, observations, actions and successors are the same. The market itself where there is
        no such form; `luck` and `Market.play_draws` then say whether any randomness remains.
        """
        return self.market

    def part_probabilities(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """Probabilities of the values of an observation part.

        Returns:
            None unless the part is drawn anew each round and independently of all else.
        """
        return None

    def action_caps(self, role: Role) -> tuple[ActionCap, ...]:
        """Every cap that the market's own keys set on an action part of a role: what nobody pays
        beyond, or what is paid elsewhere. Bounds of the grid itself are none."""
        return ()

    # --- scale ----------------------------------------------------------------------------------

    def value_scale(self, role: Role) -> float:
        """What a deal of one round is worth at most: the unit in which a gain is called small."""
        return 1.0

    # --- scripted players -----------------------------------------------------------------------

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The action that plays a benchmark at an observation; None if no action does.

        Args:
            benchmark: 'competitive', 'collusive' or 'rotation' (the winning bid of a rotation).
            seat: who acts.
            observation: an index in 0 .. O-1.
        """
        return None

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """The actions of a rule that only this market can spell out, all equally likely.

        Returns:
            An empty tuple where the rule does not fit the seat.
        """
        return ()

    def prior_row(self, prior: PriorNumbers, seat: Seat, observation: int) -> PriorRow:
        """What somebody does at an observation of whom `prior` is known.

        Args:
            prior: all that `prior_keys` asks for.
            seat: of a role in `prior_keys`.
            observation: one with more than one legal action.
        """
        return PriorRow({})

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """Last round's actions by seat, as far as an observation shows them.

        Returns:
            An action is None in the first round; the whole is None if the observation does not
            show last round's actions.
        """
        return None

    # --- theory ---------------------------------------------------------------------------------

    def theory(self) -> dict[str, float]:
        """What theory predicts of policies here: probabilities or shares, by name."""
        return {}

    def policy_figures(self, tables: Sequence[Floats]) -> dict[str, float]:
        """The figures of `theory` for given policies.

        Args:
            tables: a policy table float64 `[O, A]` for each seat.
        """
        return {}
