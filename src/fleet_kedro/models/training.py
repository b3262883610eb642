"""The one training loop of every torch model.

A model is a formula (``nn.Module``), a loss says how wrong each row is, and this loop
does the rest: AdamW (Loshchilov and Hutter 2019), clipped gradients, early stopping on
rows that the caller set aside in time, and the best weights at the end.

Same settings, same rows, same bytes on a CPU: rows are shuffled by a generator of the
loop's own, dropout draws from a forked global stream that the caller gets back as it
was, and the number of threads is a setting, because a sum split over threads rounds
differently.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from pydantic import Field
from torch import Tensor, nn

from fleet_kedro.config import Config

RowLoss = Callable[[Any, Shaped[Tensor, "rows ..."]], Float[Tensor, " rows"]]
"""(what the module returned, target) -> how wrong each row is."""

_EVALUATION_ROWS = 8192


class TrainingSettings(Config):
    """How long, how fast and where a module learns."""

    epochs: int = Field(default=8, ge=1, description="Most passes; fewer if stopped.")
    batch_size: int = Field(default=1024, ge=1, description="Rows of one step.")
    rows_per_epoch: int | None = Field(
        default=None, ge=1, description="Rows drawn for each pass; all where none."
    )
    learning_rate: float = Field(default=2e-3, gt=0, description="AdamW's step.")
    weight_decay: float = Field(default=1e-2, ge=0, description="AdamW's decay.")
    patience: int = Field(
        default=2, ge=1, description="Passes without a better validation loss."
    )
    gradient_clip: float = Field(
        default=1.0, gt=0, description="Largest norm of a step's gradient."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: CUDA where there is one."
    )
    threads: int = Field(
        default=1,
        ge=1,
        description="CPU threads; they change the rounding, and rarely pay here.",
    )
    seed: int = Field(default=0, ge=0, description="Initial weights, order, dropout.")


class Rows(NamedTuple):
    """Rows to learn from or to be judged on, all on the CPU."""

    inputs: Shaped[Tensor, "rows ..."]
    target: Shaped[Tensor, "rows ..."]
    weight: Float[Tensor, " rows"]

    def to(self, device: torch.device) -> "Rows":
        """Put the rows on ``device``."""
        return Rows(*(part.to(device) for part in self))

    def pick(self, rows: Int[Tensor, " picked"] | slice) -> "Rows":
        """Take some of the rows."""
        return Rows(*(part[rows] for part in self))


class InnerSplit(NamedTuple):
    """What the loop learns from, and the later rows that tell it when to stop."""

    training: Rows
    validation: Rows | None = None


class EpochRecord(NamedTuple):
    """Weighted mean losses of one pass; epoch 0 is the module before any step."""

    epoch: int
    training_loss: float | None
    validation_loss: float | None


class TrainingHistory(NamedTuple):
    """Every pass, and the one whose weights the module carries now."""

    records: tuple[EpochRecord, ...]
    best_epoch: int


def train(
    module: nn.Module,
    row_loss: RowLoss,
    rows: InnerSplit,
    settings: TrainingSettings,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> TrainingHistory:
    """Fit ``module`` in place and leave it on the CPU, in evaluation mode.

    The loss of a step is ``Σ w ℓ / Σ w`` over its rows. With validation rows the module
    ends with the weights of the epoch that judged them best; epoch 0, the weights it
    came with, is a candidate, so a module that finds nothing stays what it was. Without
    them every epoch runs and the last weights stay.

    Parameters
    ----------
    module
        Called with a batch of inputs; whatever it returns goes to ``row_loss``.
    row_loss
        Gives one loss for each row.
    rows
        Training rows, and validation rows that the caller purged and ordered in time.
    settings
        The loop's own numbers.
    on_epoch
        Called after each record, for a progress bar.
    """
    device = _device(settings)
    with _isolated(settings):
        training, validation = _placed(rows, device)
        module.to(device)
        loop = _Loop(module, row_loss, settings, device)
        history = loop.run(training, validation, on_epoch)
        module.to("cpu").eval()
    return history


@torch.inference_mode()
def predict(
    module: nn.Module, inputs: Shaped[Tensor, "rows ..."], settings: TrainingSettings
) -> Float[Tensor, "rows ..."]:
    """Ask a trained module of one output, batch by batch; the answer is on the CPU."""
    device = _device(settings)
    with _isolated(settings):
        module.to(device).eval()
        parts = [
            module(inputs[span].to(device)).float().cpu()
            for span in _spans(len(inputs), _EVALUATION_ROWS)
        ]
        module.to("cpu")
    return torch.cat(parts)


class _Loop:
    """One run: the module, its optimiser, and the order of the rows."""

    def __init__(
        self,
        module: nn.Module,
        row_loss: RowLoss,
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        self.module = module
        self.row_loss = row_loss
        self.settings = settings
        self.device = device
        self.order = torch.Generator().manual_seed(settings.seed)
        self.optimiser = torch.optim.AdamW(
            module.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )

    def run(
        self,
        training: Rows,
        validation: Rows | None,
        on_epoch: Callable[[EpochRecord], None] | None,
    ) -> TrainingHistory:
        records: list[EpochRecord] = []
        best_epoch, best_loss, best_weights = 0, float("inf"), None
        for epoch in range(self.settings.epochs + 1):
            learnt = self._epoch(training) if epoch else None
            judged = self._judge(validation) if validation else None
            records.append(EpochRecord(epoch, learnt, judged))
            if on_epoch is not None:
                on_epoch(records[-1])
            if judged is None:
                best_epoch = epoch
            elif judged < best_loss:
                best_epoch, best_loss = epoch, judged
                best_weights = copy.deepcopy(self.module.state_dict())
            elif epoch - best_epoch >= self.settings.patience:
                break
        if best_weights is not None:
            self.module.load_state_dict(best_weights)
        return TrainingHistory(tuple(records), best_epoch)

    def _epoch(self, training: Rows) -> float:
        """One pass over the drawn rows; their weighted mean loss while it went on."""
        self.module.train()
        order = torch.randperm(len(training.weight), generator=self.order)
        drawn = order[: self.settings.rows_per_epoch].to(self.device)
        # Sums stay on the device: reading one back each step would stall a GPU.
        lost = torch.zeros((), dtype=torch.float64, device=self.device)
        weight = torch.zeros_like(lost)
        for span in _spans(len(drawn), self.settings.batch_size):
            batch = training.pick(drawn[span])
            lost += self._step(batch)
            weight += batch.weight.sum()
        return float(lost / weight)

    def _step(self, batch: Rows) -> Float[Tensor, ""]:
        """Move the weights once; the batch's loss before the move, ``Σ w ℓ``."""
        lost = self._weighted_loss(batch)
        self.optimiser.zero_grad()
        torch.autograd.backward(lost / batch.weight.sum())
        nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.gradient_clip)
        self.optimiser.step()
        return lost.detach()

    @torch.inference_mode()
    def _judge(self, validation: Rows) -> float:
        self.module.eval()
        lost = sum(
            float(self._weighted_loss(validation.pick(span)))
            for span in _spans(len(validation.weight), _EVALUATION_ROWS)
        )
        return lost / float(validation.weight.sum(dtype=torch.float64))

    def _weighted_loss(self, batch: Rows) -> Float[Tensor, ""]:
        with torch.autocast("cuda", torch.bfloat16, enabled=_is_mixed(self.device)):
            output = self.module(batch.inputs)
        return (batch.weight * self.row_loss(output, batch.target)).sum()


def _spans(n_rows: int, size: int) -> list[slice]:
    """Cut ``n_rows`` into runs of ``size``; the last one may be shorter."""
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def _placed(rows: InnerSplit, device: torch.device) -> tuple[Rows, Rows | None]:
    """Put both parts on the device, without the rows of weight zero."""
    return (
        _counting(rows.training, "training").to(device),
        _counting(rows.validation, "validation").to(device)
        if rows.validation is not None
        else None,
    )


def _counting(rows: Rows, part: str) -> Rows:
    counting = torch.nonzero(rows.weight > 0).squeeze(1)
    if len(counting) == 0:
        raise ValueError(
            f"None of the {len(rows.weight)} {part} rows has a positive weight: "
            "give the loop at least one that counts."
        )
    return rows.pick(counting)


def _device(settings: TrainingSettings) -> torch.device:
    has_cuda = torch.cuda.is_available()
    if settings.device == "cuda" and not has_cuda:
        raise ValueError(
            "device is 'cuda', but torch finds no CUDA device: use 'auto' or 'cpu'."
        )
    return torch.device("cuda" if has_cuda and settings.device != "cpu" else "cpu")


def _is_mixed(device: torch.device) -> bool:
    """Use bfloat16 where a card computes in it: half the bytes, no loss scaling."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


@contextmanager
def _isolated(settings: TrainingSettings) -> Iterator[None]:
    """Lend the settings' threads and random stream; give the caller's own back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            yield
    finally:
        torch.set_num_threads(threads)
