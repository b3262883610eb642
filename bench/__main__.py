"""Measure every budget, and the peers beside it: ``python -m bench`` or ``make bench``.

With ``FLEET_MARKET_DIR`` set, the reference window of real candles is worked on;
without it, a synthetic fleet of the same size. How often a part runs is in
``suite.RUNS``; all of them together take about twelve minutes on two cores.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import suite
from bench.report import Records, as_markdown, as_records, merged

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write it down beside its JSON."""
    options = _parser().parse_args(arguments)
    real = bool(os.environ.get("FLEET_MARKET_DIR"))
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
        rows, failed = suite.measure_all(Path(folder), real=real, options=options)
    measured = as_records(rows, real=real)
    print(as_markdown(measured))
    _keep(measured, options.out)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def _keep(measured: Records, folder: Path) -> None:
    """Write down what was measured, among what was measured before."""
    results = folder / "results.json"
    if results.exists():
        measured = merged(json.loads(results.read_text()), measured)
    results.write_text(json.dumps(measured, indent=2) + "\n")
    (folder / "RESULTS.md").write_text(as_markdown(measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    usual = ", ".join(f"{name} {runs}" for name, runs in suite.RUNS.items())
    parser.add_argument("--runs", type=int, help=f"runs of each part; else {usual}")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*suite.RUNS, *suite.ON_REQUEST],
        help="some parts only",
    )
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    parser.add_argument(
        "--peers-python",
        help="an interpreter with tsfresh and pyarrow; without it that peer is skipped",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
