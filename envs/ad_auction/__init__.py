"""Ad auction: bidders compete every round for ad slots; optionally a publisher posts a floor.

Rules. If there is a publisher, it first posts a floor, which bidders see. If there is chat, each
bidder then broadcasts a token. All bidders bid at once. The k-th highest bid at or above the floor
gets slot k with its click rate and pays per click

    mix x own bid + (1 - mix) x next lower bid,

where the floor counts as a losing bid: `price_mix` 1 is a first-price, 0 a (generalised)
second-price auction. Ties are broken by a sampled order; `ties: shared` pays everybody the expected
share instead, which changes what is learned. If no bid reaches the floor, nothing is sold, and the
last price stays. Values are common; or fixed, a known one for each bidder; or private: drawn for
every bidder and round, seen by their bidder only. With a `cycle` their probabilities follow the
parts of a day, which bidders see.

| who | phase | observation | action |
|---|---|---|---|
| publisher | floor | phase | floor: 0 or a bid of the grid, never below `reserve` |
| bidder | chat | time (with a cycle); value; floor (if posted); last price or all bids | a token |
| bidder | bid | the same; everybody's token | bid k/(bids+1) x highest value |

Rewards are the KPI's; episodes end by truncation only. Benchmarks: `benchmarks.py`, and of fixed
values `fixed_values.py`.

Sources. The pricing rule with a mix between first and second price: Banchio, Skrzypacz,
"Artificial Intelligence and Auction Design", EC 2022. Slots: Edelman, Ostrovsky, Schwarz,
"Internet Advertising and the Generalized Second-Price Auction", AER 97(1), 2007.

Version history: v0, first release.

Parts: `config.py`, `measures.py`, `positions.py` (how params and state are laid out), `kernels.py`
(the rules), `benchmarks.py` and `fixed_values.py` (theory), `market.py`, `analysis.py` (for probes
and scripted players).
"""

from .analysis import AdAuctionAnalysis
from .config import AdAuctionConfig
from .market import AdAuction

__all__ = ["AdAuction", "AdAuctionAnalysis", "AdAuctionConfig"]
