"""Procurement: one buyer puts a tender to suppliers, who may say what is not so.

Rules. If there is a brief, the buyer first states its urgency to all. Each supplier, knowing its
stock and its true lead time, sends an offer: price, stock claim, promised lead time, clause. The
buyer accepts one, counters one supplier at a listed price (and waits), or walks away. A countered
supplier with stock accepts or refuses; a scarce one has sold elsewhere. Then delivery, which may be
held up by days that nobody foresaw (`delays`).

| who | phase | observation | action |
|---|---|---|---|
| buyer | brief | urgency | stated urgency |
| supplier | offer | stated urgency; stock; true lead time | price, stock claim, promise, clause |
| buyer | respond | urgency; all offers; records | walk, accept one, counter one at a price |
| supplier | answer | countered or not; counter, lead time, own promise, clause | accept, refuse |

Parts with one value are left out of actions; without brief, counters, scarcity, clause or record
their phases and parts do not exist. Rewards are the KPI's; episodes end by truncation only.

With `claims_heard: false` who listens sees the first claim, promise or statement, whatever was
said; all else is the same.

A supplier's deal is worth price - cost - late fine, the buyer's value - price - lead cost - delay
cost + late fine; both are discounted if struck at the counter. Fines on false claims go to nobody.

Closed forms and where they hold: `benchmarks.py`. Headline: `booking`, the price at signature of
the tender; it is money that no fine or delay touches, so it shows what the market asks while
`margin`, `surplus` and `welfare` show what that was worth.

Version history: v0, first release.
"""

from .config import ProcurementConfig
from .market import Procurement

__all__ = ["Procurement", "ProcurementConfig"]
