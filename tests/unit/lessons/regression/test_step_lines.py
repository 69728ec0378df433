"""The lines of a step change nothing before the last one and say what it does; zero_grad() can be left out."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
import torch

from playground.engine.commands import AddPoint
from playground.lessons.regression.config import RegressionConfig
from playground.lessons.regression.lesson import LESSON, build
from playground.lessons.regression.run import RegressionRun
from playground.runs.state_checks import StateError
from playground.saving import checkpoint
from playground.settings import Settings
from playground.training.line_by_line import LINES
from tests.written_scripts import script


def make(**values: Any) -> RegressionRun:
    return build(RegressionConfig(**({"batch_size": 20, "optimizer": "momentum", "lr": 0.05} | values)))


def weights(run: RegressionRun) -> torch.Tensor:
    return torch.cat([each.detach().reshape(-1) for each in run.model.parameters()])


def turn(run: RegressionRun, **values: Any) -> None:
    run.tune(run.config.with_values(**values))


def take_lines(run: RegressionRun, count: int) -> None:
    """What the engine does for a Step of lines."""
    if due := run.next_lines(count):
        run.advance(1e9, due)


def test_a_run_shown_line_by_line_ends_at_the_same_weights() -> None:
    plain, shown = make(), make()
    plain.advance(1e9, 7)
    for _ in range(7 * len(LINES)):
        take_lines(shown, 1)
        shown.draw(["step", "network"], {})
    assert shown.steps == 7 and torch.equal(weights(plain), weights(shown))
    assert torch.equal(plain.trainer.batches.order, shown.trainer.batches.order)


def test_nothing_changes_before_the_last_line_and_then_the_weights_move_by_what_was_shown() -> None:
    run = make()
    run.advance(1e9, 3)
    before = weights(run)
    for line in range(1, 5):
        take_lines(run, 1)
        assert (run.steps, run.walk is not None and run.walk.shown) == (3, line)
    assert torch.equal(weights(run), before)
    shown = torch.cat([each.reshape(-1) for each in run.coming_step().updates])
    take_lines(run, 1)
    assert run.steps == 4 and run.walk is not None and run.walk.is_complete
    torch.testing.assert_close(weights(run) - before, shown, rtol=1e-4, atol=1e-7)
    take_lines(run, 1)
    assert run.walk is not None and (run.walk.step, run.walk.shown) == (5, 1), "then the next step begins"


def test_several_lines_at_once_may_be_several_steps() -> None:
    run = make()
    take_lines(run, 12)
    assert run.steps == 2 and run.walk is not None and (run.walk.step, run.walk.shown) == (3, 2)
    take_lines(run, 8)
    assert run.steps == 4 and run.walk is not None and run.walk.is_complete


@pytest.mark.parametrize("change", ["tune", "edit", "step"])
def test_whatever_else_is_done_ends_the_lines(change: str) -> None:
    run = make()
    take_lines(run, 2)
    if change == "tune":
        turn(run, lr=0.1)
    elif change == "edit":
        run.apply(AddPoint(0.0, 2.0))
    else:
        run.advance(1e9, 1)
    assert run.walk is None


def test_the_network_has_the_numbers_of_the_line_on_its_lines_only_while_lines_are_shown() -> None:
    run = make(hidden=3)

    def written() -> tuple[str, set[float]]:
        notes = run.draw(["network"], {}).charts["network"]["layout"]["annotations"]
        numbers = {float(each["text"].replace("−", "-")) for each in notes if "bgcolor" in each}
        return " ".join(each["text"] for each in notes), numbers

    assert "On the lines" not in written()[0] and not written()[1]
    take_lines(run, 4)
    text, numbers = written()
    gradients = [each for pair in run.coming_step().gradients[::2] for each in pair.reshape(-1).tolist()]
    assert "4 of 5: backward<br>On the lines: gradients" in text
    assert numbers == {float(f"{each:.2g}") for each in gradients}
    take_lines(run, 1)
    assert "On the lines: updates" in written()[0]


# Without zero_grad().


def test_without_zero_grad_each_step_uses_the_sum_of_all_gradients() -> None:
    run = make(zero_grad=False, batch_size=0, optimizer="sgd")
    total = torch.zeros_like(weights(run))
    for _ in range(4):
        before = weights(run)
        run.model.zero_grad()
        run.trainer.loss_fn(run.model(run.data.x_train), run.data.y_train).backward()
        total += torch.cat([each.grad.reshape(-1) for each in run.model.parameters()])  # type: ignore[union-attr]
        self_gradient = total.clone()
        for each in run.model.parameters():
            count = each.numel()
            assert each.grad is not None
            each.grad.copy_(self_gradient[:count].view(each.shape) - each.grad)  # what was left before this step
            self_gradient = self_gradient[count:]
        run.advance(1e9, 1)
        torch.testing.assert_close(weights(run) - before, -0.05 * total, rtol=1e-3, atol=1e-6)


def executed(run: RegressionRun) -> tuple[str, torch.Tensor]:
    text = script("regression", run.run_history())
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "script.py", "exec"), names)
    return text, torch.cat([each.detach().reshape(-1) for each in names["model"].parameters()])


def test_its_script_leaves_the_line_out_and_ends_at_the_same_weights() -> None:
    run = make(zero_grad=False)
    run.advance(1e9, 5)
    text, found = executed(run)
    assert "zero_grad" not in text and torch.equal(found, weights(run))


def test_a_script_follows_the_switch_and_a_restored_run_keeps_its_gradients() -> None:
    run = make()
    run.advance(1e9, 3)
    turn(run, zero_grad=False)
    run.advance(1e9, 4)
    file = checkpoint.save("regression", run)
    again: Any
    again, _ = checkpoint.restore(checkpoint.load(file), LESSON, Settings())
    for each in (run, again):
        each.advance(1e9, 3)
    assert torch.equal(weights(run), weights(again))
    turn(run, zero_grad=True)
    run.advance(1e9, 2)
    for each in (run, again):
        text, found = executed(each)
        assert torch.equal(found, weights(each))
    assert "# From here on" not in text
    assert "if zero_grad:" in executed(run)[0]


def test_gradients_of_another_model_are_refused() -> None:
    run = make(zero_grad=False)
    run.advance(1e9, 2)
    state = run.own_state()
    for bad in ({"0.weight": torch.zeros(3, 3)}, {"nine": torch.zeros(1)}, [1], {"0.weight": "x"}):
        with pytest.raises(StateError):
            make(zero_grad=False).load_own_state(state | {"gradients": bad})


def test_the_chart_says_that_the_line_is_left_out() -> None:
    run = make(zero_grad=False)
    run.advance(1e9, 2)
    notes = run.draw(["step"], {}).charts["step"]["layout"]["annotations"]
    assert any(each["text"].startswith("left\u00a0out") for each in notes)
