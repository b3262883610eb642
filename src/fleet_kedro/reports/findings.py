"""What the gate has found, in a few lines."""

import pandas as pd

from fleet_kedro.market.gate import DROPPED, describe

MOST_LINES = 12


def finding_lines(findings: pd.DataFrame) -> list[str]:
    """Sum up the findings by rule, and name the first ones of those that are dirt."""
    if findings.empty:
        return ["Gate: every candle keeps every rule."]
    counts = findings.groupby("rule")["rows"].agg(["size", "sum"])
    summed = ", ".join(
        f"{rule} {size:,} ({rows:,} h)"
        for rule, size, rows in counts.itertuples(name=None)
    )
    dirt = findings.loc[findings["action"] == DROPPED]
    named = [
        f"  {describe(finding)}" for _, finding in dirt.head(MOST_LINES).iterrows()
    ]
    more = [f"  and {len(dirt) - MOST_LINES} more"] if len(dirt) > MOST_LINES else []
    return [f"Gate: {summed}.", *named, *more]
