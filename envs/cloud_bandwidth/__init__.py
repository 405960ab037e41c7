"""Cloud bandwidth: providers post prices; optionally tenants request priority in surges.

Rules. Every round all providers post a price at once (and, with `headroom_claims`, say whether they
are `ample` or `tight`). Background consumers choose by logit: provider i sells

    q_i = exp((a_i - p_i)/mu) / (sum_j exp((a_j - p_j)/mu) + exp(a_0/mu))

per unit of their mass. `differentiation` mu = 0 is its limit, where the best offer takes all and
ties split; so is `demand: unit`, one unit from the cheapest up to a reservation price.

With `regions`, each provider has a seat in every region: a market of its own with its own
consumers, and perhaps other costs, qualities and sizes. Seats stand region by region, so that of
two providers in two regions provider_0 and provider_2 are the same provider. Seats see the prices
of all regions, or of their own (`observe`). Regions are related by nothing but what seats see and
what their KPIs count.

With `surge`, each provider's background demand is multiplied while its own chain of two states
surges, by a factor and for a time that may be drawn from lists. A provider sees its state (`load`,
not how large or long) before it posts; nobody else does.

With `tenants`, these then see all prices and claims, and each, privately with a standard or
critical need, requests a unit from a provider or from none, with priority or not. Demand beyond
`capacity` is rationed: a lottery among priority requests, then one among the others beside
background demand; nobody goes elsewhere. Priority costs the surcharge whether served or not. A
claim that differs from the load costs its provider a fine; with `claims_heard: false` tenants see
`ample`, whatever was claimed.

| who | phase | observation | action |
|---|---|---|---|
| provider | post | prices of the last `memory` rounds; own load (`surge`) | price, claim |
| tenant | request | own need; all prices; all claims | provider or none, priority |

Before the first round the remembered prices are drawn at random (or set by `start`). Rewards are
the KPI's; episodes end by truncation only.

Sources. The posting game is that of Calvano, Calzolari, Denicolo, Pastorello, "Artificial
Intelligence, Algorithmic Pricing, and Collusion", AER 110(10), 2020; its defaults are their
baseline.

Version history: v0, first release.

Parts: `config.py`, `measures.py`, `positions.py` (how params and state are laid out), `kernels.py`
with `demand.py` and `surges.py` (the rules), `benchmarks.py` (the posting game), `rationing.py`
(the tenants' game), `blocks.py` (what seats see and do), `market.py`, `analysis.py` (for probes and
scripted players).
"""

from .analysis import CloudBandwidthAnalysis
from .config import CloudBandwidthConfig
from .market import CloudBandwidth
from .rationing import Rationing

__all__ = ["CloudBandwidth", "CloudBandwidthAnalysis", "CloudBandwidthConfig", "Rationing"]
