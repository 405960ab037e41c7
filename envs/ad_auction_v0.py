"""The PettingZoo module of `tacit.envs.ad_auction`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `AdAuctionConfig`), `kpi={...}`, `episode_rounds`, `render_mode`,
`observation` and `infos` (`tacit.envs.views.choices`).
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "ad_auction")
env = partial(make_aec, "ad_auction")
raw_env = partial(make_raw_aec, "ad_auction")
