"""Actions of a tender as numbers: what an offer says, which counter a response is.

`params` float64 `[.]` and `state` float64 `[W]` are laid out by `positions.py`.
"""

from __future__ import annotations

from typing import Any

from tacit.envs.jit.decorators import kernel

from . import positions as at

# An offer is an action whose digits are price, claim, promise, clause and finality, the last one
# fastest: (((price * n_claims + claim) * n_days + promise) * n_clauses + dropped) * n_finals +
# final. Parts that do not exist have one value.


@kernel
def n_claims(params: Any) -> Any:
    """Stock claims to choose from; `params` `[.]`."""
    return 2 if params[at.HAS_STOCK] else 1


@kernel
def n_clauses(params: Any) -> Any:
    """With or without the clause, or no clause at all; `params` `[.]`."""
    return 2 if params[at.HAS_CLAUSE] else 1


@kernel
def n_finals(params: Any) -> Any:
    """Open or final, or no such word; `params` `[.]`."""
    return 2 if params[at.HAS_FINAL] else 1


@kernel
def n_terms(params: Any) -> Any:
    """How many offers there are of one price and one claim; `params` `[.]`."""
    return int(params[at.N_DAYS]) * n_clauses(params) * n_finals(params)


@kernel
def n_offers(params: Any) -> Any:
    """How many different offers there are; `params` `[.]`."""
    return int(params[at.N_PRICES]) * n_claims(params) * n_terms(params)


@kernel
def price_of(params: Any, offer: Any) -> Any:
    """The step of an offer's price in the list; `params` `[.]`."""
    return offer // (n_claims(params) * n_terms(params))


@kernel
def claim_of(params: Any, offer: Any) -> Any:
    """1 if an offer claims scarce stock; `params` `[.]`."""
    return offer // n_terms(params) % n_claims(params)


@kernel
def promise_of(params: Any, offer: Any) -> Any:
    """The step of an offer's promised days among the distinct ones; `params` `[.]`."""
    return offer // (n_clauses(params) * n_finals(params)) % int(params[at.N_DAYS])


@kernel
def drops_clause(params: Any, offer: Any) -> Any:
    """1 if an offer leaves the clause out; `params` `[.]`."""
    return offer // n_finals(params) % n_clauses(params)


@kernel
def is_final(params: Any, offer: Any) -> Any:
    """1 if an offer calls its price final; `params` `[.]`."""
    return offer % n_finals(params)


@kernel
def visible_offer(params: Any, offer: Any) -> Any:
    """An offer as the buyer sees it: with the first claim and promise if claims are not heard.

    The price and the clause are no claims: they are terms of the contract. `params` `[.]`.
    """
    if params[at.CLAIMS_HEARD]:
        return offer
    each = n_claims(params) * n_terms(params)  # offers of one price
    return offer // each * each + drops_clause(params, offer) * n_finals(params)


@kernel
def countered_supplier(params: Any, response: Any) -> Any:
    """The supplier that a response counters, or -1; `params` `[.]`."""
    first = 1 + int(params[at.N_SUPPLIERS])  # behind walking away and the acceptances
    each = int(params[at.N_PRICES]) * n_finals(params)  # counters of one supplier
    return (response - first) // each if response >= first else -1


@kernel
def counter_price(params: Any, response: Any) -> Any:
    """The step of a counter's price in the list; `params` `[.]`."""
    counter = response - 1 - int(params[at.N_SUPPLIERS])
    return counter // n_finals(params) % int(params[at.N_PRICES])


@kernel
def counter_is_final(params: Any, response: Any) -> Any:
    """1 if a counter is called final; `params` `[.]`."""
    return (response - 1 - int(params[at.N_SUPPLIERS])) % n_finals(params)


@kernel
def breaks_word(params: Any, state: Any, i: Any) -> Any:
    """1 if taking supplier i's ask would go back on a final counter below it; `state` `[W]`."""
    response = int(state[at.RESPONSE])
    ask = price_of(params, int(state[at.supplier(i) + at.OFFER]))
    return counter_is_final(params, response) if counter_price(params, response) < ask else 0


@kernel
def accept_action(params: Any) -> Any:
    """The action by which a supplier accepts a counter; `params` `[.]`.

    A supplier's actions are the offers, "sold" (if stock exists), accept, refuse, wait.
    """
    return n_offers(params) + int(params[at.HAS_STOCK])


@kernel
def take_action(params: Any) -> Any:
    """The action by which a buyer takes the ask after a refused counter; `params` `[.]`.

    A buyer's actions are the statements (if any), the responses, take, leave, wait.
    """
    suppliers = int(params[at.N_SUPPLIERS])
    counters = suppliers * int(params[at.N_PRICES]) * n_finals(params)
    return 2 * int(params[at.HAS_BRIEF]) + 1 + suppliers + counters
