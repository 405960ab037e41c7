"""The PettingZoo module of `tacit.envs.procurement`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `ProcurementConfig`), `kpi={...}`, `episode_rounds`,
`render_mode`.
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "procurement")
env = partial(make_aec, "procurement")
raw_env = partial(make_raw_aec, "procurement")
