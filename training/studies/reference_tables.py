"""Tables of reproductions as pages: one a reproduction, one that is collected from all, and their
copies in the documents."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from tacit.training.config import files
from tacit.training.config.experiment_file import ExperimentFile, read_experiment_file
from tacit.training.config.references import KINDS, REPRODUCIBLE, SECOND_HAND, Reference
from tacit.training.storage.atomic_files import write_atomically

from .checks import HEAD, YES

Cells = Sequence[Sequence[str]]  # rows of a table, in the order of `HEAD`
KIND, WITHIN = HEAD.index("kind"), HEAD.index("within")

# The README's table of counts stands between these lines.
BEGIN, END = "<!-- counts of references -->", "<!-- end of counts -->"


# --- pages --------------------------------------------------------------------------------------


def table_page(name: str, file: ExperimentFile, cells: Cells, overrides: Sequence[str] = ()) -> str:
    """table.md of one reproduction.

    Args:
        name: of the experiment.
        file: its file.
        cells: the rows of its table, in the order of `HEAD`.
        overrides: settings under which it was made that are not the experiment's own.
    """
    lines = [f"# {name}", "", file.question, ""]
    lines += [f"Source: {file.source}.", ""] if file.source else []
    command = shlex.join(["tacit", "reproduce", name, *overrides])
    lines += [f"Command: `{command}`", "", *_markdown([HEAD, *cells])]
    references = file.all_references(file.arms or ["base"])
    notes = [*source_notes(references), *word_notes(references), *fitted_notes(references)]
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


def collected_page(folder: Path) -> str:
    """table.md over all tables of a folder: counts by kind, then their rows and commands.

    Args:
        folder: what holds them, as `NAME/table.csv`.
    """
    rows, notes = [["experiment", *HEAD, "command"]], []
    for table in _tables(folder):
        name = table.parent.name
        rows += [[name, *row, f"`tacit reproduce {name}`"] for row in read_cells(table)]
        if name in files.names("experiments"):  # a table may be of an experiment file elsewhere
            references = _references(name)
            notes += [f"- `{name}`, {note}" for note in fitted_notes(references)]
    lines = ["# All reproductions", "", *counts_table(folder), ""]
    if notes:
        lines += [f"For {len(notes)} rows something was chosen after a first version had missed; "
                  "what, stands below the table.", ""]  # fmt: skip
    how = "Collected from the tables beside it by `tacit reproduce --list --update-reference`."
    lines += [how, "", *_markdown(rows)]
    lines += ["", *notes] if notes else []
    return "\n".join(lines) + "\n"


def counts_table(folder: Path) -> list[str]:
    """Lines of the table that counts the rows of all tables by the kind of their reference.

    Args:
        folder: what holds the tables, as `NAME/table.csv`.
    """
    cells = [row for table in _tables(folder) for row in read_cells(table)]
    lines = [["reference", "rows", "outcome"]]
    for kind in (*KINDS[:1], f"{KINDS[0]}, {SECOND_HAND}", *KINDS[1:]):
        own = [row for row in cells if row[KIND] == kind]
        if own:
            good = sum(row[WITHIN] == YES for row in own)
            verb = "reproduced" if kind.startswith(REPRODUCIBLE) else "as expected"
            lines.append([kind, str(len(own)), f"{good} {verb}"])
    return _markdown(lines)


def collect_tables(folder: Path) -> None:
    """Write the collected table.md of a folder and the page of each table anew, and the copies in
    the README and the documents of the repository that the folder belongs to, where it has any.

    Args:
        folder: what holds the tables, as `NAME/table.csv`: `results/reference` of a repository.
    """
    repository = folder.parent.parent
    for name in files.names("experiments"):
        table = folder / name / "table.csv"
        if not table.is_file():
            continue
        cells = read_cells(table)
        text = table_page(name, experiment_file(name), cells)
        write_atomically(table.with_suffix(".md"), text.encode())
        for page in repository.glob(f"docs/experiments/**/{name}.md"):
            _rewrite(page, with_table(page.read_text(encoding="utf-8"), cells))
    write_atomically(folder / "table.md", collected_page(folder).encode())
    readme = repository / "README.md"
    if readme.is_file():
        _rewrite(readme, with_counts(readme.read_text(encoding="utf-8"), counts_table(folder)))


def with_table(page: str, cells: Cells) -> str:
    """A document in which the first table with the columns of `HEAD` holds these rows."""
    lines = page.splitlines()
    head = _markdown([HEAD])[0]
    if head not in lines:
        return page
    begin = lines.index(head)
    end = next((k for k in range(begin, len(lines)) if not lines[k].startswith("|")), len(lines))
    return "\n".join([*lines[:begin], *_markdown([HEAD, *cells]), *lines[end:]]) + "\n"


def with_counts(readme: str, counts: Sequence[str]) -> str:
    """A README in which these lines stand between `BEGIN` and `END`; as it was without the two."""
    return with_block(readme, BEGIN, END, "\n".join(counts))


def with_block(page: str, begin: str, end: str, block: str) -> str:
    """A page in which a block stands between two marks; as it was where it lacks one of them.

    Args:
        page: Markdown.
        begin: the mark before the block, a comment on a line of its own.
        end: the mark behind it.
        block: what a command has found.
    """
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{block}\n\n{end}", page)


def _rewrite(path: Path, text: str) -> None:
    if text != path.read_text(encoding="utf-8"):
        write_atomically(path, text.encode())


def _tables(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/table.csv"))


def read_cells(table: Path) -> list[list[str]]:
    """The rows of a table.csv, in the order of `HEAD`, without the head."""
    with table.open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))[1:]


def experiment_file(name: str) -> ExperimentFile:
    """The experiment file of this name.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    return ExperimentFile(**read_experiment_file(files.find(name, ("experiments",), "NAME")))


def _references(name: str) -> list[Reference]:
    file = experiment_file(name)
    return file.all_references(file.arms or ["base"])


# --- what stands below a table --------------------------------------------------------------------


def source_notes(references: Iterable[Reference]) -> list[str]:
    """Where published numbers were published, a line a source with the rows that it has."""
    quantities: dict[str, list[str]] = {}
    for row in references:
        if row.kind == "literature":
            read = f" ({SECOND_HAND})" if row.read == SECOND_HAND else ""
            quantities.setdefault(f"{row.source}{read}", []).append(row.quantity)
    return [f"{source}: {'; '.join(names)}" for source, names in quantities.items()]


def word_notes(references: Iterable[Reference]) -> list[str]:
    """When expected words were written, a line a date."""
    days = dict.fromkeys(row.written for row in references if row.kind == "word" and row.written)
    return [f"words written on {day}, before their writer had seen the run" for day in days]


def fitted_notes(references: Iterable[Reference]) -> list[str]:
    """What was chosen after a first version had missed its reference, a line a reference."""
    fitted = [row for row in references if row.fitted]
    return [f"{row.quantity}: chosen after a miss: {row.fitted}" for row in fitted]


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of a table in Markdown, the first its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
