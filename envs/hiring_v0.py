"""The PettingZoo module of `tacit.envs.one_file.hiring`: `parallel_env`, `env`, `raw_env`.

Each takes `market={...}` (keys of `HiringConfig`), `kpi={...}`, `episode_rounds`, `render_mode`.
"""

from functools import partial

from .views.pettingzoo_env import make_aec, make_parallel, make_raw_aec

parallel_env = partial(make_parallel, "hiring")
env = partial(make_aec, "hiring")
raw_env = partial(make_raw_aec, "hiring")
