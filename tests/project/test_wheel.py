"""The wheel, not the source folder: built, unpacked, and used from somewhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.paths import ROOT

pytestmark = pytest.mark.slow

HIDDEN = shutil.ignore_patterns("__pycache__")
MAIN = "from tacit.training.cli import main; main()"
CODE = ("facade", "envs", "agents", "emergence", "oversight", "training", "configs")
SMALL = ("train.rounds=20000", "train.measure_last=5000", "seeds=2")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy of the sources, so that nothing is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for folder in CODE:
        shutil.copytree(ROOT / folder, source / folder, ignore=HIDDEN)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (source / "dist").glob("tacit-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment that has the wheel, and everything else from the one that tests run in."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    site = next(home.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    ours = next(p for p in map(Path, sys.path) if p.name == "site-packages")
    (site / "others.pth").write_text(f"{ours}\n")  # (a path: its own .pth files are not run)
    return home


@pytest.fixture
def python(installed, tmp_path):
    """A program with the wheel's `tacit`, in an empty folder."""
    environment = {**os.environ, "TACIT_CACHE": str(installed / "cache")}
    environment.pop("PYTHONPATH", None)

    def run(text, *words):
        command = [installed / "bin/python", "-c", text, *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_wheel_holds_code_and_configs_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    # The folder `facade` is the package `tacit` itself.
    wanted = {
        f"tacit/{path.relative_to(ROOT)}".replace("tacit/facade/", "tacit/")
        for folder in CODE
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".typed", ".j2", ".html", ".css", ".js", ".safetensors")
    }
    assert {name for name in names if ".dist-info/" not in name} == wanted
    text = zipfile.ZipFile(wheel).read(
        next(name for name in names if name.endswith("entry_points.txt"))
    )
    assert b"tacit = tacit.training.cli:main" in text


def test_it_is_the_wheel_that_is_imported(installed, python):
    found = python("import tacit.training.cli as c, tacit.envs as e; print(c.__file__, e.__file__)")
    assert all(path.startswith(str(installed)) for path in found.split())


def test_it_lists_and_trains_away_from_the_sources(python, tmp_path):
    listed = python(MAIN, "list")
    assert all(name in listed for name in ("ad_auction", "calm", "banchio", "volatility_kpi"))
    summary = json.loads(python(MAIN, "train", "ad_auction", *SMALL, "kpi=calm", "--json"))
    assert (summary["market"], summary["seeds"]) == ("ad_auction", 2)
    assert summary["machine"]["versions"]["tacit"]
    assert (tmp_path / "results/ad_auction/base/s1/checkpoint.safetensors").is_file()


def test_markets_register_with_pettingzoo(python):
    seats = python(
        "import pettingzoo, tacit.envs\n"
        "env = pettingzoo.make('parallel', 'tacit/ad_auction-v0', market={'bidders': 3})\n"
        "env.reset(seed=0); print(env.agents)"
    )
    assert seats.strip() == "['bidder_0', 'bidder_1', 'bidder_2']"
