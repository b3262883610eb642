"""A model card as Markdown, for people."""

from collections.abc import Iterable, Mapping, Sequence

from fleet_kedro.market.moment import show
from fleet_kedro.store.canonical import compact
from fleet_kedro.store.card import CardVerdict, Metric, ModelCard, Unit

_PER_FRACTION: dict[Unit, tuple[float, str]] = {
    "percent": (100.0, " %"),
    "points": (100.0, " points"),
    "basis points": (10_000.0, " bp"),
    "dollars": (1.0, " $"),
    "number": (1.0, ""),
}
_DIGITS = 4


def card_page(card: ModelCard) -> str:
    """Return the whole card; the same card gives the same text."""
    parts = [
        f"# {card.name}",
        _table(("", ""), _facts(card)),
        "## Scores out of sample, beside no skill",
        _metrics(card.metrics),
        "## Verdict",
        _verdict(card.verdict),
        "## Parameters",
        _table(("parameter", "value"), _flat(card.parameters)),
        "## Libraries",
        _table(("library", "version"), sorted(card.libraries.items())),
        "## Files",
        _table(
            ("file", "bytes"),
            [(file.name, f"{file.size_bytes:,}") for file in card.files],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def metric_words(metric: Metric) -> str:
    """Say a metric in a line: ``rmse_1h 0.36 % (zero forecast 0.36 %)``."""
    return (
        f"{metric.name} {in_unit(metric.value, metric.unit)} "
        f"({metric.null_name} {in_unit(metric.null, metric.unit)})"
    )


def in_unit(value: float | None, unit: Unit) -> str:
    """Write a number the way people say it; a dash for what was not measured."""
    if value is None:
        return "-"
    factor, sign = _PER_FRACTION[unit]
    return f"{value * factor:.{_DIGITS}g}{sign}"


def _facts(card: ModelCard) -> list[tuple[str, str]]:
    data = card.data
    return [
        ("kind", card.kind),
        ("assets", ", ".join(card.assets)),
        ("trained on", f"{data.rows:,} rows of {data.source}"),
        ("window", f"{show(data.start)} to {show(data.end)} UTC"),
        ("data", f"sha256 {data.sha256}"),
        ("folds scored", f"{card.folds}" if card.folds else "never scored"),
        (
            "trials before it",
            "not counted" if card.trials is None else f"{card.trials}",
        ),
        ("learnt numbers", f"{card.n_parameters:,}"),
        ("size", f"{card.size_bytes:,} bytes"),
    ]


def _metrics(metrics: Sequence[Metric]) -> str:
    if not metrics:
        return "It was never scored."
    rows = [
        (
            metric.name,
            in_unit(metric.value, metric.unit),
            _interval(metric),
            in_unit(metric.null, metric.unit),
            metric.null_name,
        )
        for metric in metrics
    ]
    return _table(("metric", "value", "interval", "without skill", "which is"), rows)


def _interval(metric: Metric) -> str:
    if metric.low is None and metric.high is None:
        return ""
    ends = (in_unit(end, metric.unit) for end in (metric.low, metric.high))
    return " to ".join(ends)


def _verdict(verdict: CardVerdict | None) -> str:
    if verdict is None:
        return "None was given."
    rows = [
        (
            each.name,
            in_unit(each.value, each.unit),
            in_unit(each.bound, each.unit),
            "pass" if each.passed else "FAIL",
            each.detail,
        )
        for each in verdict.criteria
    ]
    table = _table(("criterion", "measured", "bound", "", "detail"), rows)
    return f"**{'PASS' if verdict.passed else 'FAIL'}**\n\n{table}"


def _flat(parameters: Mapping[str, object]) -> list[tuple[str, str]]:
    """Name a value inside blocks by its path: ``network.width``."""
    rows: list[tuple[str, str]] = []
    for key, value in sorted(parameters.items()):
        if isinstance(value, dict) and value:
            rows += [(f"{key}.{name}", text) for name, text in _flat(value)]
        else:
            text = value if isinstance(value, str) else compact(value).decode("ascii")
            rows.append((key, text))
    return rows


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Keep a text inside its cell."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
