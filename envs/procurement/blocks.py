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
FINALITY = ("open", "final")

STOCK = Part("stock", STOCKS, "what the supplier truly has")
COUNTERED = Part("countered", ("no", "yes"), "whether the buyer countered this supplier")
URGENCY = Part("urgency", URGENCIES, "what the delivery is truly worth to the buyer")
STATED = Part("stated_urgency", URGENCIES, "what the buyer said of its urgency")
ANSWER = (Part("answer", ("accept", "refuse"), "whether it takes the counter"),)
SETTLE = (Part("settle", ("take", "leave"), "whether it takes the ask after a refused counter"),)
REFUSED = Part("refused", ("no", "yes"), "whether a supplier with stock refused its counter")
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
    settle = ("settle",) if c.final else ()
    phases = (*brief, "offer", "respond", *answer, *settle)
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
    if c.final:
        parts.append(Part("final", FINALITY, "whether it calls its price final"))
    return tuple(parts)


def response_values(c: ProcurementConfig) -> tuple[str, ...]:
    """The buyer's responses: walk, accept each, counter each at every price (open or final)."""
    names = [f"supplier_{i}" for i in range(c.suppliers)]
    accepts = [f"accept {name}" for name in names]
    marks = ("", ", final") if c.final else ("",)
    counters = [f"counter {name} at {p:g}{m}" for name in names for p in c.prices for m in marks]
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
        if c.final:
            kept += [p for p in own if p.name == "own_price"]
            kept += [p for p in own if p.name == "own_final"]
            kept.append(Part("counter_final", FINALITY, "whether the buyer calls it final"))
        yes = (COUNTERED, "yes")
        blocks.append(Block(answer, (), WAIT, given=((COUNTERED, "no"),)))
        if c.has_stock:
            blocks.append(Block(answer, (), SOLD, given=(yes, (STOCK, "scarce"))))
        plenty = ((STOCK, "plenty"),) if c.has_stock else ()
        blocks.append(Block(answer, (counter, lead, *kept), ANSWER, given=(yes, *plenty)))
    if c.final:
        blocks.append(Block(phases.index("settle")))
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
    if c.final:
        blocks += _settlement(c, phases.index("settle"), urgency)
    return tuple(blocks)


def _settlement(c: ProcurementConfig, phase: int, urgency: tuple[Part, ...]) -> list[Block]:
    """The buyer's last word: only after a refused counter has it a choice."""
    terms = [Part("ask", c.prices, "the price that the supplier had asked")]
    # Of the offer it still matters what delivery is worth under it.
    kept = [part for part in offer_parts(c) if part.name in ("promise", "clause")]
    terms += [Part(f"its_{part.name}", part.values, part.meaning) for part in kept]
    word = Part("own_word", ("kept", "broken"), "whether taking the ask breaks its final counter")
    none = Block(phase, (), WAIT, given=((REFUSED, "no"),))
    return [none, Block(phase, (*urgency, *terms, word), SETTLE, given=((REFUSED, "yes"),))]
