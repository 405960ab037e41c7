"""The PettingZoo module of `tacit.envs.cheap_talk`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `CheapTalkConfig`), `kpi={...}`, `episode_rounds`, `render_mode`.
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "cheap_talk")
env = partial(make_aec, "cheap_talk")
raw_env = partial(make_raw_aec, "cheap_talk")
