"""Mistakes in what a market declares: each is found when it is made, and told in a line."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from support.toy_markets import rules_only
from support.toy_markets.rules_only import RulesOnly

from tacit.envs.analysis import Analysis, Rivalry
from tacit.envs.errors import ConfigError
from tacit.envs.jit.decorators import kernel
from tacit.envs.market import Block, Part, Role
from tacit.envs.market.check import kernel_mistakes

LAST = Part("last_price", rules_only.PRICES, "the other's last price")
PRICE = Part("price", rules_only.PRICES, "what the seller asks")
SELLS = Block(0, (LAST,), (PRICE,))


def role(*blocks, fundamental="profit"):
    return Role("seller", 2, fundamental, "profit", blocks)


def said(claims=(), analysis=None, headline="profit", **declared):
    """What is wrong with `rules_only` if it declares something else."""

    class Other(RulesOnly):
        def declare(self):
            super().declare()
            for name, value in declared.items():
                if value is None:
                    delattr(self, name)
                else:
                    setattr(self, name, value)

    Other.claims, Other.headline, Other.analysis_class = claims, headline, analysis
    with pytest.raises(ConfigError) as error:
        Other()
    return error.value.mistakes


def claim(**keys):
    plain = {"role": "seller", "part": "price", "about": "last_price", "above": None, "below": None}
    return SimpleNamespace(**{**plain, **keys})


CASES = [
    ({"params": None}, ["declare: does not set `params`."]),
    ({"params": np.zeros(1, np.float32)}, ["params: must be an array float64 [.]: "]),
    ({"params": np.zeros((1, 1))}, ["params: must be an array float64 [.]: "]),
    ({"params": [0.0]}, ["params: must be an array float64 [.]: "]),
    ({"state_width": -1}, ["state_width: must be a whole number of 0 or more, got -1."]),
    ({"state_width": 1.5}, ["state_width: must be a whole number of 0 or more, got 1.5."]),
    ({"headline": "proft"}, ["headline: unknown measure 'proft'. Did you mean 'profit'?"]),
    (
        {"roles": (role(SELLS, fundamental="solt"),)},
        ["roles: the fundamental 'solt' is no measure of a seller. Did you mean 'sold'?"],
    ),
    (
        {"roles": (role(Block(0, LAST, (PRICE,))),)},
        ["roles: block 0 of seller: `sees` must be a tuple of Parts."],
    ),
    (
        {"roles": (role(Block(0, (LAST,), ("price",))),)},
        ["roles: block 0 of seller: `does` must be a tuple of Parts."],
    ),
    (
        {"roles": (role(Block(1, (LAST,), (PRICE,)), SELLS),), "phases": ("post", "wait")},
        ["roles: blocks of seller must be in order of phase, got [1, 0]."],
    ),
    (
        {"roles": (role(SELLS, Block(1)),)},
        ["roles: seller has a block for phase 1; phases are ('post',)."],
    ),
    (
        {"phases": ("post", "wait")},
        ["roles: seller has no block for phase 1 ('wait'); Block(1) waits there."],
    ),
    (
        {"claims": (claim(role="selle"),)},
        ["claims: unknown role 'selle'. Did you mean 'seller'?"],
    ),
    (
        {"claims": (claim(part="prise", about="last"),)},
        [
            "claims: no seller does 'prise'. Did you mean 'price'?",
            "claims: no seller sees 'last'. One of: last_price.",
        ],
    ),
    (
        {"claims": (claim(above="profits", below="sol"),)},
        [
            "claims: unknown measure 'profits'. Did you mean 'profit'?",
            "claims: unknown measure 'sol'. Did you mean 'sold'?",
        ],
    ),
    (
        {"analysis": SimpleNamespace(conduct={"seller": "price", "nobody": "x"})},
        ["analysis_class.conduct: unknown measure 'price'. "],
    ),
    (
        {
            "analysis": type(
                "Rivals",
                (Analysis,),
                {
                    "rivalry": {
                        "seller": Rivalry("sales", part="prise", competition=2, sellers=True),
                        "nobody": Rivalry("x", "y", 1, sellers=False),
                    }
                },
            )
        },
        [
            "analysis_class.rivalry: unknown measure 'sales'. One of: profit, sold.",
            "analysis_class.rivalry: no seller does 'prise'. Did you mean 'price'?",
            "analysis_class.rivalry: competition must be +1 or -1, got 2.",
        ],
    ),
    (
        {"analysis": type("Short", (Analysis,), {"conduct": {"seller": "sold"}})},
        ["analysis_class.conduct: no seller does 'sold'. One of: price. (`rivalry` names measure "],
    ),
    (
        {"roles": (role(Block(0, (Part("phase", (0, 1), ""), LAST, LAST), (PRICE,))),)},
        [
            "roles: block 0 of seller: `sees` has 'last_price' twice.",
            "roles: block 0 of seller: `sees` must not name a part 'phase', which tacit uses",
        ],
    ),
    (
        {"roles": (role(Block(0, (LAST,), (Part("wait", (0, 1), ""),))),)},
        ["roles: block 0 of seller: `does` must not name a part 'wait', which tacit uses itself."],
    ),
    (
        {"roles": (role(SELLS), Role("seller_1", 1, "profit", "profit", (SELLS,)))},
        [
            "roles: the fundamental 'profit' is no measure of a seller_1. There are none.",
            "roles: 'seller_1' names two of the roles, the seats and the market itself.",
        ],
    ),
    (
        {"measures": (*RulesOnly.measures, RulesOnly.measures[0])},
        [f"measures: '{RulesOnly.measures[0].name}' occurs twice."],
    ),
]


@pytest.mark.parametrize(("changed", "mistakes"), CASES)
def test_a_wrong_declaration_is_told(changed, mistakes):
    found = said(**changed)
    assert len(found) == len(mistakes)
    for line, mistake in zip(found, mistakes, strict=True):
        assert line.startswith(f"Other.{mistake}")


def test_all_mistakes_are_told_at_once():
    found = said(params=[0.0], state_width=-1, headline="x")
    assert [line.split(":")[0] for line in found] == [
        "Other.params",
        "Other.state_width",
        "Other.headline",
    ]


def test_what_kernels_must_be():
    module = ModuleType("kernels_of_nobody")
    module.observe = lambda params, state, phase, seat: 0
    module.play = kernel(lambda params, state, phase: None)
    sys.modules[module.__name__] = module
    try:
        assert kernel_mistakes(module.__name__) == (
            "kernels_of_nobody.reset: missing; it is one of a market's three kernels.",
            "kernels_of_nobody.observe: needs the decorator `kernel`.",
            "kernels_of_nobody.play: takes 3 arguments, must take 6.",
        )
    finally:
        del sys.modules[module.__name__]
    assert kernel_mistakes(rules_only.__name__) == ()
