"""The PettingZoo module of `tacit.envs.one_file.delivery_slots`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `DeliverySlotsConfig`), `kpi={...}`, `episode_rounds`,
`render_mode`.
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "delivery_slots")
env = partial(make_aec, "delivery_slots")
raw_env = partial(make_raw_aec, "delivery_slots")
