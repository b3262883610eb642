"""What is asked of a model before it may serve."""

from fleet_kedro.store.card import ModelCard


def objections(card: ModelCard) -> tuple[str, ...]:
    """Say what keeps a model from being promoted; nothing for one that may be."""
    return (*_missing(card), *_failing(card))


def _missing(card: ModelCard) -> list[str]:
    """Name what a complete card has and this one has not."""
    asked = {
        "no libraries": bool(card.libraries),
        "no parameters": bool(card.parameters),
        "no scored folds": card.folds > 0,
        "no metrics": bool(card.metrics),
        "the number of trials was not counted": card.trials is not None,
        "no verdict": card.verdict is not None,
        "no files": bool(card.files),
    }
    unmeasured = [
        f"metric {metric.name} or its null has no value"
        for metric in card.metrics
        if metric.value is None or metric.null is None
    ]
    return [name for name, is_there in asked.items() if not is_there] + unmeasured


def _failing(card: ModelCard) -> list[str]:
    if card.verdict is None:
        return []
    return [
        f"the verdict fails: {criterion.name}"
        for criterion in card.verdict.criteria
        if not criterion.passed
    ]
