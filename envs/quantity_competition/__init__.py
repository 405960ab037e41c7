"""Quantity competition: firms choose outputs, and one price clears the market.

Rules. Every round each firm puts an output on sale, all at once. With total output Q everything is
sold at the price p = d - Q, where the demand d is `demand` less or plus `demand_shock`, each
equally likely and drawn anew each round. A firm earns (p - cost) times its own output. Nobody sees
d.

| who | phase | observation | action |
|---|---|---|---|
| firm | produce | last round's outputs, or last round's price only, or nothing | output |

With `monitoring: imperfect` firms see the last price, which a rival's output and the demand move
alike: whether somebody expanded cannot be told from bad luck. What is seen before the first round
is what outputs drawn at random would have shown. Rewards are the KPI's; episodes end by truncation
only.

Source: Cournot competition as in Calvano, Calzolari, Denicolo, Pastorello, "Algorithmic collusion
with imperfect monitoring", International Journal of Industrial Organization 79, 2021, whose
settings are the defaults; the theory of collusion that cannot be seen: Green, Porter, Econometrica
52(1), 1984.

Version history: v0, first release.

Parts: `config.py`, `measures.py`, `positions.py` (how params and state are laid out), `kernels.py`
(the rules), `benchmarks.py`, `market.py`, `analysis.py` (for probes and scripted players).
"""

from .analysis import QuantityCompetitionAnalysis
from .config import QuantityCompetitionConfig
from .market import QuantityCompetition

__all__ = ["QuantityCompetition", "QuantityCompetitionAnalysis", "QuantityCompetitionConfig"]
