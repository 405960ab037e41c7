"""Procurement: one buyer puts a tender to suppliers, whose claims and promises may be false.

Rules. If there is a brief, the buyer first states its urgency to all. Each supplier, knowing its
stock and its true lead time, sends an offer: price, stock claim, promised lead time, clause. The
buyer accepts one, counters one supplier at a listed price (and waits), or walks away. A countered
supplier with stock accepts or refuses; a scarce one has sold elsewhere. Then delivery, which may be
held up by days that nobody foresaw (`delays`).

With `final: true` asks and counters may be called final, and a buyer whose counter was refused may
still take the ask. The word binds nobody: a supplier whose final ask was p may accept a counter
below p, a buyer may pay more than its final counter, and then it was false (`false_final`).

| who | phase | observation | action |
|---|---|---|---|
| buyer | brief | urgency | stated urgency |
| supplier | offer | stated urgency; stock; true lead time | price, stock claim, promise, clause |
| buyer | respond | urgency; all offers; records | walk, accept one, counter one at a price |
| supplier | answer | countered or not; counter, lead time, own promise, clause | accept, refuse |
| buyer | settle | refused or not; urgency, the ask's terms, its own final counter | take, leave |

Parts with one value are left out of actions; without brief, counters, scarcity, clause or record
their phases and parts do not exist. Rewards are the KPI's; episodes end by truncation only.

With `claims_heard: false` whoever a claim, promise or statement is made to sees the first possible
one, whatever was said; all else is the same.

A supplier's deal is worth price - cost - late fine, the buyer's value - price - lead cost - delay
cost + late fine; both are discounted if struck at the counter. Fines on false claims go to nobody.

Closed forms and where they hold: `benchmarks.py`. Headline: `booking`, the price at signature of
the tender. It is money that no fine or delay touches, so it shows what the market asks, while
`margin`, `surplus` and `welfare` show what that was worth.

Sources. The rules and both closed forms are new here. A claim beside a price is costly talk through
its fine (without one: Crawford, Sobel, Econometrica 50(6), 1982).

Version history: v0, first release.

Parts: `config.py`, `measures.py`, `positions.py` (how params and state are laid out), `blocks.py`
(what is seen and done), `offers.py` (actions as numbers), `kernels.py` (the rules), `benchmarks.py`
and `last_words.py` (closed forms), `equilibrium.py` (their policy tables), `market.py`,
`analysis.py` (for probes and scripted players) with `scripted.py`, `priors.py` (what a prior does)
and `policy_figures.py`.
"""

from .analysis import ProcurementAnalysis
from .config import ProcurementConfig
from .equilibrium import equilibrium_table
from .market import Procurement

__all__ = ["Procurement", "ProcurementAnalysis", "ProcurementConfig", "equilibrium_table"]
