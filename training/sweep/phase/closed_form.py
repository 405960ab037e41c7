"""The closed form of a measure, anywhere in the plane: nothing is trained for it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.config.layers import set_dotted

SUFFIX = "_theory"  # of a measure that holds what theory says of another

ClosedForm = Callable[[float, float], float]  # its value at (x, y); NaN where there is none


def closed_form(
    market: Mapping[str, Any], x_key: str, y_key: str, measure: str
) -> ClosedForm | None:
    """What a market's theory says of a measure, as a function of two settings.

    Args:
        market: name and configuration of the market in a cell, as config.yaml holds them.
        x_key, y_key: the settings. Theory is the market's; it knows nothing of other settings.
        measure: whose closed form is wanted, with its suffix.

    Returns:
        None where the market has no such closed form.
    """

    def value(x: float, y: float) -> float:
        data = {"market": copy.deepcopy(dict(market))}
        for key, number in ((x_key, x), (y_key, y)):
            if key.startswith("market."):
                set_dotted(data, key.split("."), number)
        values = dict(data["market"])
        try:
            known = make_market(values.pop("name"), values).analysis.theory()
        except ConfigError:  # no market has these settings together
            return float("nan")
        return float(known.get(measure.removesuffix(SUFFIX), float("nan")))

    name = str(market.get("name"))
    values = {key: each for key, each in market.items() if key != "name"}
    made = make_market(name, values)
    if made.analysis_class is None or measure.removesuffix(SUFFIX) not in made.analysis.theory():
        return None
    return value
