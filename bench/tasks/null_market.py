"""How often the whole job is fooled by markets on which nothing can be earned.

Every seed is another market without an edge, and a run of ``global_validation`` of its
own, from candles to verdict, with the brain as configured (``conf/null`` makes the
market small). A verdict that passes is wrong. An interval that excludes zero from above
is wrong as often as its tail allows, if it speaks of direction: the lift over the
volatility-only model does. The lift over the base rate need not be a mistake, because a
wild hour clears fixed costs more often than a quiet one, edge or not.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from scipy.stats import binomtest

PROJECT = Path(__file__).parents[2]
SEEDS = 20
PROCESSES = 2
INTERVALS = {
    "lift": "Interval of the lift above zero",
    "lift_over_volatility": "Interval of the lift over the volatility-only model above "
    "zero",
}


class Rejection(NamedTuple):
    """In how many of the markets something was found that is not there.

    ``low`` and ``high`` bound the true share with 95 % confidence (Clopper and Pearson,
    "The use of confidence or fiducial limits", Biometrika 26, 1934). ``nominal`` is the
    share that there should be; None where nothing promises one.
    """

    name: str
    found: int
    markets: int
    low: float
    high: float
    nominal: float | None


def validate(folder: Path, seed: int) -> dict[str, Any]:
    """Run the job on one market, in a copy of the project; return its summary."""
    project = folder / f"market-{seed}"
    project.mkdir()
    shutil.copy(PROJECT / "pyproject.toml", project)
    shutil.copytree(PROJECT / "conf", project / "conf")
    shutil.copytree(PROJECT / "src", project / "src")
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("kedro")),
            *("run", "--pipelines", "global_validation", "--env", "null"),
            *("--to-outputs", "global_validation"),
            *("--params", f"market.source.seed={seed}"),
        ],
        cwd=project,
        env=os.environ | threads | {"DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"seed {seed}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    summary = json.loads(
        (project / "data/08_reporting/global_validation.json").read_text()
    )
    shutil.rmtree(project)
    print(f"seed {seed}: passed {summary['verdict']['passed']}", flush=True)
    return summary


def validate_all(seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Run the job on every market, two at a time; return their summaries."""
    with (
        tempfile.TemporaryDirectory(prefix="fleet-null-") as folder,
        ThreadPoolExecutor(PROCESSES) as pool,
    ):
        return list(pool.map(partial(validate, Path(folder)), seeds))


def count_rejections(summaries: Sequence[dict[str, Any]]) -> list[Rejection]:
    """Count verdicts that pass, criteria that are met and intervals above zero."""
    verdicts = [summary["verdict"] for summary in summaries]
    rows = [_counted("Verdict passed", [verdict["passed"] for verdict in verdicts])]
    for criteria in zip(*(verdict["criteria"] for verdict in verdicts), strict=True):
        met = [criterion["passed"] for criterion in criteria]
        rows.append(_counted(f"Criterion met: {criteria[0]['name']}", met))
    tail = (1 - summaries[0]["facts"]["bootstrap"]["level"]) / 2
    for name, title in INTERVALS.items():
        lows = [summary["overall"][f"{name}_low"] for summary in summaries]
        above = [low is not None and low > 0 for low in lows]
        rows.append(_counted(title, above, round(tail, 9)))
    return rows


def as_markdown(rows: Sequence[Rejection], cpu_seconds: float) -> str:
    """Lay out the counts as a table."""
    lines = [
        "# The null market",
        "",
        f"{rows[0].markets} markets without an edge, each validated from candles to "
        f"verdict in a run of its own; {cpu_seconds:.0f} seconds of one core each. "
        "`python -m bench --only null` counts anew.",
        "",
        "| found | markets | share | 95 % interval | nominal |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        nominal = "" if row.nominal is None else f"{row.nominal:.0%}"
        lines.append(
            f"| {row.name} | {row.found} of {row.markets} "
            f"| {row.found / row.markets:.0%} "
            f"| {row.low:.0%} to {row.high:.0%} | {nominal} |"
        )
    return "\n".join(lines) + "\n"


def as_records(
    rows: Sequence[Rejection],
    summaries: Sequence[dict[str, Any]],
    cpu_seconds: float,
) -> dict[str, Any]:
    """Return the counts, and what was measured on each market, for a machine."""
    return {
        "cpu_seconds_per_market": round(cpu_seconds, 1),
        "rejections": [row._asdict() for row in rows],
        "markets": [
            {
                "source": summary["facts"]["source"],
                "overall": summary["overall"],
                "verdict": summary["verdict"],
            }
            for summary in summaries
        ],
    }


def main(out: Path, n_seeds: int) -> None:
    """Validate every market, and write down what was found."""
    summaries = validate_all(range(n_seeds))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = (children.ru_utime + children.ru_stime) / n_seeds
    rows = count_rejections(summaries)
    table = as_markdown(rows, cpu_seconds)
    print(table)
    (out / "NULL_MARKET.md").write_text(table)
    records = as_records(rows, summaries, cpu_seconds)
    (out / "null_market.json").write_text(json.dumps(records, indent=2) + "\n")


def _counted(
    name: str, found: Sequence[bool], nominal: float | None = None
) -> Rejection:
    share = binomtest(sum(found), len(found)).proportion_ci()
    return Rejection(
        name, sum(found), len(found), float(share.low), float(share.high), nominal
    )


if __name__ == "__main__":
    written_to, *seeds = sys.argv[1:]
    main(Path(written_to), int(seeds[0]) if seeds else SEEDS)
