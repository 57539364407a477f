"""One epoch in PyTorch: a hand-written loop over index slices of tensors already in memory.

As its documentation advises for a small net in memory: no DataLoader, gradients set to None,
nothing read back inside the epoch, Adam's fused kernel, denormals flushed (the moments of pixels
that are nearly always black decay into them: 1.2 s an epoch of 32 instead of 1.6). Compiled or not,
the faster is the peer: `--compile`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from _side import BETA_1, BETA_2, DENSE, EPSILON, FILTERS, LEARNING_RATE, SIZES, arguments, load, report, timed
from torch import Tensor, nn


def started(part: nn.Module) -> nn.Module:
    """The same with Keras's initial weights."""
    nn.init.xavier_uniform_(part.weight)
    nn.init.zeros_(part.bias)
    return part


def mlp() -> nn.Sequential:
    """The course's network."""
    parts: list[nn.Module] = []
    for inputs, outputs in zip(SIZES, SIZES[1:], strict=False):
        parts += [started(nn.Linear(inputs, outputs)), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def cnn() -> nn.Sequential:
    """The small convolutional net."""
    parts: list[nn.Module] = [nn.Unflatten(1, (1, 28, 28))]
    for inputs, outputs in zip((1, *FILTERS), FILTERS, strict=False):
        parts += [started(nn.Conv2d(inputs, outputs, 3)), nn.ReLU(), nn.MaxPool2d(2)]
    ends = [started(nn.Linear(FILTERS[-1] * 25, DENSE)), nn.ReLU(), started(nn.Linear(DENSE, SIZES[-1]))]
    return nn.Sequential(*parts, nn.Flatten(), *ends)


def stepper(model: nn.Module, compiled: bool, plain: bool) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """One training step, (rows, labels) -> (loss, right answers), its gradients compiled if asked."""
    criterion = nn.CrossEntropyLoss()
    adam = torch.optim.Adam(model.parameters(), LEARNING_RATE, (BETA_1, BETA_2), EPSILON, fused=None if plain else True)

    def gradients(rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        scores = model(rows)
        loss = criterion(scores, labels)
        return loss, (scores.argmax(1) == labels).sum()

    forward = torch.compile(gradients) if compiled else gradients

    def step(rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        adam.zero_grad(set_to_none=True)
        loss, right = forward(rows, labels)
        loss.backward()
        adam.step()
        return loss.detach(), right

    return step


def main() -> None:
    """Train and report."""
    parser = arguments(__doc__)
    parser.add_argument("--compile", action="store_true", help="torch.compile the forward and backward pass")
    parser.add_argument(
        "--plain", action="store_true", help="as people write it: Adam's default kernel, denormals kept"
    )
    parser.add_argument("--channels-last", action="store_true", help="kernels and images with their channels last")
    parser.add_argument("--threads", type=int, help="threads inside an operation; PyTorch's own choice by default")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_flush_denormal(not options.plain)
    torch.manual_seed(0)
    x, y = load(options.data)
    rows, labels = torch.from_numpy(x), torch.from_numpy(y).long()
    model = {"mlp": mlp, "cnn": cnn}[options.network]()
    if options.channels_last:
        model = model.to(memory_format=torch.channels_last)
    step = stepper(model, options.compile, options.plain)

    def epoch() -> float:
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
        for batch in torch.randperm(len(rows)).split(options.batch_size):
            loss, hits = step(rows.index_select(0, batch), labels.index_select(0, batch))
            total += loss * len(batch)
            right += hits
        return float(total) / len(rows)

    seconds, loss = timed(epoch, options.epochs)
    report(
        f"pytorch{'-compile' if options.compile else ''}{'-plain' if options.plain else ''}", seconds, loss, ("torch",)
    )


if __name__ == "__main__":
    main()
