"""The doctor says nothing about scripts that are right, however they are written."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from playground.lessons.doctor.rules import diagnose
from playground.lessons.doctor.watch import Watch

CLASSES = 4


def points(rows: int = 160) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs (rows, 3), targets (rows, 1) and classes (rows,)."""
    x = torch.randn(rows, 3)
    order = (2 * x[:, 0] + x[:, 1]).argsort().argsort()
    return x, (x[:, :1] ** 2 + x[:, 1:2]) / 2, order * CLASSES // rows


def mlp(outputs: int = CLASSES, *extra: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 24), nn.ReLU(), *extra, nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, outputs))


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def gradients_of_four_batches() -> None:
    x, _, y = points()
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        for batch_x, batch_y in zip(x.chunk(4), y.chunk(4), strict=True):
            (functional.cross_entropy(model(batch_x), batch_y) / 4).backward()
        optimizer.step()
        optimizer.zero_grad()


def a_frozen_body() -> None:
    x, _, y = points()
    body, head = nn.Sequential(nn.Linear(3, 64), nn.Tanh()), nn.Linear(64, CLASSES)
    body.requires_grad_(requires_grad=False)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(150):
        step(optimizer, functional.cross_entropy(head(body(x)), y))


def a_body_under_no_grad() -> None:
    x, _, y = points()
    body, head = nn.Sequential(nn.Linear(3, 64), nn.Tanh()), nn.Linear(64, CLASSES)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(150):
        with torch.no_grad():
            inner = body(x)
        step(optimizer, functional.cross_entropy(head(inner), y))


def by_hand() -> None:
    x, y, _ = points()
    w, b = torch.zeros(3, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    for _ in range(150):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for each in (w, b):
                assert each.grad is not None
                each -= 0.1 * each.grad
                each.grad = None


def log_softmax_and_nll() -> None:
    x, _, y = points()
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(optimizer, functional.nll_loss(functional.log_softmax(model(x), dim=1), y))


def one_logit() -> None:
    x, _, y = points()
    target = (y > 1).float().unsqueeze(1)
    model = mlp(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(optimizer, functional.binary_cross_entropy_with_logits(model(x), target))


def weighted_classes() -> None:
    x, _, y = points()
    y = (y > 2).long()
    model = mlp(2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(optimizer, functional.cross_entropy(model(x), y, weight=torch.tensor([1.0, 3.0])))


def smoothed_labels() -> None:
    x, _, y = points()
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(optimizer, functional.cross_entropy(model(x), y, label_smoothing=0.1))


def probabilities_as_targets() -> None:
    x, _, y = points()
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(optimizer, functional.cross_entropy(model(x), functional.one_hot(y, CLASSES).float()))


def two_losses() -> None:
    x, y, classes = points()
    body, one, other = nn.Sequential(nn.Linear(3, 32), nn.ReLU()), nn.Linear(32, 1), nn.Linear(32, CLASSES)
    optimizer = torch.optim.Adam([*body.parameters(), *one.parameters(), *other.parameters()], lr=0.01)
    for _ in range(150):
        inner = body(x)
        step(optimizer, functional.mse_loss(one(inner), y) + functional.cross_entropy(other(inner), classes))


def an_autoencoder() -> None:
    x, _, _ = points()
    model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        step(optimizer, functional.mse_loss(model(x), x))


def two_players() -> None:
    """A small GAN: two models with an optimizer each, one of them detached for the other."""
    real = 2 + 0.5 * torch.randn(256, 2)
    maker, judge = (nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, outputs)) for outputs in (2, 1))
    optimizers = [torch.optim.Adam(each.parameters(), lr=0.005) for each in (maker, judge)]
    for _ in range(60):
        batch, made = real[torch.randint(0, 256, (64,))], maker(torch.randn(64, 2))
        loss = functional.binary_cross_entropy_with_logits(judge(batch), torch.ones(64, 1))
        loss = loss + functional.binary_cross_entropy_with_logits(judge(made.detach()), torch.zeros(64, 1))
        step(optimizers[1], loss)
        step(optimizers[0], functional.binary_cross_entropy_with_logits(judge(made), torch.ones(64, 1)))


def lbfgs() -> None:
    x, y, _ = points()
    model = mlp(1)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=8)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    for _ in range(8):
        optimizer.step(closure)  # type: ignore[arg-type]


def clipped_and_scheduled() -> None:
    x, _, y = points()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=150)
    for _ in range(150):
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()


def tested_and_kept() -> None:
    x, _, y = points()
    model, best, kept = mlp(CLASSES, nn.BatchNorm1d(24), nn.Dropout(0.2)), float("inf"), {}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(x[:120], y[:120]), batch_size=20, shuffle=True)
    for _ in range(20):
        model.train()
        for batch_x, batch_y in loader:
            step(optimizer, functional.cross_entropy(model(batch_x), batch_y))
        model.eval()
        with torch.no_grad():
            loss = float(functional.cross_entropy(model(x[120:]), y[120:]))
        if loss < best:
            best, kept = loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)


def shared_weights() -> None:
    x, y, _ = points()
    first, shared, last = nn.Linear(3, 24), nn.Linear(24, 24), nn.Linear(24, 1)
    optimizer = torch.optim.Adam([*first.parameters(), *shared.parameters(), *last.parameters()], lr=0.005)
    for _ in range(200):
        inner = first(x).relu()
        for _ in range(3):
            inner = shared(inner).relu()
        step(optimizer, functional.mse_loss(last(inner), y))


def a_recurrent_model() -> None:
    x = torch.randn(120, 8, 2)
    y = x.sum(dim=(1, 2)).unsqueeze(1) / 3
    recurrent, last = nn.GRU(2, 12, batch_first=True), nn.Linear(12, 1)
    optimizer = torch.optim.Adam([*recurrent.parameters(), *last.parameters()], lr=0.02)
    for _ in range(80):
        step(optimizer, functional.mse_loss(last(recurrent(x)[0][:, -1]), y))


def a_table_of_words() -> None:
    words = torch.randint(0, 30, (200, 5))
    y = (words.float().mean(1) > 14.5).long()
    table, last = nn.Embedding(30, 8), nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam([*table.parameters(), *last.parameters()], lr=0.02)
    for _ in range(120):
        step(optimizer, functional.cross_entropy(last(table(words).mean(1)), y))


def a_moving_average_of_weights() -> None:
    x, _, y = points()
    model = mlp()
    average = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(optimizer, functional.cross_entropy(model(x), y))
        average.update_parameters(model)


def weight_decay_by_hand() -> None:
    x, y, _ = points()
    model = mlp(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        penalty = sum((each**2).sum() for each in model.parameters())
        step(optimizer, functional.mse_loss(model(x), y) + 1e-4 * penalty)


def losses_added_as_numbers() -> None:
    x, _, y = points()
    model, total = mlp(), 0.0
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        loss = functional.cross_entropy(model(x), y)
        step(optimizer, loss)
        total += loss.item()


SCRIPTS: list[Callable[[], Any]] = [
    gradients_of_four_batches, a_frozen_body, a_body_under_no_grad, by_hand, log_softmax_and_nll, one_logit,
    weighted_classes, smoothed_labels, probabilities_as_targets, two_losses, an_autoencoder, two_players, lbfgs,
    clipped_and_scheduled, tested_and_kept, shared_weights, a_recurrent_model, a_table_of_words,
    a_moving_average_of_weights, weight_decay_by_hand, losses_added_as_numbers,
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_a_script_that_is_right_gets_no_remark(script: Callable[[], Any]) -> None:
    torch.manual_seed(7)
    with Watch() as watch:
        script()
    found = diagnose(watch.evidence())
    assert found is None, found and found.text
