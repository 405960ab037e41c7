"""Text that came from a file or a user, on its way to a terminal, to TensorBoard, to a figure."""

from __future__ import annotations

import ast

import pytest
from support.boards import Board
from support.paths import ROOT

from tacit.training.board import EventFile
from tacit.training.board.plot_style import new_figure
from tacit.training.plain_text import say, visible
from tacit.training.show.terminal import TextTable, console

CODES = "\x1b]0;owned\x07\x9b31m\u202egpj"
SHOWN = "\\x1b]0;owned\\x07\\x9b31m\\u202egpj"


@pytest.mark.parametrize(
    "text",
    ["", "plain", "größer than 3 €", "日本語", "a\tb\nc", "a\u00a0b", "[red]not markup[/red]"],
)
def test_what_is_printed_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (CODES, SHOWN),
        ("\r", "\\x0d"),
        ("\0", "\\x00"),
        ("\x7f", "\\x7f"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_steers_is_written_out(text, shown):
    assert visible(text) == shown


def test_lines_and_tables_are_made_visible(capsys):
    say(CODES)
    say(CODES, is_error=True)
    console().print(CODES, soft_wrap=True)
    console().print(TextTable([{f"a{CODES}": CODES}], f"title {CODES}"))
    out, err = capsys.readouterr()
    assert err == f"{SHOWN}\n"
    assert out.count(SHOWN) == 5
    assert not set("\x1b\x07\x9b\u202e") & set(out + err)


def test_pages_of_tensorboard_show_tags_instead_of_following_them(tmp_path):
    with EventFile(tmp_path) as events:
        events.text("question", f"<img src=x onerror=alert(1)> a < b & c {CODES}")
    text = Board(tmp_path).text(".", "question")
    assert text == f"&lt;img src=x onerror=alert(1)&gt; a &lt; b &amp; c {SHOWN}"


def test_a_dollar_sign_in_a_figure_is_a_dollar_sign():
    figure, _ = new_figure(1)
    title = figure.suptitle("$x^$ and \\frac{")
    figure.canvas.draw()  # as a formula it would raise
    assert not title.get_parse_math()


def printing(path) -> list[str]:
    """Where a file calls `print` itself with anything but JSON or YAML, which escape."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            inner = ast.unparse(node.args[0]) if node.args else ""
            if not inner.startswith(("json.dumps(", "dump_yaml(")):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_there_is_one_exit_to_the_terminal():
    files = [path for name in ("training", "oversight") for path in (ROOT / name).rglob("*.py")]
    found = [line for path in files for line in printing(path)]
    assert [line for line in found if not line.startswith("training/plain_text.py")] == []
