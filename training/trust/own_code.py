"""Whether everything that decides a result is code of tacit.

Code of users may change unseen, and what they registered in a script is unknown to other processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from tacit.agents.registry import AGENTS
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.envs.jit.kept import is_own
from tacit.training.config.arms import Arm


def runs_own_code(arms: Iterable[Arm]) -> bool:
    """Whether the markets of these arms, and every agent and probe that is known, are tacit's."""
    found: list[object] = [type(arm.market) for arm in arms]
    found += [*AGENTS.values(), *(probe.run for probe in PROBES.values())]
    found += [control.run for control in CONTROLS.values()]
    return all(map(is_own, found)) and not os.environ.get("TACIT_PLUGINS")
