"""What suppliers and buyer see and may do, phase by phase, as blocks of their policy tables.

The blocks lie in the order in which `kernels.observe` and `kernels.buyer_sees` count.
"""

from __future__ import annotations

from typing import NamedTuple

from tacit.envs.market import WAIT, Block, Part

from .config import ProcurementConfig

STOCKS = ("plenty", "scarce")
URGENCIES = ("calm", "urgent")
CLAUSES = ("kept", "dropped")
RECORDS = (0, 1, 2)

STOCK = Part("stock", STOCKS, "what the supplier truly has")
COUNTERED = Part("countered", ("no", "yes"), "whether the buyer countered this supplier")
URGENCY = Part("urgency", URGENCIES, "what the delivery is truly worth to the buyer")
STATED = Part("stated_urgency", URGENCIES, "what the buyer said of its urgency")
ANSWER = (Part("answer", ("accept", "refuse"), "whether it takes the counter"),)
SOLD = (Part("sold", ("sold",), "its stock went elsewhere: it can only say so"),)


class TenderBlocks(NamedTuple):
    """The phases of a tender and the blocks of both roles.

    Attributes:
        phases: names, in order.
        supplier: the supplier's blocks.
        buyer: the buyer's blocks.
    """

    phases: tuple[str, ...]
    supplier: tuple[Block, ...]
    buyer: tuple[Block, ...]


def tender_blocks(c: ProcurementConfig) -> TenderBlocks:
    """Phases and blocks under a config."""
    brief = ("brief",) if c.brief else ()
    answer = ("answer",) if c.counters else ()
    phases = (*brief, "offer", "respond", *answer)
    return TenderBlocks(phases, _supplier(c, phases), _buyer(c, phases))


def offer_parts(c: ProcurementConfig) -> tuple[Part, ...]:
    """The parts of an offer; those with nothing to choose are left out."""
    parts = [Part("price", c.prices, "what the supplier asks")]
    if c.has_stock:
        parts.append(Part("claim", STOCKS, "what it says of its stock"))
    if len(c.days) > 1:
        parts.append(Part("promise", c.days, "the lead time that it promises, in days"))
    if c.clause:
        parts.append(Part("clause", CLAUSES, "whether it clears customs"))
    return tuple(parts)


def response_values(c: ProcurementConfig) -> tuple[str, ...]:
    """The buyer's responses: walk, accept each supplier, counter each at every price."""
    names = [f"supplier_{i}" for i in range(c.suppliers)]
    accepts = [f"accept {name}" for name in names]
    counters = [f"counter {name} at {p:g}" for name in names for p in c.prices]
    return ("walk", *accepts, *(counters if c.counters else ()))


def _supplier(c: ProcurementConfig, phases: tuple[str, ...]) -> tuple[Block, ...]:
    """The supplier's blocks."""
    offer = phases.index("offer")
    lead = Part("lead", c.days, "its true lead time, in days")
    stated = (STATED,) if c.brief else ()
    stock = (STOCK,) if c.has_stock else ()
    blocks = [Block(phase) for phase in range(offer)]
    blocks += [Block(offer, (*stated, *stock, lead), offer_parts(c)), Block(offer + 1)]
    if c.counters:
        answer = phases.index("answer")
        counter = Part("counter", c.prices, "the price that the buyer counters with")
        own = [Part(f"own_{p.name}", p.values, p.meaning) for p in offer_parts(c)]
        # Of its own offer only promise and clause change what a counter is worth to it.
        kept = [p for p in own if p.name in ("own_promise", "own_clause")]
        yes = (COUNTERED, "yes")
        blocks.append(Block(answer, (), WAIT, given=((COUNTERED, "no"),)))
        if c.has_stock:
            blocks.append(Block(answer, (), SOLD, given=(yes, (STOCK, "scarce"))))
        plenty = ((STOCK, "plenty"),) if c.has_stock else ()
        blocks.append(Block(answer, (counter, lead, *kept), ANSWER, given=(yes, *plenty)))
    return tuple(blocks)


def _buyer(c: ProcurementConfig, phases: tuple[str, ...]) -> tuple[Block, ...]:
    """The buyer's blocks."""
    offer = phases.index("offer")
    urgency = (URGENCY,) if c.urgency else ()
    offers: list[Part] = []
    for i in range(c.suppliers):
        offers += [Part(f"{p.name}_{i}", p.values, p.meaning) for p in offer_parts(c)]
        if c.record == "on_time":
            meaning = f"how many of supplier_{i}'s last two deliveries were on time"
            offers.append(Part(f"on_time_{i}", RECORDS, meaning))
    response = Part("response", response_values(c), "accept, counter (and wait), or walk away")
    blocks = []
    if c.brief:
        blocks.append(Block(0, (URGENCY,), (STATED,)))
    blocks += [Block(offer), Block(offer + 1, (*urgency, *offers), (response,))]
    if c.counters:
        blocks.append(Block(offer + 2))
    return tuple(blocks)
