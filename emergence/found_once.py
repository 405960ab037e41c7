"""What every seed of an arm asks for, found once: by one thread, and kept for other processes.

Seeds of an arm are probed on several threads at the same time. The first that asks does the work,
outside of any lock; others wait only if they ask for the same thing. Answers that come from tacit's
own code alone are also kept on disk (`tacit.envs.jit.kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.jit.kept import is_own, keep, read_kept
from tacit.envs.market import Market

Answer = TypeVar("Answer")
_LOCK = Lock()  # held while a table is looked at, never while anything is computed


def found_once(
    known: dict[Any, Future[Answer]], key: Hashable, find: Callable[[], Answer]
) -> Answer:
    """The answer under a key: found now, or by whoever asked first.

    Args:
        known: answers by key, and those that are being found; changed in place.
        key: what the answer depends on.
        find: finds it.

    Raises:
        ConfigError: there is no answer; kept too, since every seed of an arm asks for it.
        BaseException: what else `find` raises, to all that wait for it; whoever asks later tries
            again.
    """
    with _LOCK:
        own = known.get(key)
        is_first = own is None
        if own is None:
            own = known[key] = Future()
    if is_first:
        try:
            own.set_result(find())
        except BaseException as error:
            if not isinstance(error, ConfigError):
                with _LOCK:
                    del known[key]
            own.set_exception(error)
    return own.result()


def weighted_key(market: Market, kpi: kpis.KpiTable) -> tuple[kpis.KpiTable, tuple[str, str, str]]:
    """A KPI without terms of weight 0, and the key of what depends on it and the market alone."""
    weighted = {s: {n: t for n, t in terms.items() if t.weight} for s, terms in kpi.items()}
    return weighted, (market.name, market.config.model_dump_json(), kpis.kpi_hash(weighted))


def kept_for_others(
    kind: str,
    market: Market,
    question: list[Any],
    find: Callable[[], Answer],
    plain: Callable[[Answer], Any],
    back: Callable[[Any], Answer],
) -> Answer:
    """An answer from the cache folder; where there is none, it is found and kept there.

    A market from outside tacit may change unseen, and its answers are found in every process.

    Args:
        kind: what the question is about.
        market: the market that it is about.
        question: whatever the answer depends on, as JSON can hold it.
        find: finds it.
        plain: the answer as JSON can hold it, every bit of it.
        back: the answer again; raises LookupError, TypeError or ValueError for anything else.
    """
    if not is_own(type(market)) or market.view_params is not None:
        return find()
    try:
        return back(read_kept(kind, question))
    except (LookupError, TypeError, ValueError):
        answer = find()
        keep(kind, question, plain(answer))
        return answer
