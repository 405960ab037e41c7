"""The PettingZoo module of `tacit.envs.quantity_competition`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `QuantityCompetitionConfig`), `kpi={...}`, `episode_rounds`,
`render_mode`, `observation` and `infos` (`tacit.envs.views.choices`).
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "quantity_competition")
env = partial(make_aec, "quantity_competition")
raw_env = partial(make_raw_aec, "quantity_competition")
