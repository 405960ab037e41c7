"""The engine `ray`: cells as tasks of a Ray cluster, which this process starts or joins.

Ray sends arguments and answers over its own connections, in its own form (a pickle in memory);
nothing of tacit is read from a pickle on a disk. Where all machines see the sweep's folder (the
default, and always so on one machine) tasks write their cells there, and a cell whose worker was
killed goes on from its last save. With `is_shared=False` a task trains in a folder of its own
machine, and its files come back as the answer: after a kill, the cell begins again.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import hand_over, load_plugins
from tacit.training.config.files import read_yaml
from tacit.training.runs.runner import Interrupted
from tacit.training.runs.signals import stopping_on_signals
from tacit.training.storage.atomic_files import write_atomically

from .cell import CellOutcome, train_cell
from .engine import SweepListener
from .plan import SweepPlan, plan_from
from .sweep_folder import DONE, FAILED, SweepFolder

AHEAD = 2  # tasks for each processor that are handed to Ray at a time, so that memory stays flat
RETRIES = 3  # of a task whose worker was killed
PATIENCE = 5.0  # seconds for an address to answer
LOOK = 0.5  # seconds between two looks at tasks, so that Ctrl-C is noticed
SILENCES = 6  # looks in a row at which the cluster's head does not answer until it counts as ended

Files = dict[str, bytes]  # the files of a cell by their path within it


class RayCluster:
    """Trains cells on a Ray cluster.

    Attributes:
        address: of the cluster, `host:port`, `ray://host:port` or `auto`; None: one is started on
            this machine for the length of the sweep.
        count: processors of a cluster that is started.
        is_shared: whether all machines see the sweep's folder.
    """

    def __init__(
        self, address: str | None = None, count: int | None = None, is_shared: bool = True
    ) -> None:
        self.address, self.count, self.is_shared = address, count, is_shared

    def train(
        self, folder: SweepFolder, plan: SweepPlan, cells: Iterable[int], listener: SweepListener
    ) -> None:
        """`SweepEngine.train`.

        Raises:
            ConfigError: there is no cluster to be had.
            Interrupted: stopped by a signal; what was trained is kept.
        """
        ray = self._connect()
        try:
            with stopping_on_signals():
                self._train(ray, folder, plan, cells, listener)
        except KeyboardInterrupt as error:
            raise Interrupted(folder.path.name, getattr(error, "exit_code", 130)) from None
        finally:
            ray.shutdown()

    def _connect(self) -> Any:
        """Ray, connected.

        Raises:
            ConfigError: it is not installed, nothing answers, or what answers is of another
                version.
        """
        # Ray would report its use to its makers: no network but the address that the user names.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        with showing_token() if self.address else nullcontext():
            return self._init()

    def _init(self) -> Any:
        try:
            import ray
        except ImportError:
            raise ConfigError(
                "--engine ray: Ray is not installed: pip install 'tacit[ray]'."
            ) from None
        check_address(self.address)
        environment = {"TACIT_THREADS": "1", **hand_over()}
        for name in ("TACIT_CACHE", "TACIT_PLUGINS"):
            if value := os.environ.get(name):
                environment[name] = value
        own: dict[str, Any] = {} if self.address else {"num_cpus": self.count}
        if not self.address:
            own |= {"include_dashboard": False}
        try:
            ray.init(
                address=self.address, log_to_driver=False, configure_logging=False,
                runtime_env={"env_vars": environment}, **own,
            )  # fmt: skip
        except Exception as error:  # its own errors, RuntimeError for another version, gRPC's
            told = " ".join(str(error).split())[:300]
            where = self.address or "this machine"
            advice = (
                " If it asks for a token, say where that stands: RAY_AUTH_TOKEN_PATH=FILE."
                if self.address and not has_token()
                else ""
            )
            raise ConfigError(f"--engine ray: no cluster at {where}: {told}{advice}") from None
        return ray

    def _train(
        self,
        ray: Any,
        folder: SweepFolder,
        plan: SweepPlan,
        cells: Iterable[int],
        listener: SweepListener,
    ) -> None:
        processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
        head = ray.get_runtime_context().gcs_address
        silences = 0
        raw = read_yaml(folder.experiment_file(plan))
        if self.is_shared:
            task = ray.remote(num_cpus=1, max_retries=RETRIES)(train_shared)
            first: tuple[Any, ...] = (str(folder.path.resolve()),)
        else:
            task = ray.remote(num_cpus=1, max_retries=RETRIES)(train_on_node)
            first = (ray.put(plan.plain()), ray.put(raw))
        waiting, running = iter(cells), dict[Any, int]()
        while True:
            while len(running) < AHEAD * processors and (k := next(waiting, None)) is not None:
                running[task.remote(*first, k)] = k
            if not running:
                return
            ready, _ = ray.wait(list(running), num_returns=1, timeout=LOOK)
            # Without its head Ray would end this process itself after a minute, without a word of
            # what is kept.
            silences = 0 if ready or answers(head) else silences + 1
            if silences == SILENCES:
                raise ConfigError(
                    f"--engine ray: the cluster at {head} has ended. What was trained is kept; "
                    "the same command goes on."
                )
            for reference in ready:
                listener.ended(self._outcome(ray, folder, plan, reference, running.pop(reference)))

    def _outcome(
        self, ray: Any, folder: SweepFolder, plan: SweepPlan, reference: Any, k: int
    ) -> CellOutcome:
        """What a task answers, its files written."""
        try:
            answer = ray.get(reference)
        except ray.exceptions.RayError as error:
            line = " ".join(str(error).split())[:300]
            folder.mark_failed(plan, k, f"{error}\n")
            return CellOutcome(k, line)
        if not self.is_shared:
            write_files(folder.cell(plan, k).path, answer["files"])
        return CellOutcome(k, answer["failure"], answer["is_elsewhere"])


def check_address(address: str | None) -> None:
    """Check that something listens at the address of a cluster; Ray itself waits for minutes.

    Raises:
        ConfigError: nothing does, or it is no address.
    """
    if address in (None, "auto", "local"):
        return
    host, _, port = str(address).removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"--address: must be host:port, ray://host:port or auto, got {address}.")
    try:
        connect(host, port)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--address: nothing answers at {address}: {error}.") from None


def has_token() -> bool:
    """Whether there is a token for clusters that ask for one, where Ray looks for it."""
    named = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray" / "auth_token").exists()


@contextmanager
def showing_token() -> Iterator[None]:
    """Have Ray show its token to a cluster that it joins, where there is one.

    Clusters ask for it by default, but Ray shows it only when told, which it reads as it is
    imported.
    """
    if not has_token() or "RAY_AUTH_MODE" in os.environ:
        yield
        return
    os.environ["RAY_AUTH_MODE"] = "token"
    try:
        yield
    finally:
        del os.environ["RAY_AUTH_MODE"]


def connect(host: str, port: str) -> None:
    """Open a connection and close it.

    Raises:
        OSError, OverflowError: nothing answers, or there is no such port.
    """
    socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


def answers(address: str) -> bool:
    """Whether something listens at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        connect(host, port)
    except OSError:
        return False
    return True


# --- what runs on the cluster ---------------------------------------------------------------------


def train_shared(path: str, k: int) -> dict[str, Any]:
    """Train cell k of the sweep in a folder that this machine sees."""
    load_plugins()
    folder = SweepFolder(Path(path))
    outcome = train_cell(folder, folder.read_plan(), k, lambda share: None)
    return {"failure": outcome.failure, "is_elsewhere": outcome.is_elsewhere}


def train_on_node(plain: Mapping[str, Any], raw: dict[str, Any], k: int) -> dict[str, Any]:
    """Train cell k in a folder of this machine, and answer with its files."""
    load_plugins()
    plan = plan_from(plain, "the plan")
    with tempfile.TemporaryDirectory(prefix="tacit-cell-") as path:
        folder = SweepFolder(Path(path))
        folder.write_plan(plan, raw)
        outcome = train_cell(folder, plan, k, lambda share: None)
        files = read_files(folder.cell(plan, k).path)
    return {"failure": outcome.failure, "is_elsewhere": outcome.is_elsewhere, "files": files}


def read_files(cell: Path) -> Files:
    """The files of a cell, locks apart."""
    return {
        str(path.relative_to(cell)): path.read_bytes()
        for path in sorted(cell.rglob("*"))
        if path.is_file() and ".locks" not in path.parts
    }


def write_files(cell: Path, files: Files) -> None:
    """Write the files of a cell; what says that it is done is written last.

    Raises:
        ConfigError: a path that leads out of the cell's folder, or the system refuses.
    """
    for name in sorted(files, key=lambda name: (name == DONE, name)):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ConfigError(f"{cell}: {name!r} leads out of the cell's folder.")
        write_atomically(cell / name, files[name])
    if DONE in files:
        (cell / FAILED).unlink(missing_ok=True)
