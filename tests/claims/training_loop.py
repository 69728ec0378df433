"""What the lesson Training loop says, as rules."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.training_loop import paired_shapes, shape_walk
from playground.lessons.training_loop.clinic import one_batch, setups
from playground.lessons.training_loop.clinic.case import with_seed
from playground.lessons.training_loop.clinic.cases import LOUD, MYTHS, SILENT
from playground.lessons.training_loop.loop import BACKWARD, FORWARD, LOSS, STEP, ZERO_GRAD
from playground.lessons.training_loop.one_step import OneStepConfig, lines_of, loop_of
from playground.settings import Settings
from tests.claims.claims import Claims

CLAIMS = Claims("training_loop")
of, says = CLAIMS.of, CLAIMS.says
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["training_loop"])}


def looped(config: OneStepConfig, steps: int = 1) -> Any:
    """The records of a loop after some steps, the first one from before any line."""
    loop = loop_of(config)
    for _ in range(steps * len(lines_of(config))):
        loop.run_line()
    return loop.records


def records_of(config: OneStepConfig, line: str, steps: int = 1) -> Any:
    return [each for each in looped(config, steps) if each.line == line]


def weights(config: OneStepConfig, steps: int) -> Any:
    return np.concatenate([each.value.ravel() for each in looped(config, steps)[-1].parameters])


@of(
    "five-lines",
    "Only optimizer.step(). A frame at the left marks what each line has changed: weights, gradients, or nothing.",
)
@says("`optimizer.step()` is the only line that moves a weight.")
def _(config: Any = None) -> None:
    moved = {each.line: each.moved for each in looped(OneStepConfig(), 1)[1:]}
    assert moved.pop(STEP) > 0
    assert set(moved.values()) == {0}


@says("Every training in PyTorch is the same five lines, over and over.")
def _() -> None:
    assert len(lines_of(OneStepConfig())) == 5


@says("`model(x)` computes the logits, and records how.", "`loss_fn(logits, y)` makes one number of them.")
def _() -> None:
    (forward,), (loss,) = records_of(OneStepConfig(), FORWARD), records_of(OneStepConfig(), LOSS)
    assert [each.requires_grad for each in forward.facts if each.name == "logits"] == [True]
    assert [each.shape for each in loss.facts if each.name == "loss"] == [()]


@says(
    "`optimizer.zero_grad()` removes the gradients of the step before.",
    "`loss.backward()` goes back through what was recorded and adds a gradient to the `.grad` of every parameter.",
    "Before the first `backward()` every `.grad` is None, and after `zero_grad()` it is None again.",
)
def _() -> None:
    found = looped(OneStepConfig(), 2)
    assert found[0].grad_norm is None
    zeroed, filled = (
        [each for each in found if each.line == ZERO_GRAD][1],
        next(each for each in found if each.line == BACKWARD),
    )
    assert zeroed.grad_norm_before is not None
    assert zeroed.grad_norm is None
    assert filled.grad_norm is not None
    assert all(each.grad is not None for each in filled.parameters)


@says("None is not the same as zero: `step()` skips a parameter whose `.grad` is None.")
def _() -> None:
    pair = [torch.ones(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD(pair, lr=0.1, weight_decay=0.5)
    pair[1].grad = torch.zeros(1)
    optimizer.step()
    assert [each.item() for each in pair] == [1, pytest.approx(0.95)]


@of("same-batch-twice", "All 40 fall: a step is made for its own batch.")
def _(config: Any) -> None:
    steps = records_of(config, STEP, 40)
    assert len(steps) == 40
    assert all(each.after < each.loss for each in steps)


@of("same-batch-twice", "The loss of the next batch can still be higher.")
@says(
    "A step is made for one batch.",
    "It lowers the loss of that batch if the learning rate is small enough; the next batch is another question.",
)
def _(config: Any = None) -> None:
    steps = records_of(EXPERIMENTS["same-batch-twice"], STEP, 40)
    assert any(later.loss > before.after for before, later in pairwise(steps))


@of(
    "too-large-a-step",
    "Ten times the usual learning rate.",
    "It does not: 8 of the 40 short lines go up.",
    "The direction is right, but the step is too long.",
)
def _(config: Any) -> None:
    assert config.lr == 10 * OneStepConfig().lr
    assert sum(each.after > each.loss for each in records_of(config, STEP, 40)) == 8
    short = records_of(config.with_values(lr=0.1), STEP, 1)[0]
    assert short.after < short.loss, "along the same gradient"


@of("without-zero-grad", "Each backward() adds to the sum of all earlier gradients.")
@says(
    "`backward()` adds to `.grad`; it does not replace it.",
    "The answer to gradients-add-up: the sum of the gradients of three batches.",
    "The sum: `backward()` adds each gradient to those before, and nothing removes them.",
)
def _(config: Any = None) -> None:
    config = EXPERIMENTS["without-zero-grad"].with_values(lr=0.01)
    first, second = records_of(config, BACKWARD, 2)
    alone = records_of(config.with_values(zero_grad=True), BACKWARD, 2)
    added = [a.grad + b.grad for a, b in zip(alone[0].parameters, alone[1].parameters, strict=True)]
    for each, wanted in zip(second.parameters, added, strict=True):
        np.testing.assert_allclose(each.grad, wanted, atol=1e-5)
    assert second.grad_norm > 1.2 * first.grad_norm


@of("without-zero-grad", "The steps grow, and in the end the loss is far above its start.")
def _(config: Any) -> None:
    steps = records_of(config, STEP, 40)
    assert steps[-1].moved > 2 * steps[0].moved
    assert steps[-1].loss > 2 * steps[0].loss


@of(
    "zero-grad-last",
    "zero_grad() is the last line.",
    "It is not: .grad is empty when the next backward() comes, and all weights are the same as before, bit for bit.",
)
@says("Its place does not matter, as long as it does not come between `backward()` and `step()`.")
def _(config: Any = None) -> None:
    config = EXPERIMENTS["zero-grad-last"]
    assert np.array_equal(weights(config, 20), weights(config.with_values(order="usual"), 20))


@of(
    "zero-grad-late",
    "No weight ever moves: the gradients are removed just before step() would use them.",
    "All five lines are there.",
    "Nothing warns of it.",
)
@says(
    "The answer to order-of-lines: forward, loss, backward, zero_grad, step.",
    "In the last one: the gradients are removed between `backward()` and `step()`, so that `step()` finds None.",
)
def _(config: Any = None) -> None:
    config = EXPERIMENTS["zero-grad-late"]
    steps = records_of(config, STEP, 10)
    assert len(lines_of(config)) == 5
    assert {each.moved for each in steps} == {0}
    assert all(each.grad_norm is None and not each.error for each in steps)


@of(
    "step-before-backward",
    "step() comes one line too early.",
    "No weight ever moves: step() finds every .grad empty.",
    "The loss depends on the batch alone, to the last digit.",
)
def _(config: Any) -> None:
    steps = records_of(config, STEP, 12)
    assert {each.moved for each in steps} == {0}
    by_batch = [each.loss for each in steps]
    assert by_batch[:4] == by_batch[4:8] == by_batch[8:12]


@of(
    "train-mode",
    "Batch norm gives mean 0 and std 1.",
    "After dropout there are more zeros than before it.",
    "The CNN has batch norm and dropout.",
)
def _(config: Any) -> None:
    layers = records_of(config, FORWARD)[0].layers
    norms = [each for each in layers if each.module.startswith("BatchNorm")]
    assert all(abs(each.mean) < 1e-4 and each.std == pytest.approx(1, abs=0.01) for each in norms)
    at = next(at for at, each in enumerate(layers) if each.module == "Dropout")
    assert layers[at].zeros > layers[at - 1].zeros


@of(
    "eval-mode",
    "Dropout passes everything on, batch norm uses its averages.",
    "Gradients are still computed: eval() does not switch them off.",
)
@says(
    "Only layers ask for the mode: dropout passes everything on, and batch norm uses its running averages.",
    "The answer to eval-switches-off: dropout, and the use of the batch's own mean in batch norm.",
    "`train()` and `eval()` are about layers, `no_grad()` is about gradients.",
)
def _(config: Any = None) -> None:
    config = EXPERIMENTS["eval-mode"]
    layers = records_of(config, FORWARD)[0].layers
    at = next(at for at, each in enumerate(layers) if each.module == "Dropout")
    assert layers[at].zeros == pytest.approx(layers[at - 1].zeros)
    norms = [each for each in layers if each.module.startswith("BatchNorm")]
    assert any(abs(each.mean) > 0.01 or abs(each.std - 1) > 0.05 for each in norms)
    assert records_of(config, BACKWARD)[0].grad_norm > 0


@of(
    "bias-without-gradient",
    "0.bias: batch norm subtracts the mean, and with it the bias before it.",
    "In eval mode this bias has a gradient.",
)
def _(config: Any) -> None:
    sizes = []
    for mode in ("train", "eval"):
        found = {each.name: each for each in records_of(config.with_values(mode=mode), BACKWARD)[0].parameters}
        sizes.append(float(np.abs(found["0.bias"].grad).max()))
    assert sizes[0] < 1e-4 < 1e-3 < sizes[1]


@of(
    "under-no-grad",
    "Not the forward line, but backward(): nothing was recorded, so there is no way back.",
    "The forward line runs under torch.no_grad().",
)
def _(config: Any) -> None:
    loop = loop_of(config)
    errors = {}
    for line in lines_of(config)[:4]:
        errors[line] = loop.run_line().error
    assert [line for line, error in errors.items() if error] == [BACKWARD]


def stop_of(config: Any) -> Any:
    """The stop at which a walk fails, if it does."""
    return next((stop for stop in shape_walk.walk(config) if stop.error), None)


@of("first-linear", "28 × 28 pixels are 784 numbers, so somebody typed 784.", "8x1568 and 784x10 do not fit.")
def _(config: Any) -> None:
    assert config.in_features == 28 * 28 == 784
    assert "8x1568 and 784x10" in stop_of(config).error


@of(
    "it-fits",
    "32 maps of 7 × 7 pixels arrive: 1,568 numbers.",
    "The bar ends at the line.",
    "Now set the padding to 0: the maps shrink, and the number is wrong again.",
)
def _(config: Any) -> None:
    assert 32 * 7 * 7 == 1568 == config.in_features
    assert stop_of(config) is None
    assert stop_of(config.with_values(padding=0)) is not None


@of(
    "wrong-in-channels",
    "The second Conv2d expects 4 maps.",
    "weight of size [32, 4, 3, 3] is what the layer has, input[8, 8, 14, 14] is what arrives: 8 maps.",
)
def _(config: Any) -> None:
    error = stop_of(config).error
    assert "weight of size [32, 4, 3, 3]" in error
    assert "input[8, 8, 14, 14]" in error
    fixed = stop_of(config.with_values(in_channels=8))
    assert fixed is None or "mat1" in fixed.error


@of(
    "no-flatten",
    "Linear reads the last axis alone: rows of 7 pixels.",
    "With in_features 7 it would even run, and the result would be wrong.",
)
def _(config: Any = None) -> None:
    config = EXPERIMENTS["no-flatten"]
    assert stop_of(config) is not None
    assert stop_of(config.with_values(in_features=7)) is None
    assert shape_walk.walk(config.with_values(in_features=7))[-1].shape != (8, 10)


@of(
    "batch-flattened",
    "x.flatten() makes one row of all 8 images: 12,544 numbers. nn.Flatten() begins at axis 1 and keeps the batch.",
)
def _(config: Any) -> None:
    assert 8 * 1568 == 12_544
    assert "12544" in stop_of(config).error
    assert nn.Flatten()(torch.zeros(8, 32, 7, 7)).shape == (8, 1568)


@of(
    "no-channel-axis",
    "The images have the shape (8, 28, 28), as they come from a file.",
    "Conv2d takes them for one image with 8 channels.",
    "x[:, None] adds the axis: (8, 1, 28, 28).",
)
def _(config: Any) -> None:
    assert "8 channels" in stop_of(config).error
    assert torch.zeros(8, 28, 28)[:, None].shape == (8, 1, 28, 28)


@of(
    "too-small",
    "Images of 8 × 8 pixels, and two poolings by 4.",
    "After the first one 2 × 2 pixels are left, fewer than the window of the second.",
    "Choose 2 × 2.",
)
def _(config: Any) -> None:
    assert stop_of(config).kind == "pool"
    assert (2, 2) in [stop.shape[-2:] for stop in shape_walk.walk(config) if stop.shape is not None]
    better = stop_of(config.with_values(pool=2))
    assert better is None or better.kind == "linear"


def r2(config: Any, prediction: str, target: str) -> float:
    x, y = paired_shapes.points(config)
    slope, intercept = paired_shapes.train(config, prediction, target).tolist()
    return float(1 - (slope * x[:, 0] + intercept - y).square().sum() / (y - y.mean()).square().sum())


@of(
    "every-pair",
    "It averages 36 differences instead of 6.",
    "The best answer to all targets at once is their mean: a level line, R² 0.",
)
def _(config: Any) -> None:
    x, y = paired_shapes.points(config)
    assert (x - y).numel() == 36
    slope, intercept = paired_shapes.train(config, config.prediction, config.target).tolist()
    assert abs(slope) < 0.01
    assert intercept == pytest.approx(float(y.mean()), abs=0.01)
    assert r2(config, config.prediction, config.target) == pytest.approx(0, abs=0.01)


@of(
    "squeezed",
    "Six differences, each with its own target, and the line follows the points. unsqueeze(1) for y does the same.",
    "The prediction loses its last axis, squeeze(1).",
    "Now both are (n).",
)
def _(config: Any) -> None:
    x, y = paired_shapes.points(config)
    assert (x.squeeze(1) - y).shape == (6,)
    assert r2(config, "flat", "flat") > 0.8
    assert r2(config, "column", "column") == pytest.approx(r2(config, "flat", "flat"))


@of(
    "other-way-round",
    "It does not: both are stretched to (n, n), and the loss is the same number.",
    "Now y is the column.",
)
def _(config: Any) -> None:
    one, other = paired_shapes.train(config, "flat", "column"), paired_shapes.train(config, "column", "flat")
    torch.testing.assert_close(one, other)


@of(
    "with-l1",
    "The line is level again, near the middle target.",
    "The warning below the charts is the only hint that torch gives.",
    "The absolute error instead of the square.",
)
def _(config: Any) -> None:
    x, y = paired_shapes.points(config)
    slope, intercept = paired_shapes.train(config, config.prediction, config.target).tolist()
    assert abs(slope) < 0.1
    below, above = y.sort().values[2:4].tolist()
    assert below - 0.1 < intercept < above + 0.1
    with pytest.warns(UserWarning, match="Using a target size"):
        nn.functional.l1_loss(x, y)


@of(
    "at-the-start",
    "No step has been taken: every prediction is 0.",
    "They are equal: with equal predictions each row is the same.",
    "Increase the steps: only one of the two losses falls far.",
)
def _(config: Any) -> None:
    x, y = paired_shapes.points(config)
    zero = torch.zeros_like(x)
    assert paired_shapes.loss_of(nn.MSELoss(), zero, y) == pytest.approx(nn.functional.mse_loss(zero[:, 0], y).item())
    assert (
        r2(config.with_values(steps=100), "flat", "flat")
        > 0.8
        > 0.1
        > r2(config.with_values(steps=100), "column", "flat")
    )


@of(
    "without-noise",
    "It cannot: no number equals six targets.",
    "With equal shapes the same steps end at 0.0000.",
    "The points lie on a line exactly.",
)
def _(config: Any) -> None:
    x, y = paired_shapes.points(config)
    losses = []
    for prediction, target in (("column", "flat"), ("flat", "flat")):
        slope, intercept = paired_shapes.train(config, prediction, target).tolist()
        answer = slope * x[:, 0] + intercept
        losses.append(
            paired_shapes.loss_of(
                nn.MSELoss(), paired_shapes.shaped(answer, prediction), paired_shapes.shaped(y, target)
            ).item()
        )
    assert f"{losses[1]:.4f}" == "0.0000"
    assert losses[0] > 0.1


@says(
    "`x`, `y` and the logits are made again for every batch.",
    "Only parameters, their `.grad`, the optimizer's state and the running averages of batch norm stay from step to step.",
)
def _() -> None:
    loop = loop_of(OneStepConfig())
    seen = []
    for _ in range(10):
        loop.run_line()
        seen.append((id(loop.tensors["x"]), id(loop.model)))
    assert len({x for x, _ in seen}) == 2
    assert len({model for _, model in seen}) == 1


@says("A test needs both: `model.eval()` and `with torch.no_grad():`.")
def _() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    x = torch.randn(4, 2)
    assert model.eval()(x).requires_grad
    with torch.no_grad():
        assert not model.train()(x).requires_grad


@says(
    "`in_features` of the first Linear is the product of the shape before `nn.Flatten()`, without the batch: maps × rows × columns.",
    "Images of 32 × 32 pixels go through `nn.Conv2d(3, 16, 3, padding=1)` and `nn.MaxPool2d(2)`.",
    "The answer to in-features: 4096.",
    "The padding keeps 32 × 32, the pooling makes 16 × 16 of it: 16 × 16 × 16 = 4,096.",
    "That is the image, 3 × 32 × 32.",
    "The Linear gets what comes out of the pooling.",
    "That is 16 × 32 × 32: the pooling halves rows and columns.",
    "That is one map.",
    "There are 16 of them.",
    "Walk: 3 × 32 × 32, after the convolution 16 × 32 × 32, and after the pooling?",
)
def _() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.MaxPool2d(2))
    out = layers(torch.zeros(1, 3, 32, 32))
    assert tuple(out.shape[1:]) == (16, 16, 16)
    assert nn.Flatten()(out).shape[1] == 4096 == 16 * 16 * 16
    assert (3 * 32 * 32, 16 * 32 * 32, 16 * 16) == (3072, 16384, 256)


@says(
    "The answer to differences: 2500.",
    "Broadcasting gives the shape (50, 50), so 2,500: every prediction is compared with every target.",
    "`prediction` has the shape (50, 1) and `y` has (50,).",
)
def _() -> None:
    assert (torch.zeros(50, 1) - torch.zeros(50)).numel() == 2500
    assert (torch.zeros(50) - torch.zeros(50)).numel() == 50


@says(
    "The answer to changes-weights: `optimizer.step()`.",
    "Only `optimizer.step()`: with SGD each weight moves by the learning rate times its gradient.",
)
def _() -> None:
    step = records_of(OneStepConfig(), STEP)[0]
    for each in step.parameters:
        np.testing.assert_allclose(each.value, each.value_before - OneStepConfig().lr * each.grad, atol=1e-6)
    assert step.moved > 0


@says("The whole loop, with a test after each epoch.")
def _() -> None:
    code = LESSONS["training_loop"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    printed: list[tuple[Any, ...]] = []
    exec(code, {"print": lambda *values: printed.append(values)})
    assert len(printed) == 10


def ended(run: Any) -> Any:
    """The run of a script at its end."""
    while not run.outcome:
        run.advance(10.0, 1_000)
    return run


@of(
    "one-batch",
    "The loss goes to almost 0.",
    "Loss, backward() and step() work together; whether the model learns anything for other images, this does not say.",
)
def _(config: Any) -> None:
    run = ended(one_batch.OneBatchRun(config, Settings()))
    assert run.first.loss(run.steps) < 0.05
    assert run.first.script.value("test_accuracy") < 0.9


@of(
    "one-batch-zero-grad",
    "The same without zero_grad().",
    "No: the 16 digits are learnt all the same.",
    "The gradients of a batch that is always the same point the same way, so adding them up does no harm here.",
)
def _(config: Any) -> None:
    run = ended(one_batch.OneBatchRun(config, Settings()))
    assert config.examples == 16
    assert "zero_grad" not in run.case.script
    assert run.first.loss(run.steps) < 0.05


def names_of(script: str) -> dict[str, Any]:
    """What a script of the clinic has computed at its end, with the seed 0."""
    found: dict[str, Any] = setups.names() | {"__name__": "__main__"}
    exec(compile(with_seed(script, 0), "script", "exec"), found)
    return found


@of(
    "clinic-equal", "The loss is equal to the last digit, so no weight has moved: look for what should have moved them."
)
def _(config: Any) -> None:
    case = SILENT[config.case]
    untrained = case.script[: case.script.index("for step")] + "mse = loss_fn(model(x), y).item()"
    assert names_of(case.script)["mse"] == names_of(untrained)["mse"]


@of(
    "clinic-floor",
    "The accuracy rises, but the loss never falls below a certain number.",
    "A floor of the loss is a sign of outputs that cannot be sure enough.",
)
def _(config: Any) -> None:
    found = names_of(SILENT[config.case].script)
    assert found["train_loss"] > 1.461
    assert found["test_accuracy"] > 0.5


@of(
    "clinic-test",
    "The training is as good as it can be, and the test is not.",
    "Twenty test images of one digit go through the model together.",
)
def _(config: Any) -> None:
    case = SILENT[config.case]
    sick, cured = names_of(case.script), names_of(case.cure.applied(case.script))
    assert "x_test.split(20)" in case.script
    assert sick["loss"].item() < 0.1
    assert sick["test_accuracy"] < 0.7 < cured["test_accuracy"]


@of(
    "error-shapes",
    "mat1 is what arrives, mat2 is the weight of the layer.",
    "The second number of the one has to be the first of the other.",
)
def _(config: Any) -> None:
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(5x3 and 4x2\)"):
        nn.Linear(4, 2)(torch.zeros(5, 3))


@of(
    "broken-or-not",
    "Both scripts begin with the same seed, so what differs at the end comes from the change.",
    "Then choose the next of the eleven claims.",
)
def _(config: Any) -> None:
    case = MYTHS[config.case]
    assert len(MYTHS) == 11
    assert case.script.split("\n")[0] == case.cure.applied(case.script).split("\n")[0] == "torch.manual_seed(SEED)"


@of("myth-zero-grad-last", "The two runs tell: compare their losses digit by digit.")
def _(config: Any) -> None:
    case = MYTHS[config.case]
    ends = [names_of(script)[case.measure.name] for script in (case.script, case.cure.applied(case.script))]
    assert ends[0] == ends[1]


@says(
    "Most faults of a training loop are a line that is missing, in the wrong place, or given tensors of the wrong shape.",
    "Some fail with a message.",
    "Many say nothing: the loop runs, and the loss is a number like any other.",
)
def _() -> None:
    assert len(SILENT) > 2 * len(LOUD) > 10


@of("without-zero-grad", "One line is left out.")
def _(config: Any) -> None:
    assert set(lines_of(OneStepConfig())) - set(lines_of(config)) == {ZERO_GRAD}


@of("same-batch-twice", "The short lines below lead from the loss of a batch to its loss after the step.")
def _(config: Any) -> None:
    (step,) = records_of(config, STEP)
    assert step.loss > step.after


@of("eval-mode", "The same batch in eval mode.")
def _(config: Any) -> None:
    assert (config.model, config.mode) == ("cnn", "eval")
    train, test = (next(iter(records_of(each, FORWARD))) for each in (config.with_values(mode="train"), config))
    assert train.layers[0].shape == test.layers[0].shape


@of("no-flatten", "The layer between the maps and Linear is missing.")
@of("batch-flattened", "x.flatten() instead of nn.Flatten(). in_features is right.")
def _(config: Any) -> None:
    assert config.flatten == ("left_out" if config == EXPERIMENTS["no-flatten"] else "method")
    if config.flatten == "method":
        assert stop_of(config.with_values(flatten="module")) is None


@of("every-pair", "model(x) has the shape (n, 1), y has (n).", "The loss is a number.")
def _(config: Any) -> None:
    n = 6
    loss = nn.functional.mse_loss(torch.zeros(n, 1), torch.ones(n).expand(n))
    assert loss.ndim == 0 and (config.prediction, config.target) == ("column", "flat")


@says("That is why `zero_grad()` exists.", "`zero_grad()` is left out.")
def _() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    norms = []
    for _ in range(3):
        (2 * w).backward()
        assert w.grad is not None
        norms.append(w.grad.item())
    assert norms == [2, 4, 6]


@says(
    "A shape that does not fit is the friendly case. (n) against (n, 1) fits, and so does a Linear that reads the last axis alone.",
    "Print `x.shape` after each layer, and the number is there.",
)
def _() -> None:
    assert nn.functional.mse_loss(torch.zeros(5, 1), torch.zeros(5)).ndim == 0
    assert nn.Linear(7, 10)(torch.zeros(8, 32, 7, 7)).shape == (8, 32, 7, 10)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        nn.Linear(784, 10)(torch.zeros(8, 1568))
    layers = [nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d(4), nn.Flatten()]
    x = torch.zeros(8, 1, 28, 28)
    for each in layers:
        x = each(x)
    assert x.shape[1] == 1568


@of("clinic-floor", "Ask which outputs could make it smaller.")
def _(config: Any) -> None:
    sure = (
        nn.functional.cross_entropy(torch.eye(10)[:1], torch.tensor([0])),
        nn.functional.cross_entropy(10 * torch.eye(10)[:1], torch.tensor([0])),
    )
    assert float(sure[0]) == pytest.approx(1.461, abs=1e-3) and float(sure[1]) < 0.01


@of("five-lines", "Step runs one line of a real training loop.")
def _(config: Any) -> None:
    assert [each.line for each in looped(config, 2)[1:]] == 2 * [each.line for each in looped(config, 1)[1:]]
    assert len({each.line for each in looped(config, 1)[1:]}) == 5
