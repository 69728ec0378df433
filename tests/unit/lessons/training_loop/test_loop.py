"""The loop that stops after each line is the loop that students write: the same numbers, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from playground.lessons.training_loop import loop as module
from playground.lessons.training_loop.loop import (
    BACKWARD,
    BATCH_SIZE,
    FORWARD,
    LINES,
    LOSS,
    MODELS,
    ORDERS,
    SAMPLES,
    STEP,
    ZERO_GRAD,
    Loop,
)

WITHOUT_ZERO_GRAD = (FORWARD, LOSS, BACKWARD, STEP)
each_model = pytest.mark.parametrize("model", MODELS)


def after(model: str, lines: tuple[str, ...], steps: int, **settings: Any) -> Loop:
    loop = Loop(model, lines, **settings)
    for _ in range(steps * len(lines)):
        loop.run_line()
    return loop


def weights(loop: Loop) -> list[torch.Tensor]:
    return [each.detach().clone() for each in loop.model.parameters()]


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(left, right) for left, right in zip(one, other, strict=True))


@each_model
@pytest.mark.parametrize("is_training", [True, False])
def test_it_is_the_plain_loop_bit_for_bit(model: str, is_training: bool) -> None:
    build, draw = MODELS[model]
    generator = torch.Generator().manual_seed(3)
    x, y = draw(generator)
    plain = build(generator).train(is_training)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.3)
    for step in range(10):
        rows = slice(step * BATCH_SIZE % SAMPLES, step * BATCH_SIZE % SAMPLES + BATCH_SIZE)
        logits = plain(x[rows])
        loss = nn.functional.cross_entropy(logits, y[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    loop = after(model, LINES, 10, lr=0.3, seed=3, is_training=is_training)
    assert equal(weights(loop), [each.detach() for each in plain.parameters()])
    assert loop.records[-1].loss == loss.item()
    buffers = zip(loop.model.buffers(), plain.buffers(), strict=True)
    assert all(torch.equal(one, other) for one, other in buffers), "the running averages, too"


@each_model
def test_only_step_moves_weights_and_only_zero_grad_and_backward_change_gradients(model: str) -> None:
    for record in after(model, LINES, 3).records[1:]:
        assert (record.moved > 0) is (record.line == STEP), record.line
        pairs = [(each.grad, each.grad_before) for each in record.parameters]
        changed = any(now is not then and (now is None or then is None or (now != then).any()) for now, then in pairs)
        is_first = record.step == 1 and record.line == ZERO_GRAD
        assert changed is (record.line in (ZERO_GRAD, BACKWARD) and not is_first), record.line


def test_grad_is_none_before_the_first_backward_and_after_zero_grad() -> None:
    records = after("mlp", LINES, 2).records
    assert [record.grad_norm is None for record in records[1:6]] == [True, True, True, False, False]
    assert records[8].line == ZERO_GRAD and records[8].grad_norm is None and records[8].grad_norm_before


def test_without_zero_grad_gradients_of_all_batches_add_up() -> None:
    loop = after("mlp", WITHOUT_ZERO_GRAD, 2)
    first, second = (record for record in loop.records if record.line == BACKWARD)
    for before, now in zip(first.parameters, second.parameters, strict=True):
        assert (now.grad_before == before.grad).all()
    alone = Loop("mlp", LINES)
    for _ in range(5):
        alone.run_line()
    assert equal(weights(alone), [torch.from_numpy(each.value) for each in loop.records[4].parameters])
    for _ in range(4):
        alone.run_line()
    for summed, single in zip(second.parameters, alone.records[-1].parameters, strict=True):
        assert summed.grad == pytest.approx(summed.grad_before + single.grad, abs=1e-7)


@each_model
@pytest.mark.parametrize("order", ["zero_first", "zero_last"])
def test_the_place_of_zero_grad_does_not_matter_as_long_as_backward_follows_before_step(model: str, order: str) -> None:
    assert equal(weights(after(model, ORDERS[order], 8)), weights(after(model, LINES, 8)))


@each_model
@pytest.mark.parametrize("order", ["zero_late", "step_early"])
def test_no_weight_ever_moves_where_step_finds_no_gradient(model: str, order: str) -> None:
    loop = after(model, ORDERS[order], 8)
    assert equal(weights(loop), weights(Loop(model, LINES)))
    records = [record for record in loop.records if record.line == STEP]
    assert all(record.loss == record.after for record in records)


def test_a_step_lowers_the_loss_of_its_batch_and_looking_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = after("cnn", LINES, 6, lr=0.1)
    steps = [record for record in looked.records if record.line == STEP]
    assert all(record.after is not None and record.loss and record.after < record.loss for record in steps)
    monkeypatch.setattr(Loop, "_loss_again", lambda loop: 0.0)
    blind = after("cnn", LINES, 6, lr=0.1)
    assert equal(weights(looked), weights(blind))
    assert all(torch.equal(*pair) for pair in zip(looked.model.buffers(), blind.model.buffers(), strict=True))


def test_eval_mode_changes_the_forward_line_alone() -> None:
    trained, evaluated = (after("cnn", LINES, 1, is_training=mode) for mode in (True, False))
    outputs = [{each.module: each for each in loop.records[1].layers} for loop in (trained, evaluated)]
    assert outputs[0]["Dropout"].zeros > outputs[0]["Flatten"].zeros + 0.1
    assert outputs[1]["Dropout"].zeros == outputs[1]["Flatten"].zeros
    assert outputs[0]["BatchNorm2d"].mean == pytest.approx(0, abs=1e-5)
    assert outputs[0]["BatchNorm2d"].std == pytest.approx(1, abs=1e-3)
    assert outputs[1]["BatchNorm2d"].std == pytest.approx(outputs[1]["Conv2d"].std, rel=1e-3), "averages 0 and 1 so far"
    means = [next(each for name, each in loop.model.named_buffers() if "mean" in name) for loop in (trained, evaluated)]
    assert means[0].abs().max() > 0 and means[1].abs().max() == 0
    assert evaluated.records[4].grad_norm, "eval() does not switch gradients off"


def test_backward_fails_with_torchs_own_message_where_no_graph_was_recorded() -> None:
    loop = after("mlp", LINES, 1, records_graph=False)
    with pytest.raises(RuntimeError) as raised:
        torch.ones(()).backward()  # type: ignore[no-untyped-call]
    assert [record.error for record in loop.records] == ["", "", "", "", str(raised.value), ""]
    assert not loop.records[1].facts[1].requires_grad


def test_facts_are_those_of_the_tensors() -> None:
    forward, loss = after("cnn", LINES, 1).records[1:3]
    assert [(fact.name, fact.shape, fact.dtype, fact.requires_grad) for fact in (*forward.facts, *loss.facts)] == [
        ("x", (BATCH_SIZE, 1, 28, 28), "float32", False), ("logits", (BATCH_SIZE, 10), "float32", True),
        ("y", (BATCH_SIZE,), "int64", False), ("loss", (), "float32", True),
    ]  # fmt: skip
    assert {fact.device for fact in forward.facts} == {"cpu"}


def test_layers_have_their_gradients_once_backward_has_run() -> None:
    records = after("mlp", LINES, 1).records
    assert all(layer.grad_norm is None for layer in records[3].layers)
    assert all(layer.grad_norm for layer in records[4].layers)


@each_model
def test_torchs_global_generator_is_left_alone(model: str) -> None:
    before = torch.get_rng_state()
    after(model, LINES, 2)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_order_has_all_lines() -> None:
    assert all(sorted(order) == sorted(LINES) for order in ORDERS.values())
    assert module.CODE.keys() == set(LINES)
