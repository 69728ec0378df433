"""What the lesson Regression says, as rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import read_command
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.regression.config import RegressionConfig
from tests.claims.claims import Claims
from tests.claims.trainings import at, fresh, go_on, last, status, trained

CLAIMS = Claims("regression")
of, says = CLAIMS.of, CLAIMS.says
TUTORIAL = RegressionConfig()
EXPERIMENTS = experiments(LESSONS["regression"])


def curve(config: Any, steps: int) -> Any:
    return trained("regression", config, steps)


def fit(run: Any) -> Any:
    """The prediction on the grid of the fit."""
    return run.draw(["fit"], {}).charts["fit"]["data"][-1]["y"]


def bends(run: Any) -> Any:
    """How much the curve bends at each place of the grid, in units of its largest slope."""
    y = np.asarray(fit(run), dtype=float)
    return np.abs(np.diff(y, 2)) / np.abs(np.diff(y)).max()


@says("The blue points follow a curve, plus some noise.", "The model does not know which curve.")
def _() -> None:
    run = fresh("regression", TUTORIAL, 0)
    distance = (run.data.y_train - run.data.x_train**2).abs()
    assert 0 < float(distance.max()) <= TUTORIAL.noise, "a curve, plus noise"


@says(
    "It starts with random weights, draws a curve that is wrong everywhere, and then repeats four moves: predict every y, measure how wrong the predictions are (the loss), compute how the loss would change with each weight (the gradient), and move each weight a little against its gradient."
)
def _() -> None:
    run = fresh("regression", TUTORIAL, 0)
    target = run.grid_x**2 + TUTORIAL.noise / 2
    assert float((np.abs(fit(run) - target) > 0.05).mean()) > 0.8, "wrong nearly everywhere"


@says("The learning rate says how far “a little” is.")
def _() -> None:
    moved = []
    for lr in (0.1, 0.2):
        before, after = (
            nn.utils.parameters_to_vector(fresh("regression", TUTORIAL.with_values(lr=lr), steps).model.parameters())
            for steps in (0, 1)
        )
        moved.append(float((after - before).norm()))
    assert moved[1] / moved[0] == pytest.approx(2, rel=1e-3)


@says("One round of these moves is one step.")
def _() -> None:
    run = fresh("regression", TUTORIAL, 0)
    before = nn.utils.parameters_to_vector(run.model.parameters()).clone()
    loss = nn.functional.mse_loss(run.model(run.data.x_train), run.data.y_train)
    gradient = torch.cat([each.ravel() for each in torch.autograd.grad(loss, list(run.model.parameters()))])
    run.step()
    torch.testing.assert_close(nn.utils.parameters_to_vector(run.model.parameters()), before - TUTORIAL.lr * gradient)
    assert run.steps == 1


@says(
    "With ReLU, each hidden unit adds a line that is flat on one side of a point and straight on the other.",
    "The curve you see is the sum of ten such lines: the network shows each of them, and “Hidden units” in the ⋯ of the fit draws them over the points.",
)
def _() -> None:
    run = curve(TUTORIAL, 100)
    with torch.no_grad():
        outputs = run.predict(run.model, run.config).outputs
        last_layer = run.model[-1]
        units = outputs[-2][:160] * last_layer.weight  # (grid, units)
        torch.testing.assert_close(units.sum(dim=1) + last_layer.bias, outputs[-1][:160, 0])
    kinks = (units.diff(n=2, dim=0).abs() > 1e-5).sum(dim=0)
    assert units.shape[1] == 10 and int(kinks.max()) <= 2, "each unit bends at one place of the grid at most"
    flat = (units[0] == 0) | (units[-1] == 0)
    assert bool(flat.all()), "and is flat on one side of it"


@of("tutorial", "100 steps of plain gradient descent bend a line into the points.")
def _(config: Any) -> None:
    run = curve(config, 100)
    assert (run.steps, run.outcome, config.optimizer) == (100, "done", "sgd")
    assert status(run)["r2"] > 0.9
    assert status(curve(config, 2))["r2"] < 0.3


@says("The loss falls fast, then slowly.")
def _() -> None:
    run = curve(TUTORIAL, 100)
    assert at(run, 0) - at(run, 10) > 0.8 * (at(run, 0) - last(run)), "the first steps change the most"


@says("After thirty steps the curve already has most of its shape.")
def _() -> None:
    assert status(fresh("regression", TUTORIAL, 30))["r2"] > 0.8


@of("no-hidden-layer", "Without a hidden layer the model is one straight line.")
def _(config: Any) -> None:
    run = curve(config, 300)
    assert float(np.abs(np.diff(fit(run), 2)).max()) < 1e-5


@of("no-hidden-layer", "It finds the best line within a few steps, and R² stays near 0: no line describes this curve.")
def _(config: Any) -> None:
    run = curve(config, 300)
    assert status(run)["r2"] < 0.1
    assert at(run, 20) == pytest.approx(last(run), rel=0.1), "within a few steps"


@of("small-steps", "The learning rate is 0.001.")
def _(config: Any) -> None:
    assert config.lr == 0.001


@of("small-steps", "After 3,000 steps it is not where the tutorial is after 10.", is_long=True)
def _(config: Any) -> None:
    assert last(curve(config, 3_000)) > at(curve(config.with_values(lr=0.5), 10), 10)


@of("small-steps", "Raise the learning rate while it runs: each change leaves a mark on the strip.")
def _(config: Any) -> None:
    run = fresh("regression", config, 20)
    run.tune(config.with_values(lr=0.1))
    assert [mark[0] for mark in run.marks] == [20]


@of("too-large-a-step", "The learning rate is 10, twenty times that of the tutorial.")
def _(config: Any) -> None:
    run = fresh("regression", config, 6)
    losses = [at(run, step) for step in range(7)]
    assert config.lr == 10 == 20 * TUTORIAL.lr
    assert all(later > earlier for earlier, later in pairwise(losses))


@of("too-large-a-step", "Each step jumps over the valley and lands higher: within 20 steps the loss is NaN.")
def _(config: Any) -> None:
    run = curve(config, 100)
    assert run.outcome == "failed" and run.steps <= 20


def pull(config: Any, loss: str) -> float:
    """How far one outlier moves the curve."""
    runs = [fresh("regression", config.with_values(loss=loss), 300) for _ in range(2)]
    runs[1].apply(read_command({"do": "add", "x": 0.0, "y": 6.0}))
    before, after = (fit(go_on(run, 900)) for run in runs)
    return float(np.abs(after - before).max())


@of("own-point", "With squared errors a single outlier pulls strongly.", is_long=True)
def _(config: Any) -> None:
    assert pull(config, "mse") > 0.1


@of("own-point", "Set the loss to Huber in All settings: it pulls less.", is_long=True)
def _(config: Any) -> None:
    assert pull(config, "mse") > 1.5 * pull(config, "huber") > 0


@of("momentum", "A tenth of the tutorial's learning rate, but with momentum.")
def _(config: Any) -> None:
    assert config.lr == TUTORIAL.lr / 10 and config.optimizer == "momentum"


@of("momentum", "About 0.02 (drag the strip to step 30).")
def _(config: Any) -> None:
    assert at(curve(config, 30), 30) == pytest.approx(0.02, abs=0.006)


@of("momentum", "Set the optimizer to SGD, then Reset and Play: about 0.06.")
def _(config: Any) -> None:
    assert at(curve(config.with_values(optimizer="sgd"), 30), 30) == pytest.approx(0.06, abs=0.01)


@of("dead-on-arrival", "The tutorial's settings with other starting weights.")
def _(config: Any) -> None:
    assert config == replace(TUTORIAL, seed=config.seed)


@of(
    "dead-on-arrival",
    "The first steps push all ten units to the flat side of their ReLU, where they get no gradient any more.",
)
def _(config: Any) -> None:
    run = fresh("regression", config, 10)
    with torch.no_grad():
        assert [layer.tolist() for layer in run.predict(run.model, config).dead] == [[True] * 10]
    before = run.model[0].weight.detach().clone()
    go_on(run, 20)
    assert torch.equal(run.model[0].weight, before), "no gradient any more"


@says(
    "It outputs zero for every point, and its slope there is zero too.",
    "The answer to dead-relu: The gradient of its weights is 0.",
    "The gradient of its weights is a product with that slope, so it is zero, and no step changes them.",
    "What is 0 is its output, for every point.",
    "They can have any values.",
    "It leaves out nothing: it takes a step of length 0.",
)
def _() -> None:
    run = fresh("regression", TUTORIAL.with_values(seed=3), 20)
    hidden = run.model[1](run.model[0](run.data.x_train))
    nn.functional.mse_loss(run.model[2](hidden), run.data.y_train).backward()
    assert float(hidden.abs().max()) == 0
    assert float(run.model[0].weight.grad.abs().max()) == float(run.model[0].bias.grad.abs().max()) == 0


@of("restless-loss", "The loss is the mean absolute error (L1).")
def _(config: Any) -> None:
    assert config.loss == "l1"


@of("restless-loss", "The gradient of L1 has the same size however small the error is, so the loss keeps jumping.")
def _(config: Any) -> None:
    x = torch.tensor([0.001, 5.0], requires_grad=True)
    nn.functional.l1_loss(x, torch.zeros(2)).backward()
    assert float(x.grad[0]) == float(x.grad[1])  # type: ignore[index]
    run, losses = fresh("regression", config, 1_500), []
    for _ in range(100):
        run.step()
        losses.append(run.losses_now()["train"])
    assert float(np.mean(np.diff(losses) > 0)) > 0.2, "it rises again and again"


@of("sine", "A full wave, two layers of tanh units, Adam.")
def _(config: Any) -> None:
    assert (config.target, config.widths, config.optimizer) == ("sine", (16, 16), "adam")
    assert config.activation == "tanh"


@of("sine", "Tanh units bend smoothly, and so does their sum.", is_long=True)
def _(config: Any) -> None:
    run = curve(config, 3_000)
    assert last(run) < 0.005
    corners = curve(config.with_values(activation="relu"), 3_000)
    assert bends(run).max() < 0.5 * bends(corners).max(), "smooth beside a curve of ReLUs"


@of("wave", "Three waves in a row: more bends need more units.", is_long=True)
def _(config: Any) -> None:
    assert last(curve(config, 3_000)) < 0.01
    few = curve(config.with_values(hidden=3), 3_000)
    assert last(few) > 0.05, "it fails with few units"


@of("wave", "Here are 32.")
def _(config: Any) -> None:
    assert config.widths == (32,)


@of("wave", "Remove units with − until it fails.", is_long=True)
def _(config: Any) -> None:
    assert last(curve(config.with_values(hidden=3), 3_000)) > 5 * last(curve(config, 3_000))


@of("wave", "Then set the activation to ReLU: curves become corners.", is_long=True)
def _(config: Any) -> None:
    smooth, corners = (curve(config.with_values(activation=name), 3_000) for name in ("tanh", "relu"))
    assert np.median(bends(corners)) < 1e-4 < np.median(bends(smooth)), "straight between its corners"


@of("learning-the-noise", "Ten points and 2,500 parameters.")
def _(config: Any) -> None:
    assert config.points == 10
    assert status(curve(config, 2_000))["parameters"] == pytest.approx(2_500, abs=200)


@of("learning-the-noise", "The training loss goes to zero while the test loss more than triples.")
def _(config: Any) -> None:
    run = curve(config, 2_000)
    tests = run.history.column("test")
    assert last(run) < 1e-3
    assert 3 < tests[-1] / np.nanmin(tests) < 4


@of("learning-the-noise", "Set “Training points” to 200 in All settings and compare.", is_long=True)
def _(config: Any) -> None:
    more = curve(config.with_values(points=200), 2_000)
    assert last(more, "test") < 1.5 * last(more)


@of("stop-in-time", "The same ten points, without a limit.")
def _(config: Any) -> None:
    other = next(each.config for each in EXPERIMENTS if each.id == "learning-the-noise")
    assert config == replace(other, max_steps=0)


@of(
    "stop-in-time",
    "The test loss falls for a moment, then rises.",
    "Drag the strip to the lowest test loss, about step 30.",
)
def _(config: Any) -> None:
    tests = curve(config, 500).history.column("test")
    best = curve(config, 500).history.steps()[int(np.nanargmin(tests))]
    assert 20 <= best <= 45
    assert tests[-1] > 1.5 * np.nanmin(tests)


@of("stop-in-time", "To stop there is called early stopping: new points fit that curve best.")
def _(config: Any) -> None:
    best, late = fresh("regression", config, 30), curve(config, 500)
    x = torch.linspace(-1, 1, 200).unsqueeze(dim=1)
    y = x**2 + config.noise / 2
    with torch.no_grad():
        errors = [float(((run.model(x) - y) ** 2).mean()) for run in (best, late)]
    assert errors[0] < 0.8 * errors[1], "against the curve behind all points"


@says(
    "The training loss cannot fall below the noise unless the model learns the noise.",
    "If the training loss falls far below that and the test loss does not, the model has learned the noise.",
    is_long=True,
)
def _() -> None:
    noisy = TUTORIAL.with_values(noise=1.0, optimizer="adam", lr=0.01, activation="tanh", max_steps=0)
    best_possible = noisy.noise**2 / 12
    many, few = (
        curve(noisy.with_values(points=points, hidden=48, layers=2, hidden_2=48), 1_000) for points in (1_000, 10)
    )
    assert last(many) > 0.9 * best_possible, "no model can go below the noise of many points"
    assert last(few) < 0.1 * best_possible < last(few, "test"), "a large model learns the noise of few"


@says("With noise 0.2 the y values spread evenly over a band 0.2 wide, whose variance is 0.2² / 12 ≈ 0.0033.")
def _() -> None:
    noise = 0.2 * torch.rand(1_000_000, generator=torch.Generator().manual_seed(0))
    assert float(noise.var()) == pytest.approx(0.0033, abs=5e-5)


@says("Watch “Gradients”: on a plateau they shrink; before a divergence they grow from step to step.")
def _() -> None:
    plateau, diverging = fresh("regression", TUTORIAL, 100), fresh("regression", TUTORIAL.with_values(lr=10.0), 5)
    assert last(plateau, "gradient Layer 1") < 0.2 * at(plateau, 1, "gradient Layer 1")
    sizes = [at(diverging, step, "gradient Output") for step in range(1, 5)]
    assert all(later > earlier for earlier, later in pairwise(sizes))


@says(
    "A curve made of ReLUs has corners, and far outside the points it is a straight line: the model knows nothing there."
)
def _() -> None:
    run = curve(TUTORIAL, 100)
    with torch.no_grad():
        far = run.model(torch.linspace(20, 30, 50).unsqueeze(dim=1))[:, 0]
    assert float(far.diff(n=2).abs().max()) < 1e-3, "straight far outside the points"
    assert np.median(bends(run)) < 1e-4 < bends(run).max(), "corners, and straight between them"


@says(
    "A change of the learning rate, the loss, the optimizer or the activation does not restart the training: the model keeps its weights and continues from there."
)
def _() -> None:
    for values in ({"lr": 0.1}, {"loss": "huber"}, {"optimizer": "adam"}, {"activation": "tanh"}):
        run = fresh("regression", TUTORIAL, 20)
        before = nn.utils.parameters_to_vector(run.model.parameters()).clone()
        run.tune(TUTORIAL.with_values(**values))
        assert torch.equal(nn.utils.parameters_to_vector(run.model.parameters()), before)
        assert run.steps == 20


@says(
    "The data has 100 points and the batch size is “all”.",
    "One. An epoch is one pass through the data, and here each step uses all of it.",
    "Here one step uses all points.",
    "The answer to steps-in-epoch: 1.",
)
def _() -> None:
    assert (TUTORIAL.points, TUTORIAL.batch_size) == (100, 0)
    assert fresh("regression", TUTORIAL, 0).trainer.batches.steps_per_epoch == 1


@says("With a batch size of 20 an epoch takes five steps.", "That is with a batch size of 20.")
def _() -> None:
    assert fresh("regression", TUTORIAL.with_values(batch_size=20), 0).trainer.batches.steps_per_epoch == 5


@says(
    "The learning rate, down.",
    "The answer to loss-explodes: The learning rate, down.",
    "The steps were too long: the gradient describes the loss only near the current weights.",
)
def _() -> None:
    assert fresh("regression", TUTORIAL.with_values(lr=10.0), 100).outcome == "failed"
    assert fresh("regression", TUTORIAL.with_values(lr=0.1), 100).outcome == "done"


@says(
    "With ten units that is 10 + 10 + 10 + 1 = 31.",
    "The answer to parameters: 3*n + 1.",
    "n weights and n biases into the hidden layer, n weights and one bias out of it.",
)
def _() -> None:
    model = fresh("regression", TUTORIAL, 0).model
    assert [each.numel() for each in model.parameters()] == [10, 10, 10, 1]


@says(
    "A straight line.",
    "The answer to two-linear-layers: A straight line.",
    "A linear function of a linear function is linear; only an activation in between makes more than one layer useful.",
)
def _() -> None:
    config = TUTORIAL.with_values(layers=2, activation="identity", max_steps=0)
    assert float(np.abs(np.diff(fit(curve(config, 100)), 2)).max()) < 1e-5
    assert status(curve(config, 100))["r2"] < 0.1 < status(curve(TUTORIAL, 100))["r2"]


@says(
    "`backward()` adds to the gradients that are already there.",
    "The answer to why-zero-grad: `backward()` adds to the gradients that are there.",
    "Without it every step would use the sum of all gradients since the start.",
)
def _() -> None:
    layer, x = nn.Linear(1, 1), torch.ones(4, 1)
    layer(x).sum().backward()
    first = layer.weight.grad.clone()  # type: ignore[union-attr]
    for calls in (2, 3):
        layer(x).sum().backward()
        assert torch.equal(layer.weight.grad, calls * first)  # type: ignore[arg-type]


@says(
    "The complete program is a short script: the data, the model, the optimizer, the loss, and the five lines of a step.",
    "`backward()` fills each parameter's `.grad`; `step()` changes the parameters.",
)
def _() -> None:
    code = LESSONS["regression"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    found: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(code, found)
    assert found["loss"].item() < 0.02
    assert all(each.grad is not None for each in found["model"].parameters())


@says("Since PyTorch 0.4 a tensor needs no wrapper, and `loss.item()` gives the number.")
def _() -> None:
    assert isinstance(torch.tensor(0.5).item(), float)
    assert isinstance(nn.functional.mse_loss(torch.ones(2), torch.zeros(2)).item(), float)


@of(
    "line-by-line",
    "Only `optimizer.step()`. Open the network and press “Line” under it: its lines have the weights, then the gradients, then what the step adds.",
)
def _(config: Any) -> None:
    run = fresh("regression", config, 0)
    before = nn.utils.parameters_to_vector(run.model.parameters()).clone()
    loss = nn.functional.mse_loss(run.model(run.data.x_train), run.data.y_train)
    loss.backward()
    assert torch.equal(nn.utils.parameters_to_vector(run.model.parameters()), before)
    torch.optim.SGD(run.model.parameters(), lr=config.lr).step()
    assert not torch.equal(nn.utils.parameters_to_vector(run.model.parameters()), before)


@of("without-zero-grad", "The line that clears the gradients is left out.")
def _(config: Any) -> None:
    assert not config.zero_grad


def risings(run: Any, steps: int) -> float:
    """The share of the next steps after which the loss is higher than before."""
    found = []
    for _ in range(steps):
        run.step()
        found.append(run.losses_now()["train"])
    return float(np.mean(np.diff(found) > 0))


@of("without-zero-grad", "The sum of all gradients so far, so the loss swings and does not settle.")
def _(config: Any) -> None:
    run = fresh("regression", config, 200)
    assert risings(run, 200) > 0.2


@of("without-zero-grad", "Switch zero_grad() on again in The step: it settles.")
def _(config: Any) -> None:
    run = fresh("regression", config, 200)
    run.tune(config.with_values(zero_grad=True))
    go_on(run, 1_000)
    assert risings(run, 50) < 0.1


@of("large-inputs", "x is in another unit: its numbers are 100 times as large.", "The learning rate is the tutorial's.")
def _(config: Any) -> None:
    assert (config.scale, config.lr) == (100, TUTORIAL.lr)
    assert float(fresh("regression", config, 0).data.x_train.max()) == pytest.approx(100)


@of("large-inputs", "It is not finite after three steps, since the gradient grows with x.")
def _(config: Any) -> None:
    run = fresh("regression", config, 10)
    assert run.outcome == "failed"
    assert run.steps == 3


@of("large-inputs", "Switch on “Normalise x” in All settings and press Play: it learns as before.")
def _(config: Any) -> None:
    run = curve(config.with_values(normalise=True), 100)
    assert status(run)["r2"] > 0.9


@of("one-batch", "Eight points, always the same batch.", "It is the first test of a new training loop.")
def _(config: Any) -> None:
    run = fresh("regression", config, 0)
    assert len(run.data.x_train) == 8
    assert run.trainer.batches.whole


@of(
    "one-batch",
    "The training loss falls below 0.001: the loop can learn.",
    "The test loss stays high, so it proves no more.",
)
def _(config: Any) -> None:
    run = curve(config, 300)
    assert last(run) < 0.001
    assert last(run, "test") > 0.05


@of("one-batch", "Without zero_grad() (in The step) it fails: Reset, Play.")
def _(config: Any) -> None:
    run = curve(config.with_values(zero_grad=False), 300)
    assert run.outcome == "failed" or last(run) > 0.01


@says("That is with a batch size of 1.")
def _() -> None:
    assert fresh("regression", RegressionConfig(batch_size=1), 0).trainer.batches.steps_per_epoch == 100


@of("own-point", "While it runs, click far away from the curve.")
def _(config: Any) -> None:
    run = fresh("regression", config, 30)
    before = last(run)
    run.apply(read_command({"do": "add", "x": 0.9, "y": -3.0}))
    run.step()
    assert last(run) > 2 * before


@says("The loss explodes.")
def _() -> None:
    run = fresh("regression", RegressionConfig(lr=10.0, max_steps=0), 30)
    assert run.outcome == "failed"
