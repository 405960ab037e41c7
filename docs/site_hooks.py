"""What the site has beyond docs/: a reference made from docstrings, and pages of the repository.

The reference has a page for every package; mkdocstrings reads the docstrings of its modules.

Documents link to tables of reproductions, benchmarks and READMEs where they lie in the repository,
so that the links work there too. In the site these files stand under `repository/`, and links to
them are turned accordingly; a link to any other file of the repository becomes its bare text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
HOME = "repository"
FOLDERS = ("envs", "agents", "emergence", "oversight", "training")
PATTERNS = (
    "*.md",
    "results/reference/*.md",
    "results/reference/*/*.md",
    "results/reference/*/*.png",
    "results/reference/phase/*/*.md",
    "results/reference/phase/*/*.png",
    "benchmarks/*.md",
    *(f"{folder}/README.md" for folder in ("agents", "configs", "emergence", "envs", "facade")),
    *(
        f"{folder}/README.md"
        for folder in ("examples", "oversight", "results", "tests", "training")
    ),
)
LINK = re.compile(r"(?<!`)(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def shown() -> dict[str, str]:
    """Repository path -> path in the site, of every file that is taken in."""
    paths = sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)})
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    return {name: f"{HOME}/{name}" for name in names}


def reference() -> dict[str, str]:
    """Site path -> text of the pages of the reference, a page a package."""
    packages: dict[str, list[str]] = {"tacit": ["tacit"]}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = ("tacit", *path.relative_to(ROOT).with_suffix("").parts)
            if parts[-1] != "__init__":
                packages.setdefault(".".join(parts[:-1]), []).append(".".join(parts))
    pages = {
        f"api/{package}.md": "\n\n".join([f"# {package}", *(f"::: {m}" for m in modules)]) + "\n"
        for package, modules in packages.items()
    }
    rows = [
        f"| [`{package}`]({package}.md) | {', '.join(m.rpartition('.')[2] for m in modules)} |"
        for package, modules in packages.items()
    ]
    head = "# Reference\n\nMade from the docstrings.\n\n| package | modules |\n|---|---|\n"
    return {"api/README.md": head + "\n".join(rows) + "\n", **pages}


def on_files(files: Any, config: Any) -> Any:
    """Add the reference and the repository's files to those of docs/."""
    for target, text in reference().items():
        files.append(File.generated(config, target, content=text))
    for name, target in shown().items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links that lead out of docs/, or from the repository's pages into it."""
    source = page.file.src_uri
    inside = source.startswith(f"{HOME}/")
    here = source.removeprefix(f"{HOME}/") if inside else f"docs/{source}"
    known = shown()

    def turned(match: re.Match[str]) -> str:
        mark, text, target, anchor = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        there = os.path.normpath(os.path.join(os.path.dirname(here), target)).replace(os.sep, "/")
        if there.startswith("docs/"):
            found = there.removeprefix("docs/")
        elif there in known:
            found = known[there]
        elif f"{there}/README.md" in known:
            found = known[f"{there}/README.md"]
        else:
            return text if not mark else match[0]
        if not (ROOT / there).exists():
            return match[0]  # the strict build reports it
        relative = os.path.relpath(found, os.path.dirname(source)).replace(os.sep, "/")
        return f"{mark}[{text}]({relative}{anchor or ''})"

    return LINK.sub(turned, markdown)
