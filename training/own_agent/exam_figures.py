"""The two figures of an exam, as PNG."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tacit.emergence.collusion.impulse import SHOWN_ROUNDS
from tacit.training.board.plot_style import BLUE, GREY, RED, new_figure, save
from tacit.training.plain_text import visible

from .examine import Exam

DPI = 120


def exam_figures(exam: Exam) -> dict[str, bytes]:
    """Pictures by title: payoffs by match, and answers to a deviation or the policy itself."""
    found = {}
    if exam.shares:
        found["What it is paid, beside the best response to the same others"] = _payoffs(exam)
    told = {name: own for name, own in exam.answers.items() if own.cut.n}
    if told:
        name = max(told, key=lambda n: abs(told[n].cut.mean))
        title = f"A rival leaves its path for a round, against {name}"
        found[title] = _answer(exam, name)
    elif exam.table is not None:
        found["What it does at every observation"] = _policy(exam)
    return found


def _payoffs(exam: Exam) -> bytes:
    figure, axes = new_figure(1, 8.0)
    axis, names = axes[0], list(exam.shares)
    places = np.arange(len(names))
    own, best = (np.array([exam.shares[n][k] for n in names]) for k in (0, 1))
    axis.barh(places - 0.2, own, 0.38, color=BLUE, label="the bot")
    axis.barh(places + 0.2, best, 0.38, color=GREY, label="best response")
    axis.set_yticks(places, [visible(name) for name in names])
    axis.invert_yaxis()
    axis.set_xlabel("KPI payoff a round")
    axis.legend(frameon=False, fontsize=8)
    return _png(figure)


def _answer(exam: Exam, name: str) -> bytes:
    figure, axes = new_figure(1, 7.0)
    own, rounds = exam.answers[name], np.arange(SHOWN_ROUNDS)
    axes[0].plot(rounds, own.rival, "o--", color=GREY, label="the rival that leaves")
    axes[0].plot(rounds, own.bot, "o-", color=RED, label="the bot")
    axes[0].axhline(0.0, color=GREY, linewidth=0.7)
    axes[0].set_xlabel("round (1: the deviation)")
    axes[0].set_ylabel("conduct, less the path's, as a share of it")
    axes[0].legend(frameon=False, fontsize=8)
    return _png(figure)


def _policy(exam: Exam) -> bytes:
    figure, axes = new_figure(1, 7.0)
    axes[0].grid(visible=False)
    shown = axes[0].imshow(exam.table, aspect="auto", cmap="Blues", vmin=0.0, vmax=1.0)
    axes[0].set_xlabel("action")
    axes[0].set_ylabel("observation")
    figure.colorbar(shown, label="probability")
    return _png(figure)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    save(figure, buffer, format="png", dpi=DPI)
    return buffer.getvalue()
