"""The engine `processes`: worker processes on this machine, one thread each.

Each takes one cell after the other. A process that is killed is replaced, and its cell goes on from
its last save; a cell whose processes end twice without an answer has failed.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from tacit.training.runs.runner import Interrupted
from tacit.training.runs.signals import stopping_on_signals
from tacit.training.storage.machine import workers
from tacit.training.worker_process import RUNS, close_worker, start_worker

from .cell import CellOutcome
from .engine import SweepListener
from .plan import SweepPlan
from .sweep_folder import SweepFolder

WORKER = (*RUNS, "tacit.training.sweep.worker")
MOST_ENDS = 2  # processes that may end without an answer until their cell has failed


class Processes:
    """Trains cells in processes side by side.

    Attributes:
        count: of processes.
    """

    def __init__(self, count: int | None = None) -> None:
        """An engine of so many processes; by default one for each core of this process."""
        self.count = count or workers()

    def train(
        self, folder: SweepFolder, plan: SweepPlan, cells: Iterable[int], listener: SweepListener
    ) -> None:
        """`SweepEngine.train`.

        Raises:
            Interrupted: stopped by a signal; what was trained is kept.
        """
        pool = _Pool(folder, plan, iter(cells), listener)
        try:
            with stopping_on_signals(), ThreadPoolExecutor(self.count) as threads:
                try:
                    futures = [threads.submit(pool.work) for _ in range(self.count)]
                    for future in as_completed(futures):
                        future.result()
                except BaseException:
                    # First the processes, so that the threads which wait for them can end.
                    pool.stop()
                    threads.shutdown(wait=True, cancel_futures=True)
                    raise
        except KeyboardInterrupt as error:
            raise Interrupted(folder.path.name, getattr(error, "exit_code", 130)) from None


class _Pool:
    """Worker processes, one for each thread that calls `work`."""

    def __init__(
        self, folder: SweepFolder, plan: SweepPlan, cells: Iterator[int], listener: SweepListener
    ) -> None:
        self._folder, self._plan, self._cells, self._listener = folder, plan, cells, listener
        self._lock = threading.Lock()  # of the cells and of the set of processes
        self._running: set[subprocess.Popen[str]] = set()
        self._is_stopped = False

    def work(self) -> None:
        """Train cells in a process until there are none."""
        process: subprocess.Popen[str] | None = None
        try:
            while (k := self._next()) is not None:
                for attempt in range(MOST_ENDS):
                    process = process or self._start()
                    if process is None:
                        return
                    outcome = self._ask(process, k)
                    if outcome is not None:
                        self._listener.ended(outcome)
                        break
                    code = self._end(process)
                    process = None
                    if self._is_stopped:
                        return
                    text = f"its process ended with exit code {code}"
                    if attempt + 1 < MOST_ENDS:
                        self._listener.note(f"cell {k}: {text}; another one goes on with it")
                    else:
                        self._folder.mark_failed(self._plan, k, f"{text}, for the second time\n")
                        self._listener.ended(CellOutcome(k, text))
        finally:
            if process is not None:
                self._end(process)

    def _next(self) -> int | None:
        """The next cell; None if there is none, or none is to be begun."""
        with self._lock:
            return None if self._is_stopped else next(self._cells, None)

    def _ask(self, process: subprocess.Popen[str], k: int) -> CellOutcome | None:
        """Have a process train a cell; None if it ended without an answer."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{k}\n")
            process.stdin.flush()
        except BrokenPipeError:
            return None
        for line in process.stdout:
            if not line.endswith("\n"):
                return None  # it was killed while it wrote
            message = json.loads(line)
            if "share" not in message:
                return CellOutcome(k, message["failure"], message["is_elsewhere"])
            self._listener.share(k, message["share"])
        return None

    def _start(self) -> subprocess.Popen[str] | None:
        """A new process; None once they are stopped."""
        with self._lock:
            if self._is_stopped:
                return None
            process = start_worker([*WORKER, str(self._folder.path)], TACIT_THREADS="1")
            self._running.add(process)
            return process

    def _end(self, process: subprocess.Popen[str]) -> int:
        """Close a process and wait for its end; returns its exit code."""
        code = close_worker(process)
        with self._lock:
            self._running.discard(process)
        return code

    def stop(self) -> None:
        """Let all processes save what is under way, and end."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                process.terminate()
