"""Words of the command line as the values of a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config import files
from tacit.training.config.breaker_settings import RedirectConfig
from tacit.training.config.layers import set_dotted
from tacit.training.config.mistakes import MistakeList

REDIRECTS = ("rollback", "reweight", "redirect")


def pace_of(act: str, word: str | None) -> float | None:
    """The pace that a word means: rounds a second, or None for `max`.

    Raises:
        ConfigError: it is no number above 0, or is missing where the act is `pace`.
    """
    if word is None and act != "pace":
        return None
    try:
        pace = None if word == "max" else float(word or "")
    except ValueError:
        pace = 0.0
    if act != "pace":
        raise ConfigError(f"--pace: belongs to pace, not to {act}.")
    if pace is not None and not pace > 0:
        raise ConfigError(f"--pace: must be rounds a second above 0, or max, got {word!r}.")
    return pace


def redirect_of(
    act: str, values: Sequence[str], redirects: Sequence[str], fresh_stream: bool, forget: bool
) -> dict[str, Any] | str | None:
    """The redirect of a request.

    Args:
        act: which act.
        values: words `KEY=VALUE` behind it; of a reweight `bidder.price_change=0`.
        redirects: values of `--redirect`.
        fresh_stream: whether draws are others.
        forget: whether learned values begin anew.

    Returns:
        As a request has it; None where nothing is said.

    Raises:
        ConfigError: words that do not belong to the act, or have another form.
    """
    mistakes = MistakeList(_misplaced(act, values, redirects))
    mistakes.raise_if_any()
    if list(redirects) == ["none"]:
        if fresh_stream or forget:
            raise ConfigError("--redirect: none goes with no other change.")
        return "none"
    words = [f"kpi.{word}" for word in values] if act == "reweight" else [*values, *redirects]
    found: dict[str, Any] = {}
    for word in words:
        key, separator, value = word.partition("=")
        group = key.partition(".")[0]
        if not separator:
            mistakes.append(f"{word}: must be key=value, as in kpi.bidder.price_change=0.")
        elif group not in RedirectConfig.model_fields:
            mistakes.append(f"{key}: unknown key. {nearest(group, RedirectConfig.model_fields)}")
        else:
            with mistakes.collecting():
                set_dotted(found, key.split("."), files.parse(value, key))
    mistakes.raise_if_any()
    flags = {"fresh_stream": fresh_stream, "forget": forget}
    return {**found, **{name: True for name, is_set in flags.items() if is_set}} or None


def _misplaced(act: str, values: Sequence[str], redirects: Sequence[str]) -> Iterator[str]:
    if values and act not in REDIRECTS:
        yield f"ACT: {act} takes no KEY=VALUE, got {values[0]!r}."
    if values and act == "rollback":
        yield f"ACT: rollback takes what is changed as --redirect {values[0]}."
    if redirects and act not in ("rollback", "redirect"):
        yield f"--redirect: belongs to rollback, not to {act}."
    if "none" in redirects and len(redirects) > 1:
        yield "--redirect: none goes with no other change."
