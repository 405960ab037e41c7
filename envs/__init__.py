"""Markets, KPIs and the engine. Importing this registers every market with PettingZoo, and one seat
of it, against frozen policy tables, with Gymnasium:

    pettingzoo.make("parallel", "tacit/ad_auction-v0", market={"bidders": 3})
    gymnasium.make("tacit/ad_auction-v0", seat="bidder_0", market={"bidders": 3})
"""

import gymnasium
from pettingzoo import aec_registry, parallel_registry, register

from .registry import MARKETS

for _name in MARKETS:
    if f"tacit/{_name}-v0" not in parallel_registry:
        register("parallel", f"tacit/{_name}-v0", f"tacit.envs.{_name}_v0:parallel_env")
    if f"tacit/{_name}-v0" not in aec_registry:
        register("aec", f"tacit/{_name}-v0", f"tacit.envs.{_name}_v0:env")
    if f"tacit/{_name}-v0" not in gymnasium.registry:
        gymnasium.register(
            f"tacit/{_name}-v0",
            "tacit.envs.views.gymnasium_env:make_seat",
            vector_entry_point="tacit.envs.views.gymnasium_vector_env:make_seats",
            kwargs={"name": _name},
        )
