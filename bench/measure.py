"""Time and weigh a command as a whole process, as its user would.

The kernel counts a child's peak from the size of the process that starts it, so the
starting one has to stay small: it imports no library and holds no data.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KIBIBYTES_PER_GIBIBYTE = 1024**2


@dataclass(frozen=True)
class Cost:
    """One run: seconds on the clock, and the peak of the resident set in GiB."""

    wall_seconds: float
    peak_gib: float


@dataclass(frozen=True)
class Measurement:
    """Several runs of one command; the median is quoted."""

    runs: tuple[Cost, ...]

    @property
    def wall_seconds(self) -> float:
        """Median seconds on the clock."""
        return statistics.median(run.wall_seconds for run in self.runs)

    @property
    def peak_gib(self) -> float:
        """Median peak of the resident set."""
        return statistics.median(run.peak_gib for run in self.runs)


def in_turn(parts: Sequence[Measurement]) -> Measurement:
    """Add up commands that one runs one after another; the greatest peak counts."""
    return Measurement(
        tuple(
            Cost(sum(c.wall_seconds for c in costs), max(c.peak_gib for c in costs))
            for costs in zip(*(part.runs for part in parts), strict=True)
        )
    )


def measure(
    command: Sequence[str],
    runs: int,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Measurement:
    """Run a command several times; the kernel's account of each child counts.

    Raises
    ------
    RuntimeError
        If a run fails; shows the end of what it printed.
    """
    added = environment or {}
    return Measurement(tuple(_run(command, folder, added) for _ in range(runs)))


def task(name: str, *arguments: object) -> list[str]:
    """Return the command of one of the tasks in this folder."""
    script = Path(__file__).parent / "tasks" / f"{name}.py"
    return [sys.executable, str(script), *(str(argument) for argument in arguments)]


def _run(
    command: Sequence[str], folder: Path | None, environment: Mapping[str, str]
) -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=os.environ | dict(environment),
    )
    printed = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = printed.decode(errors="replace")[-2000:]
        raise RuntimeError(
            f"{' '.join(command)} ended with {process.returncode}:\n{end}"
        )
    return Cost(seconds, usage.ru_maxrss / KIBIBYTES_PER_GIBIBYTE)
