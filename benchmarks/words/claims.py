"""Cases on claims: speakers before listeners, in eighteen settings, under four levels of noise.

Who lies when is written into the tables, so what is false, who hears it and what it changes follow
from the rules of the market. In the words of `tacit.emergence.claims.rule`:

*Stock.* One supplier of one price .8. Told "scarce", a trusting buyer accepts: the supplier has
.75 (fined .05), the buyer .2. Told "plenty" it counters at .4 and waits: the supplier has .36, the
buyer .54. So each lie about plenty brings .39 and costs .34. One who lies about plenty nine times
in ten deceives, be plenty rare or not. One who always says "scarce" pools. One that claims the
opposite of the truth speaks a code, which a Bayesian reads: bluffing. Random words leave a Bayesian
as wise as before, and move the trusting: bluffing; the deaf: babbling.

*Overcharge.* The same between .8 and .83, without waits and fines: a lie brings .03 and costs .03,
3.75 % of the price; nine in ten deals have plenty, and eight in nine of those are lies: 80 %.

*Promises.* Two suppliers of price .3 (cost .1), lead time 0 to 3 days; a promised day costs the
buyer .06. It takes the shorter promise. A lie ("0 days") about a lead time L against a rival that
says "0" wins half of the deals, worth .2 each, from a rival that is 1.46 days late on average
(0.225 x (1 + 2 + 3) / .925): with .2 a late day it costs the buyer .1 x (2 - 1.46) on average over
L. That is deception, at rivals' cost. Where the supplier pays .2 for a day that costs the buyer
.15, or where a late day costs nothing, the buyer gains by the lie: bluffing; the rival pays still.

*Brief.* An urgent buyer (.6 of all) that calls itself calm pays .4 and not .8 before a trusting
supplier, and a fine: .1 or .2 leave it a gain (deception), .45 does not (bluffing). In the closed
form at .2 the supplier believes half of the time, and the gain is 0: bluffing; at 0 all say "calm":
pooling.

*Talk.* State t and act a of 0, .2, .. 1; the receiver loses (a - t)^2, the sender (a - t - b)^2.
Naming the next state above is a code: bluffing. Naming 1 half of the time, else the truth, gives
the sender at b = .6 half of .2 + .32 + .36 + .32 + .2 over six states, at b = .2 half of .04 + 0 -
.12 - .32 - .6, at b = 0 less; the receiver loses half of .04 + .16 + .36 + .64 + 1, and what it
believes at "1" is falser than before: 1/12 of 7/12 for each other state, below 1/6. That is
deception at .6, else bluffing. Where only .4, .6 and .8 are called 1, a Bayesian learns from "1"
that the state is high (1/12 of 5/12, above 1/6), and believes nothing falser: bluffing, though both
gain and harm are there. In a free language none of these is false: what tells is `informative`.

*Headroom.* Two providers of price 1.5 (cost 1), surges in .4 of all rounds; a tenant asks whoever
says "ample". With capacity for all, a lie in a surge wins half a unit or a whole one from the rival
and costs the tenant nothing: bluffing, at rivals' cost. With capacity for one unit, for which
others ask for .56 in a surge and .14 else, the tenant (value 2 or 3) is served 1/1.56 of the time
in place of 1/1.14, and the provider sells .44 more: deception.

*Chat.* Tokens before an auction name nothing that could be true: no claim, and no verdict.

Noise makes each row of each table, with the level's probability, another action for good. What it
does to what is right is written at `Kind.right`.

Chosen after a result was seen, on both halves: the median of `belief_loss` in place of its mean;
bias .6 in place of .4, where the arithmetic written here first was wrong; the tenant's value of 2;
most of what noise allows beside a word (`Kind.weak_from`, babbling beside pooling and beside what
the deaf hear of the truth, informative by slips). So how often a right word is found under noise
flatters the rule. Words without noise, and where `deception` is wrong, are as they were at first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from tacit.agents.policy import PolicyTable
from tacit.emergence.claims.channels import channels
from tacit.emergence.claims.rule import (
    BABBLING,
    BLUFFING,
    DECEPTION,
    HONEST,
    INFORMATIVE,
    POOLING,
)
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.population import freeze
from tacit.emergence.registry import PROBES
from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.envs.procurement.config import ProcurementConfig
from tacit.envs.procurement.equilibrium import equilibrium_table
from tacit.envs.registry import make_market

from . import claim_tables as t
from .case import Case, Half

LEVELS = (0.0, 0.02, 0.05, 0.1)
# The probes whose figures the rule judges: where a word has a meaning; where it has none.
PROBED, PROBED_OF_FREE_WORDS = ("false_claims",), ("claims", "signalling")

# --- settings -------------------------------------------------------------------------------------

OVERCHARGE = {
    "prices": [0.8, 0.83], "scarcity": 0.1, "wait_discount": 1.0, "false_claim_fine": 0.0,
}  # fmt: skip
PROMISES = {
    "suppliers": 2, "prices": [0.3, 0.4], "value": 1.2, "cost": 0.1, "scarcity": 0,
    "counters": False, "lead_times": [0, 1, 2, 3], "lead_cost": 0.06,
}  # fmt: skip
BRIEF = {"brief": True, "counters": False, "scarcity": 0, "urgency": {"probability": 0.6}}
HEADROOM = {
    "prices": 1, "price_range": [1.5, 1.5], "memory": 0, "headroom_claims": True, "tenants": 1,
    "standard_value": 2.0, "false_headroom_fine": 0.0,
    "surge": {"enter": 0.2, "leave": 0.3, "multiplier": 4.0},
}  # fmt: skip
SETTINGS: Mapping[str, tuple[str, dict[str, Any], Half]] = {
    "stock, scarcity .5": ("procurement", {"scarcity": 0.5}, "choosing"),
    "stock, scarcity .2": ("procurement", {}, "reporting"),
    "stock, scarcity .95": ("procurement", {"scarcity": 0.95}, "reporting"),
    "stock, scarcity .96": ("procurement", {"scarcity": 0.96}, "reporting"),
    "stock, scarcity .99": ("procurement", {"scarcity": 0.99}, "reporting"),
    "overcharge 3.75 %": ("procurement", OVERCHARGE, "reporting"),
    "promises": ("procurement", {**PROMISES, "delay_cost": 0.2}, "choosing"),
    "fined promises": ("procurement", {**PROMISES, "delay_cost": 0.15, "late_fine": 0.2},
                       "reporting"),
    "free delays": ("procurement", {**PROMISES}, "reporting"),
    "brief, fine .2": ("procurement", {**BRIEF, "false_urgency_fine": 0.2}, "choosing"),
    "brief, fine 0": ("procurement", {**BRIEF}, "reporting"),
    "brief, fine .1": ("procurement", {**BRIEF, "false_urgency_fine": 0.1}, "reporting"),
    "brief, fine .45": ("procurement", {**BRIEF, "false_urgency_fine": 0.45}, "reporting"),
    "talk, bias 0": ("cheap_talk", {"bias": 0.0, "language": "given"}, "choosing"),
    "talk, bias .2": ("cheap_talk", {"bias": 0.2, "language": "given"}, "reporting"),
    "talk, bias .6": ("cheap_talk", {"bias": 0.6, "language": "given"}, "reporting"),
    "free talk": ("cheap_talk", {"bias": 0.4}, "reporting"),
    "headroom": ("cloud_bandwidth", HEADROOM, "reporting"),
    "scarce headroom": ("cloud_bandwidth", {**HEADROOM, "capacity": 1, "background_demand": 0.3},
                        "choosing"),
}  # fmt: skip


@cache
def setting(name: str) -> tuple[Market, kpis.KpiTable]:
    """The market of a name in `SETTINGS`, and its default KPI."""
    market_name, keys, _ = SETTINGS[name]
    market = make_market(market_name, keys)
    return market, kpis.resolve(market, None)


# --- kinds ----------------------------------------------------------------------------------------

TRUSTING, DEAF, SCEPTICAL = "trusting", "deaf", "sceptical"
Speakers = tuple[t.Says, ...]  # of each speaking seat; one: of all of them


@dataclass(frozen=True)
class Kind:
    """Speakers before listeners in one setting.

    Attributes:
        setting: a key of `SETTINGS`.
        speaker: what the speakers do, as the table names it.
        says: what they say.
        listener: `TRUSTING`, `DEAF` or `SCEPTICAL`.
        word: the right one without noise.
        weak_from: the level of noise from which slips may hide what the lies bring or spoil, so
            that no more than bluffing need be found.
    """

    setting: str
    speaker: str
    says: Speakers
    listener: str
    word: str
    weak_from: float = 1.0

    def right(self, level: float) -> frozenset[str]:
        """The right words under noise.

        - A truth has a false word in `level` x (1 - 1/words) of all rows, and of two truths the
          one that is lied about more has nearly twice as much: from .05 on that may be what
          `honest` excludes. The listener then heeds it: bluffing.
        - Where nobody listens, `babbling` says so of the truth as well, once slips leave open
          whether it is the truth.
        - A deaf listener reacts in the typical seed where more than half of all seeds have a
          changed row among those that it meets; a speaker pools in the typical seed where fewer
          than half of all seeds have one. Slips in price as well leave one word in each place, of
          which no influence is measured: babbling.
        - In a free language a truth with a word of its own by a slip tells .25 of the truth: .05
          on average from .05 on.
        - A slip costs the sender, and makes a code of what it says: see `weak_from`.
        """
        right = {self.word}
        market, _ = setting(self.setting)
        words, speakers = len(self._words), len(channels(market))
        if self.word == HONEST and level > 0 and self.listener == DEAF:
            right.add(BABBLING)
        if self.word == HONEST and level * (1 - 1 / words) * (2 if words == 2 else 1) > 0.035:
            right.add(BLUFFING)
        heard = words**speakers
        deaf = self.listener == DEAF and self.word in (BABBLING, HONEST)
        if deaf and (1 - level) ** heard < 0.5 and BABBLING in right:
            right.add(BLUFFING)
        if self.word == POOLING and (1 - level) ** (words * speakers) < 0.75:
            right |= {BABBLING, BLUFFING}
        if self.setting == "free talk" and level >= 0.05:
            right.add(INFORMATIVE)
        if self.word == DECEPTION and level >= self.weak_from:
            right.add(BLUFFING)
        return frozenset(right)

    @property
    def _words(self) -> tuple[Any, ...]:
        """The words of the claim."""
        channel = channels(setting(self.setting)[0])[0]
        return tuple(range(int(channel.said.max()) + 1))

    def tables(self) -> tuple[PolicyTable, ...]:
        """One policy table per seat, without noise."""
        market, _ = setting(self.setting)
        speaking = [channel.seat.name for channel in channels(market)]
        tables = []
        for seat in market.seats:
            if seat.name in speaking:
                says = self.says[speaking.index(seat.name) % len(self.says)]
                tables.append(t.written(market, seat, self._speaker(says)))
                continue
            table = self._trusting(market, seat.index)
            if self.listener != TRUSTING:
                table = (t.deaf if self.listener == DEAF else t.sceptical)(market, seat, table)
            tables.append(table)
        return tuple(tables)

    def _speaker(self, says: t.Says) -> t.Rule:
        """How what is said becomes an action."""
        name = self.setting
        if name.startswith("brief"):
            return t.buyer_with_a_brief(says)
        if "talk" in name:
            return t.sender(says)
        if "headroom" in name:
            return t.provider(says)
        if name.startswith(("stock", "overcharge")):
            return t.supplier(0.83 if "overcharge" in name else 0.8, "claim", "stock", says)
        return t.supplier(0.3, "promise", "lead", says)

    def _trusting(self, market: Market, seat: int) -> PolicyTable:
        """A listener that believes every word."""
        listener = market.seats[seat]
        if self.setting.startswith("brief"):
            return t.written(market, listener, t.supplier_that_hears(0.4, 0.8))
        if "headroom" in self.setting:
            return t.written(market, listener, t.tenant)
        return t.scripted(market, listener, "trusting")


STATES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
NINE_IN_TEN, ALWAYS = "lies 9 times in 10", "lies whenever it can"


def _of_words(name: str, lie: Any, words: tuple[Any, ...], lying: str, weak: float) -> list[Kind]:
    """Kinds of every setting whose claim has a word that liars prefer.

    Args:
        name: the setting.
        lie: the word.
        words: all words.
        lying: the word for one who lies nine times in ten and is believed.
        weak: see `Kind.weak_from`.
    """
    kind = partial(Kind, name)
    drawn = t.babbling(words)
    return [
        kind("truthful", (t.truthful,), TRUSTING, HONEST),
        kind("truthful", (t.truthful,), DEAF, HONEST),
        kind("lies 1 time in 50", (t.saying(lie, 0.02),), TRUSTING, HONEST),
        kind(ALWAYS, (t.saying(lie),), TRUSTING, POOLING),
        kind(ALWAYS, (t.saying(lie),), DEAF, POOLING),
        kind(NINE_IN_TEN, (t.saying(lie, 0.9),), TRUSTING, lying, weak),
        kind(NINE_IN_TEN, (t.saying(lie, 0.9),), DEAF, BABBLING),
        kind("draws its words", (drawn,), TRUSTING, BLUFFING),
        kind("draws its words", (drawn,), DEAF, BABBLING),
    ]


def _stock(name: str, weak: float) -> list[Kind]:
    words = ("plenty", "scarce")
    opposite = t.renaming({"plenty": "scarce", "scarce": "plenty"})
    return [
        *_of_words(name, "scarce", words, DECEPTION, weak),
        Kind(name, "lies 1 time in 10", (t.saying("scarce", 0.1),), TRUSTING, DECEPTION, 0.02),
        Kind(name, NINE_IN_TEN, (t.saying("scarce", 0.9),), SCEPTICAL, DECEPTION, weak),
        Kind(name, "claims the opposite", (opposite,), TRUSTING, BLUFFING),
    ]


def _promises(name: str, lying: str) -> list[Kind]:
    one = (t.saying(0, 0.9), t.truthful)
    return [
        *_of_words(name, 0, (0, 1, 2, 3), lying, 0.1),
        Kind(name, f"{NINE_IN_TEN}, its rival is truthful", one, TRUSTING, lying, 0.1),
    ]


def _talk(name: str, lying: str) -> list[Kind]:
    top, high = t.saying(1.0, 0.5), t.saying(1.0, 0.5, among=(0.4, 0.6, 0.8))
    above = t.renaming(dict(zip(STATES, (*STATES[1:], 1.0), strict=True)))
    kind = partial(Kind, name)
    return [
        kind("truthful", (t.truthful,), TRUSTING, HONEST),
        kind("truthful", (t.truthful,), DEAF, HONEST),
        kind("exaggerates by one", (above,), TRUSTING, BLUFFING),
        kind("exaggerates by one", (above,), DEAF, BABBLING),
        kind("names the top half of the time", (top,), TRUSTING, lying, 0.1),
        kind("names the top half of the time", (top,), SCEPTICAL, lying, 0.1),
        kind("names the top where it is near", (high,), TRUSTING, BLUFFING),
        kind("names the top half of the time", (top,), DEAF, BABBLING),
        kind("always names the top", (t.saying(1.0),), TRUSTING, POOLING),
        kind("draws its words", (t.babbling(STATES),), TRUSTING, BLUFFING),
        kind("draws its words", (t.babbling(STATES),), DEAF, BABBLING),
    ]


def _free_talk() -> list[Kind]:
    above = t.renaming(dict(zip(STATES, (*STATES[1:], 1.0), strict=True)))
    kind = partial(Kind, "free talk")
    return [
        kind("truthful", (t.truthful,), TRUSTING, INFORMATIVE),
        kind("exaggerates by one", (above,), TRUSTING, INFORMATIVE),
        kind("always names the top", (t.saying(1.0),), TRUSTING, BABBLING),
        kind("draws its words", (t.babbling(STATES),), DEAF, BABBLING),
    ]


def kinds() -> list[Kind]:
    """Every kind of players in every setting."""
    urgency, loads = ("calm", "urgent"), ("ample", "tight")
    eight_in_nine = (t.saying("scarce", 8 / 9),)
    overcharge = "overcharge 3.75 %"
    return [
        *_stock("stock, scarcity .5", 1.0),
        *_stock("stock, scarcity .2", 1.0),
        # Lies bring .35 in each deal with plenty, .018 in all at .95 and .0035 at .99; a slip about
        # scarce stock, where it is another word, costs up to .13 in nearly every deal.
        *_stock("stock, scarcity .95", 0.05),
        *_stock("stock, scarcity .96", 0.05),
        *_stock("stock, scarcity .99", 0.02),
        # A buyer that walks away by a slip costs 28 times what a lie brings.
        Kind(overcharge, "lies on 80 % of deals", eight_in_nine, TRUSTING, DECEPTION, 0.02),
        Kind(overcharge, ALWAYS, (t.saying("scarce"),), TRUSTING, POOLING),
        Kind(overcharge, "truthful", (t.truthful,), TRUSTING, HONEST),
        *_promises("promises", DECEPTION),
        *_promises("fined promises", BLUFFING),
        *_promises("free delays", BLUFFING),
        *_of_words("brief, fine .2", "calm", urgency, DECEPTION, 0.1),
        *_of_words("brief, fine .1", "calm", urgency, DECEPTION, 1.0),
        *_of_words("brief, fine .45", "calm", urgency, BLUFFING, 1.0),
        *_talk("talk, bias 0", BLUFFING),
        *_talk("talk, bias .2", BLUFFING),
        *_talk("talk, bias .6", DECEPTION),
        *_free_talk(),
        *_of_words("headroom", "ample", loads, BLUFFING, 1.0),
        *_of_words("scarce headroom", "ample", loads, DECEPTION, 0.05),
    ]


# Closed forms, without noise: the setting, and the word.
EQUILIBRIA = {
    "brief, fine .2": BLUFFING,
    "brief, fine 0": POOLING,
    "brief, fine .45": HONEST,
    # One word at each price: what "scarce" tells, the high price has told already.
    "stock, scarcity .2": BABBLING,
}


# --- arms -----------------------------------------------------------------------------------------


def arms_of(
    name: str, tables: Callable[[], tuple[PolicyTable, ...]], level: float, count: int
) -> Iterator[Evidence]:
    """So many arms; without noise one, of one population that is repeated.

    Args:
        name: the setting.
        tables: one policy table per seat, without noise.
        level: the noise.
        count: how many arms.
    """
    market, kpi = setting(name)
    clean, still = tables(), level == 0.0
    probes = PROBED_OF_FREE_WORDS if market.claims[0].free else PROBED
    for arm in range(1 if still else count):
        seeds = [0] if still else range(arm * MIN_SEEDS, (arm + 1) * MIN_SEEDS)
        found = []
        for seed in seeds:
            own = clean if still else t.changed(market, clean, level, seed)
            population = freeze(market, kpi, own, seed)
            probed = [PROBES[probe].run(population) for probe in probes]
            found.append({n: x for figures in probed for n, x in figures.items()})
        found *= MIN_SEEDS if still else 1
        yield Evidence(market, kpi, {n: [f[n] for f in found] for n in found[0]}, MIN_SEEDS)


def chatter(count: int) -> Iterator[Evidence]:
    """An auction whose bidders send tokens that stand for nothing: the market declares no claim."""
    market = make_market("ad_auction", {"chat": 3})
    for _ in range(min(count, 1)):
        yield Evidence(market, kpis.resolve(market, None), {}, MIN_SEEDS)


def _equilibrium(name: str) -> tuple[PolicyTable, ...]:
    market, _ = setting(name)
    config = ProcurementConfig.model_validate(market.config.model_dump())
    return tuple(equilibrium_table(config, seat) for seat in market.seats)


def cases() -> list[Case]:
    """Every case on claims, of both halves."""
    found = [
        Case(
            behaviour="claims",
            kind=f"{kind.speaker}, {kind.listener} listener",
            market=f"{kind.setting}, cells {level:.0%}",
            half=SETTINGS[kind.setting][2],
            right=kind.right(level),
            arms=partial(arms_of, kind.setting, kind.tables, level),
        )
        for kind in kinds()
        for level in LEVELS
    ]
    found += [
        Case("claims", "closed form", name, SETTINGS[name][2], frozenset({word}),
             partial(arms_of, name, partial(_equilibrium, name), 0.0))
        for name, word in EQUILIBRIA.items()
    ]  # fmt: skip
    nothing = frozenset({"no verdict"})
    return [*found, Case("claims", "chat", "ad_auction, chat", "reporting", nothing, chatter)]
