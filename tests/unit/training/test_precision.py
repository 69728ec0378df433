from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.lessons.cnn.config import CnnConfig, build_model
from playground.training import precision
from playground.training.precision import RoundedToBfloat16, has_bfloat16, rounding

MODELS: list[dict[str, Any]] = [
    {},
    {"layers": 3, "activation": "gelu", "pooling": "average", "batch_norm": True},
    {"layers": 1, "kernel": 7, "activation": "softplus"},
]


def gradients(values: dict[str, Any], context: AbstractContextManager[Any]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The logits, the loss and the gradients of a model for some images."""
    model = build_model(CnnConfig(filters_1=4, filters_2=6, filters_3=5, **{"kernel": 3, **values}))
    x = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with context:
        logits = model(x)
        loss = nn.CrossEntropyLoss()(logits, torch.arange(20) % 10)
        loss.backward()
    return logits, loss, [each.grad for each in model.parameters() if each.grad is not None]


@pytest.mark.parametrize("values", MODELS)
def test_rounding_by_hand_gives_what_autocast_gives(values: dict[str, Any]) -> None:
    logits, loss, found = gradients(values, RoundedToBfloat16())
    expected_logits, expected_loss, expected = gradients(values, torch.autocast("cpu", torch.bfloat16))
    exact_logits, _, _ = gradients(values, nullcontext())
    assert (logits.dtype, loss.dtype) == (expected_logits.dtype, expected_loss.dtype)
    assert loss.item() == pytest.approx(expected_loss.item(), rel=1e-3)
    torch.testing.assert_close(logits, expected_logits, rtol=0.02, atol=0.01)
    assert not torch.equal(logits.float(), exact_logits)
    for one, other in zip(found, expected, strict=True):
        assert (one.dtype, one.stride()) == (other.dtype, other.stride())
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.02 * float(other.abs().max()) + 1e-3)


def test_convolutions_and_linear_layers_are_rounded_and_nothing_else() -> None:
    x = torch.tensor([[1.001, 2.003]])
    with RoundedToBfloat16():
        assert torch.equal(x + 0, x)
        assert nn.functional.linear(x, torch.tensor([[1.0, 0.0]])).tolist() == [[1.0]], "1.001 has too many digits"
        assert nn.functional.conv2d(x.view(1, 1, 1, 2), torch.ones(1, 1, 1, 1)).dtype == torch.bfloat16


def test_only_a_processor_without_bfloat16_rounds_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(rounding("float32", "cpu"), nullcontext)
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)
    assert isinstance(rounding("bfloat16", "cpu"), RoundedToBfloat16)
    assert isinstance(rounding("float32", "cpu"), nullcontext)
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    assert isinstance(rounding("bfloat16", "cpu"), torch.autocast)
    assert has_bfloat16() in (False, True)
