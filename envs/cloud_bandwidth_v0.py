"""The PettingZoo module of `tacit.envs.cloud_bandwidth`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `CloudBandwidthConfig`), `kpi={...}`, `episode_rounds`,
`render_mode`.
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "cloud_bandwidth")
env = partial(make_aec, "cloud_bandwidth")
raw_env = partial(make_raw_aec, "cloud_bandwidth")
