"""Mistakes of a user, collected from several steps so that all can be reported at once."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from tacit.envs.errors import ConfigError


class MistakeList(list[str]):
    """Lines to report. Steps that may fail run inside `collecting`:

    mistakes = MistakeList()
    with mistakes.collecting():
        market = make_market(name, keys)      # a ConfigError adds its lines and ends the block
    mistakes.raise_if_any()
    """

    def collecting(self) -> _Collecting:
        """A context that adds the lines of a ConfigError raised inside, instead of raising it."""
        return _Collecting(self)

    def raise_if_any(self) -> None:
        """Raise what was collected, each line once.

        Raises:
            ConfigError: there is at least one line.
        """
        if self:
            raise ConfigError(list(dict.fromkeys(self)))


class _Collecting:
    def __init__(self, mistakes: MistakeList) -> None:
        self._mistakes = mistakes

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, ConfigError):
            self._mistakes.extend(error.mistakes)
            return True
        return False


def is_right(check: Callable[..., Any], *arguments: Any) -> bool:
    """Whether a callable that may raise a ConfigError accepts these arguments."""
    try:
        check(*arguments)
    except ConfigError:
        return False
    return True
