"""Measure every budget, and the peers beside it: ``python -m bench`` or ``make bench``.

With ``FLEET_MARKET_DIR`` set, the reference window of real candles is worked on;
without it, a synthetic fleet of the same size.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import suite
from bench.report import as_markdown, as_records

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write it down beside its JSON."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each budget")
    parser.add_argument("--only", nargs="*", help="names of budgets or peers")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    parser.add_argument(
        "--peers-python",
        help="an interpreter with tsfresh and pyarrow; without it that peer is skipped",
    )
    options = parser.parse_args(arguments)
    real = bool(os.environ.get("FLEET_MARKET_DIR"))
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
        rows = suite.measure_all(Path(folder), real=real, options=options)
    table = as_markdown(rows, real=real, runs=options.runs)
    print(table)
    (options.out / "RESULTS.md").write_text(table)
    results = json.dumps(as_records(rows, real=real), indent=2) + "\n"
    (options.out / "results.json").write_text(results)


if __name__ == "__main__":
    main()
