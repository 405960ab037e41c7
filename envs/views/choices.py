"""What users of the views choose: how observations look, and what infos hold. All views ask here.

| observation | space | one part with n values |
|---|---|---|
| "digits" | `MultiDiscrete`, int64 `[parts]` | the position k of its value |
| "onehot" | `Box` in [0, 1], float32 `[sum of n]` | n numbers, 1 at position k and 0 elsewhere |
| "box" | `Box` in [0, 1], float32 `[parts]` | k / (n - 1); 0 if n is 1 |

| infos | what each info holds |
|---|---|
| "nested" | `measures` and `kpi` as dicts, `action_mask`; `masked_action` where one was replaced |
| "flat" | the same under `measures/NAME` and `kpi/NAME`, and always the same keys: |
| | `masked_action` is -1 where an action was legal |
| "mask" | `action_mask` only |
| None | nothing |

A choice changes what is shown, never what is played. The three forms of an observation hold the
same: each can be turned back into digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, MultiDiscrete
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Role
from tacit.envs.types import Ints

OBSERVATIONS = ("digits", "onehot", "box")
INFOS = ("nested", "flat", "mask", None)
NOT_MASKED = -1  # stands for the masked action where an action was legal


class RenderModeError(ValueError, TypeError):
    """A render mode that a view does not have.

    Also a `TypeError`: `make_vec_env` of Stable-Baselines3 asks every environment for "rgb_array",
    and makes it without a render mode only after that error.
    """


def check_choices(observation: Any, infos: Any) -> None:
    """Check the forms of observations and infos.

    Raises:
        ConfigError: one of them is unknown; the message names the nearest.
    """
    mistakes = []
    if not isinstance(observation, str) or observation not in OBSERVATIONS:
        mistakes.append(
            f"observation: unknown form {observation!r}. {nearest(observation, OBSERVATIONS)}"
        )
    if infos is not None and (not isinstance(infos, str) or infos not in INFOS):
        known = ["None", *(form for form in INFOS if form is not None)]
        mistakes.append(f"infos: unknown form {infos!r}. {nearest(infos, known)}")
    if mistakes:
        raise ConfigError(mistakes)


def check_no_render_mode(render_mode: Any) -> None:
    """Check the render mode of a view that draws nothing.

    Raises:
        RenderModeError: it is not None.
    """
    if render_mode is not None:
        raise RenderModeError(
            f"render_mode must be None, got {render_mode!r}: one seat's view has nothing to "
            "draw; the PettingZoo views have 'ansi' and 'human'"
        )


class ObservationForm:
    """Digits of a role's observations as a view shows them, and back.

    Attributes:
        name: one of `OBSERVATIONS`.
        sizes: the number of values of each part, int64 `[parts]`.
        space: the Gymnasium space of one observation.
    """

    def __init__(self, role: Role, name: str) -> None:
        """A known name is taken for granted: views call `check_choices` first."""
        self.name = name
        self.sizes = np.array([len(part.values) for part in role.observation_parts], np.int64)
        self._starts = np.cumsum(self.sizes) - self.sizes
        self._largest = np.maximum(self.sizes - 1, 1).astype(np.float32)
        self.space: MultiDiscrete | Box
        if name == "digits":
            self.space = MultiDiscrete(self.sizes.tolist())
        else:
            width = int(self.sizes.sum()) if name == "onehot" else len(self.sizes)
            self.space = Box(0.0, 1.0, (width,), np.float32)

    def __call__(self, digits: Ints) -> NDArray[Any]:
        """Digits int64 `[..., parts]` as shown: themselves, or float32 `[..., width]`."""
        if self.name == "digits":
            return digits
        if self.name == "box":
            scaled: NDArray[Any] = digits.astype(np.float32) / self._largest
            return scaled
        shown = np.zeros((*digits.shape[:-1], int(self.sizes.sum())), np.float32)
        np.put_along_axis(shown, digits + self._starts, 1.0, axis=-1)
        return shown

    def digits(self, shown: NDArray[Any]) -> Ints:
        """The digits int64 `[..., parts]` of what is shown, `[..., width]`."""
        shown = np.asarray(shown)
        if self.name == "box":
            return np.rint(shown * self._largest).astype(np.int64)
        if self.name == "onehot":
            parts = np.split(shown, self._starts[1:], axis=-1)
            return np.stack([part.argmax(-1) for part in parts], axis=-1)
        return shown.astype(np.int64)


def arrange_info(
    infos: str | None,
    measures: Mapping[str, Any],
    terms: Mapping[str, Any],
    mask: Any,
    masked: Any = None,
    **counts: Any,
) -> dict[str, Any]:
    """One info in the form that was chosen.

    The values may be anything: numbers, arrays over copies, or the source of expressions.

    Args:
        infos: one of `INFOS`.
        measures: by name.
        terms: KPI terms by name.
        mask: legal actions.
        masked: the illegal action that was replaced; None: it was legal.
        counts: further entries, such as `rounds`.
    """
    if infos is None:
        return {}
    if infos == "mask":
        return {"action_mask": mask}
    info: dict[str, Any]
    if infos == "flat":
        info = {f"measures/{name}": value for name, value in measures.items()}
        info |= {f"kpi/{name}": value for name, value in terms.items()}
        info |= counts | {"masked_action": NOT_MASKED if masked is None else masked}
    else:
        info = {"measures": dict(measures), "kpi": dict(terms), **counts}
        if masked is not None:
            info["masked_action"] = masked
    info["action_mask"] = mask
    return info
