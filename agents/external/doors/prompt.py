"""Prompts: a text with placeholders, filled in from a question."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

from tacit.agents.external.question import Question
from tacit.envs.errors import ConfigError, nearest

MOST_BYTES = 2**20
DEFAULT = """{situation}
{options}
Answer with the label of one option and nothing else.
"""
MEANINGS = {
    "situation": "who is asked, and what is seen",
    "options": "the legal actions, a label before each",
    "words": "situation and options",
    "market": "the market's name",
    "seat": "the seat's name",
    "role": "the role's name",
    "phase": "the name of the decision",
    "labels": "the labels alone: A, B, C",
}


class Prompt:
    """A text with placeholders.

    Attributes:
        text: as it was written.
    """

    def __init__(self, text: str = DEFAULT, where: str = "prompt") -> None:
        """Check the placeholders.

        Args:
            text: with `{situation}`, `{options}` and others of `MEANINGS`; `{{` is a brace.
            where: what messages call it.

        Raises:
            ConfigError: unknown placeholders, or none that shows what is seen.
        """
        self.text = text
        try:
            pieces = list(Formatter().parse(text))
        except ValueError as error:
            raise ConfigError(
                f"{where}: {error}; write {{{{ and }}}} for braces that are no placeholder."
            ) from None
        names = [name for _, name, _, _ in pieces if name is not None]
        mistakes = [
            f"{where}: unknown placeholder '{{{name}}}'. {nearest(name, MEANINGS)}"
            for name in dict.fromkeys(names)
            if name not in MEANINGS
        ]
        formatted = [name for _, name, spec, how in pieces if name in MEANINGS and (spec or how)]
        mistakes += [f"{where}: {{{name}}} takes no format." for name in formatted]
        if not {"situation", "words"} & set(names):
            mistakes.append(f"{where}: never shows what is seen; it needs {{situation}}.")
        if not {"options", "words"} & set(names):
            mistakes.append(f"{where}: never shows what can be done; it needs {{options}}.")
        if mistakes:
            raise ConfigError(mistakes)

    def fill(self, question: Question) -> str:
        """The text for a question."""
        return self.text.format(
            situation=question.situation(),
            options=question.options(),
            words=question.words(),
            market=question.market,
            seat=question.seat,
            role=question.role,
            phase=question.phase,
            labels=", ".join(question.labels),
        )


def read_prompt(path: str | None) -> Prompt:
    """The prompt in a file; None: tacit's own.

    Raises:
        ConfigError: the file cannot be read, or has unknown placeholders.
    """
    if path is None:
        return Prompt()
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ConfigError(f"prompt: {path} has more than {MOST_BYTES:,} bytes.")
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"prompt: {path} is no text in UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"prompt: {path} cannot be read: {reason}.") from None
    return Prompt(text, f"prompt: {path}")
