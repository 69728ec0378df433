"""What the lesson Classification says, as rules."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import read_command
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.classification.config import ClassificationConfig, inputs_of
from playground.lessons.classification.edits import OWN_POINTS
from playground.lessons.classification.look_inside import FrameContext
from playground.lessons.classification.predictions import small_maps
from playground.lessons.classification.script import ClassificationScript
from playground.training import models
from tests.claims.claims import Claims
from tests.claims.trainings import at, fresh, go_on, last, status, trained

CLAIMS = Claims("classification")
of, says = CLAIMS.of, CLAIMS.says
TUTORIAL = ClassificationConfig()
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["classification"])}


def classes(config: Any, steps: int) -> Any:
    return trained("classification", config, steps)


def bend(values: torch.Tensor) -> torch.Tensor:
    """The largest second difference along a line of the plane, of each unit: (units,)."""
    return values.diff(n=2, dim=0).abs().amax(dim=0)


def line(config: Any) -> torch.Tensor:
    """The inputs of the model for points along the diagonal of the plane."""
    return inputs_of(config, torch.linspace(-5, 5, 400).unsqueeze(dim=1).repeat(1, 2))


def test_evaluation(run: Any) -> tuple[float, float]:
    """The mean confidence and the accuracy on the test points."""
    with torch.no_grad():
        shares = run.model(inputs_of(run.config, run.data.x_test)).softmax(dim=1)
    confidence, predicted = shares.max(dim=1)
    return float(confidence.mean()), float((predicted == run.data.y_test).float().mean())


@says(
    "Each point belongs to a class: circles or squares.",
    "The model gets a point's coordinates and answers with one number for each class, its logits.",
)
def _() -> None:
    run = fresh("classification", TUTORIAL, 0)
    assert sorted(run.data.y_train.unique().tolist()) == [0, 1]
    assert tuple(run.model(run.data.x_train[:5]).shape) == (5, 2)


@says(
    "Softmax turns them into probabilities that add up to 1, and the cross-entropy loss depends on one of them: the probability of the true class."
)
@torch.no_grad()
def _() -> None:
    run = classes(TUTORIAL, 50)
    shares = run.model(run.data.x_train).softmax(dim=1)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(shares)))
    of_true = shares.gather(1, run.data.y_train[:, None])
    assert last(run) == pytest.approx(float(-of_true.log().mean()), rel=1e-4)


@says(
    "With ReLU, a hidden unit cuts the plane along one straight line: on one side its output is 0, on the other it grows."
)
@torch.no_grad()
def _() -> None:
    run = classes(TUTORIAL, 100)
    hidden = run.model[1](run.model[0](line(run.config)))  # (points, units)
    kinks = (hidden.diff(n=2, dim=0).abs() > 1e-4).sum(dim=0)
    assert int(kinks.max()) <= 2, "a line of the plane crosses the cut once"
    assert bool(((hidden[0] == 0) | (hidden[-1] == 0)).all()), "0 on one side"


@of("tutorial", "Two blobs, ten units, 100 steps.")
def _(config: Any) -> None:
    assert (config.cloud, config.widths, config.max_steps, config.outputs) == ("blobs", (10,), 100, 2)


@of("tutorial", "Nearly every point is correct long before the end.")
def _(config: Any) -> None:
    assert at(classes(config, 100), 40, "accuracy") > 0.97


@of("circle-cuts", "Each unit makes one straight cut.")
@torch.no_grad()
def _(config: Any) -> None:
    model = classes(config, 10).model
    x = torch.randn(100, 2)
    torch.testing.assert_close(model[1](model[0](x)), torch.tanh(x @ model[0].weight.T + model[0].bias))


@of("circle-cuts", "Four cuts are enough.", is_long=True)
def _(config: Any) -> None:
    assert config.widths == (4,)
    assert last(classes(config, 3_000), "accuracy") > 0.97


@of("circle-cuts", "Remove units with − while it runs: with two the boundary has a gap.", is_long=True)
def _(config: Any) -> None:
    assert last(classes(config.with_values(units_1=2), 3_000), "accuracy") < 0.93


@of("circle-inputs", "No hidden layer; the inputs are x₁² and x₂².")
def _(config: Any) -> None:
    assert config.widths == ()
    assert config.input_names == ["x1^2", "x2^2"]


@of(
    "circle-inputs", "Yes: a straight line in these inputs is a circle in the plane.", "Good inputs can replace layers."
)
def _(config: Any) -> None:
    assert last(classes(config, 2_000), "accuracy") > 0.98


@of(
    "xor",
    "No straight line separates these classes.",
    "Remove the hidden layer with − above the network and watch it fail.",
)
def _(config: Any) -> None:
    assert last(classes(config.with_values(layers=0), 2_000), "accuracy") < 0.75


@of("xor", "Six units together can.")
def _(config: Any) -> None:
    assert config.widths == (6,)
    assert last(classes(config, 2_000), "accuracy") > 0.97


@of("xor", "Then add the input x₁x₂ and watch it succeed.")
def _(config: Any) -> None:
    assert last(classes(config.with_values(layers=0, inputs="x1,x2,x1x2"), 2_000), "accuracy") > 0.95


@of("own-table", "Each class gets an output.", "The hidden layer was kept.")
def _(config: Any) -> None:
    run = fresh("classification", config, 50)
    before = run.model[0].weight.detach().clone()
    run.use_rows(tuple((float(label), 1.0, float(label)) for label in range(5) for _ in range(2)))
    assert run.config.outputs == 5
    assert torch.equal(run.model[0].weight, before), "the hidden layer is kept"


@of("surgery", "With two units the model stops improving at about 92 % of the training points.", is_long=True)
def _(config: Any) -> None:
    run = classes(config, 4_000)
    assert last(run, "accuracy") == pytest.approx(0.92, abs=0.02)
    assert abs(last(run, "accuracy") - at(run, 3_000, "accuracy")) < 0.02, "it has stopped improving"


@of("surgery", "Add units with + one by one while it runs: the others keep what they have learned.")
def _(config: Any) -> None:
    run = fresh("classification", config, 500)
    before = run.model[0].weight.detach().clone()
    run.tune(run.config.with_values(units_1=3))
    assert torch.equal(run.model[0].weight[:2], before)


@of("challenge", "Classify 95 % of the test points correctly with at most 20 parameters.")
def _(config: Any) -> None:
    assert (config.most_parameters, config.least_accuracy) == (20, 95)
    fine = classes(config.with_values(layers=0, inputs="x1^2,x2^2"), 3_000)
    assert fine.challenge.met_at is not None, "it can be met"


@of("challenge", "Eight units are too many.")
def _(config: Any) -> None:
    assert status(classes(config, 0))["parameters"] > config.most_parameters


@of("spiral", "Two layers of twelve units.", is_long=True)
def _(config: Any) -> None:
    assert config.widths == (12, 12)
    assert last(classes(config, 4_000), "accuracy") > 0.95


@of("spiral", "Point at the units: those of the first layer are still straight cuts.", is_long=True)
@torch.no_grad()
def _(config: Any) -> None:
    run = classes(config, 4_000)
    outputs = models.layer_outputs(run.model, line(config))
    torch.testing.assert_close(
        torch.atanh(outputs[1].clamp(-0.999999, 0.999999)).clamp(-5, 5), outputs[0].clamp(-5, 5), atol=0.2, rtol=0
    )
    assert float(bend(outputs[0]).max()) < 1e-4, "one straight cut each"


@of(
    "five-arms",
    "A spiral of five classes: five outputs, one for each arm.",
    "The class with the largest output colours the plane.",
    is_long=True,
)
@torch.no_grad()
def _(config: Any) -> None:
    run = classes(config, 4_000)
    assert run.config.outputs == 5
    assert 0.5 < last(run, "test_accuracy") < 0.97, "some arms are taken for each other"


@of(
    "inside",
    "“Inside” shows each point by the outputs of the two hidden units.",
    "The grid bends and folds, because the output layer can only separate the classes with one straight line.",
)
@says(
    "In “Inside” the boundary is always straight, however bent it is on the map: the hidden layers bend the plane until a straight line separates the classes."
)
@torch.no_grad()
def _(config: Any = None) -> None:
    config = EXPERIMENTS["inside"]
    run = classes(config, 2_000)
    assert config.widths == (2,)
    x = torch.cartesian_prod(torch.linspace(-5, 5, 60), torch.linspace(-5, 5, 60))
    hidden = run.model[:-1](x)
    logits = run.model(x)
    head = run.model[-1]
    torch.testing.assert_close(logits, hidden @ head.weight.T + head.bias)
    assert float(bend(hidden[:60]).max()) > 1e-3, "the grid bends"
    assert last(run, "accuracy") > 0.8


@of("one-point", "The forward pass of one point.")
@torch.no_grad()
def _(config: Any) -> None:
    run = classes(config, 2_000)
    words = run.draw(["explain"], {}).charts["explain"]
    assert words
    assert last(run, "accuracy") > 0.8


@of("unsure", "Noise puts points on the wrong side.")
def _(config: Any) -> None:
    run = classes(config, 2_000)
    assert 0.8 < last(run, "test_accuracy") < 1


@of("unsure", "The rings are along the boundary, and those with a cross are wrong.")
@torch.no_grad()
def _(config: Any) -> None:
    run = classes(config, 2_000)
    shares = run.model(inputs_of(config, run.data.x_test)).softmax(dim=1)
    of_true = shares.gather(1, run.data.y_test[:, None])[:, 0]
    wrong = shares.argmax(dim=1) != run.data.y_test
    listed = np.lexsort((of_true.numpy(), (~wrong).numpy()))[:8]
    margins = (shares[:, 0] - shares[:, 1]).abs()
    right = [each for each in listed if not wrong[each]]
    assert right == [] or float(margins[right].max()) < float(margins.median()), (
        "those that are right are near the boundary"
    )


@of("noise", "The blobs overlap, so no boundary is perfect.")
def _(config: Any) -> None:
    run = classes(config, 2_000)
    assert last(run, "test_accuracy") < 0.95


@of("noise", "The training accuracy rises, and the test loss rises too.")
def _(config: Any) -> None:
    run = classes(config, 2_000)
    tests = run.history.column("test")
    assert last(run, "accuracy") > 0.99
    assert tests[-1] > 1.5 * np.nanmin(tests)


@of("too-sure", "Watch “Calibration”: on the test points its confidence soon reaches 100 %, and its accuracy does not.")
def _(config: Any) -> None:
    confidence, accuracy = test_evaluation(classes(config, 2_000))
    assert confidence > 0.97
    assert accuracy < 0.95


@of(
    "too-sure",
    "Pause early, or raise “Training points per class” to 500 in All settings: the dots come nearer to the diagonal.",
    is_long=True,
)
def _(config: Any) -> None:
    gaps = [
        abs(a - b)
        for a, b in map(
            test_evaluation,
            (classes(config, 2_000), classes(config, 100), classes(config.with_values(points=500), 2_000)),
        )
    ]
    assert gaps[1] < 0.6 * gaps[0], "early"
    assert gaps[2] < 0.5 * gaps[0], "with more points"


@of("weights-by-hand", "Class 0 is at the top right and the bottom left.")
def _(config: Any) -> None:
    data = fresh("classification", config, 0).data
    right = (data.x_train[:, 0] * data.x_train[:, 1] > 0) == (data.y_train == 0)
    assert float(right.float().mean()) > 0.95


@of(
    "weights-by-hand",
    "Pause it, and have each unit find one of these corners.",
    "Click on unit 1 and type weights 3 and 3, bias −6; for unit 2 −3 and −3, bias −6.",
)
def _(config: Any) -> None:
    run = fresh("classification", config, 0)
    for unit, sign in ((0, 3.0), (1, -3.0)):
        for source, value in ((0, sign), (1, sign), (None, -6.0)):
            run.apply(read_command({"do": "set", "layer": 0, "unit": unit, "input": source, "value": value}))
    hidden = run.model[1](run.model[0](torch.tensor([[4.0, 4.0], [-4.0, -4.0], [4.0, -4.0], [-4.0, 4.0]])))
    assert hidden[:, 0].sign().tolist() == [1, -1, -1, -1]
    assert hidden[:, 1].sign().tolist() == [-1, 1, -1, -1]


@says("The loss still falls when every point is correct: the model becomes more confident, and its weights grow.")
def _() -> None:
    run = fresh("classification", TUTORIAL.with_values(noise=0.4, lr=0.1, max_steps=0), 200)
    assert last(run, "accuracy") == 1
    loss, size = last(run), float(run.model[-1].weight.detach().norm())
    go_on(run, 1_000)
    assert last(run) < loss
    assert float(run.model[-1].weight.detach().norm()) > size


@says(
    "A change of the inputs, units or layers does not restart the training: every weight that still has a place keeps its value."
)
def _() -> None:
    run = fresh("classification", TUTORIAL, 20)
    before = run.model[0].weight.detach().clone()
    run.tune(TUTORIAL.with_values(units_1=12, inputs="x1,x2,x1x2"))
    assert run.steps == 20
    assert torch.equal(run.model[0].weight[:10, :2], before)


@says("The accuracy changes in jumps, the loss smoothly.")
def _() -> None:
    run = classes(TUTORIAL, 100)
    accuracy, loss = run.history.column("accuracy"), run.history.column("train")
    assert int((np.diff(accuracy) == 0).sum()) > 30, "the accuracy often stays the same"
    assert int((np.diff(loss) == 0).sum()) == 0, "the loss never"


@says("With more than two units you see the two principal directions, in which the points spread the most.")
def _() -> None:
    from playground.lessons.classification.look_inside import principal

    generator = torch.Generator().manual_seed(0)
    points = torch.randn(500, 4, generator=generator) * torch.tensor([5.0, 1.0, 3.0, 0.1])
    assert principal(points).directions.abs().argmax(dim=1).tolist() == [0, 2]


@says("L2 (weight decay) pulls a weight to 0 in proportion to its size, L1 pulls all equally hard.")
def _() -> None:
    w = torch.tensor([0.1, 2.0], requires_grad=True)
    (decay,) = torch.autograd.grad((w**2).sum() / 2, w)
    (lasso,) = torch.autograd.grad(w.abs().sum(), w)
    assert decay.tolist() == w.tolist()
    assert lasso.tolist() == [1, 1]


@says(
    "So with L1 the weights that the loss does not need end within one step (learning rate times L1 rate) of 0, and hop around it.",
    "Only an extra rule would set them to exactly 0.",
    is_long=True,
)
@torch.no_grad()
def _() -> None:
    config = TUTORIAL.with_values(l1=0.03, lr=0.1, max_steps=0)
    run = fresh("classification", config, 3_000)
    sizes = torch.cat([each.weight.abs().ravel() for each in models.linears(run.model)])
    assert float((sizes < config.lr * config.l1).float().mean()) > 0.3
    assert int((sizes == 0).sum()) == 0


@says(
    "A wrong point far from the boundary costs the most: the model is confident there, so the true class gets almost no probability.",
    "The loss depends more on this point than on all the correct ones.",
)
def _() -> None:
    losses = [
        nn.functional.cross_entropy(torch.tensor([[logit, -logit]]), torch.tensor([0])).item()
        for logit in (-4.0, -1.0, 1.0, 4.0)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 20 * losses[2], "more than twenty points on the right side"


@says(
    "Accuracy and calibration are two things: in “Calibration” a dot below the diagonal means that the model is overconfident, one above it that the model is better than its confidence."
)
def _(config: Any = None) -> None:
    from playground.lessons.classification.look_inside import Evaluation

    shares = np.array([[0.9, 0.1]] * 10)
    confidence, accuracy, _counts = Evaluation(
        np.zeros((10, 2)), np.array([0] * 6 + [1] * 4), np.zeros(10, int), shares
    ).calibration()
    assert float(np.nanmax(confidence)) == pytest.approx(0.9)
    assert float(np.nanmax(accuracy)) == pytest.approx(0.6), "overconfident, and below the diagonal"


@says(
    "The softmax depends only on the differences between the logits; the activation is the only part between input and logits that is not linear."
)
def _() -> None:
    z = torch.tensor([2.0, 0.5, -1.0])
    torch.testing.assert_close(z.softmax(dim=0), (z + 7).softmax(dim=0))
    layer = nn.Linear(2, 3)
    a, b = torch.randn(2, 2)
    torch.testing.assert_close(layer(a) + layer(b) - layer(torch.zeros(2)), layer(a + b))


@says(
    "One would do (with a sigmoid).",
    "With a sigmoid it can: near 0 for one class, near 1 for the other.",
    "The answer to two-outputs: The same code works for any number of classes.",
)
def _() -> None:
    z = torch.tensor([1.5, -0.3])
    assert float(z.softmax(dim=0)[0]) == pytest.approx(float(torch.sigmoid(z[0] - z[1])))


@says(
    "The model gives logits 2 and 0.",
    "e² / (e² + e⁰) ≈ 88 %.",
    "e⁰ is 1.",
    "Here it is 2.",
    "Softmax divides e² by the sum of both exponentials.",
    "Softmax divides exponentials.",
    "The answer to logits-to-confidence: 88.",
)
def _() -> None:
    assert float(torch.tensor([2.0, 0.0]).softmax(dim=0)[0]) == pytest.approx(0.88, abs=0.005)


@says(
    "Yes. The true class of each point has the highest probability, but not by much: e to the power of minus 0.3 is 74 %.",
    "The answer to accurate-with-loss: Yes.",
)
def _() -> None:
    assert math.exp(-0.3) == pytest.approx(0.74, abs=0.005)


@says(
    "It applies log-softmax itself, which is exact where probabilities would round to 0.",
    "The answer to logits-expected: It applies log-softmax itself.",
)
def _() -> None:
    logits, target = torch.tensor([[200.0, 0.0]]), torch.tensor([1])
    assert nn.functional.cross_entropy(logits, target).item() == pytest.approx(200)
    assert logits.softmax(dim=1)[0, 1].item() == 0, "rounded to 0, whose logarithm is not finite"


@says(
    "Into the loss, as integers (`torch.long`): the index of the true class, not rows of zeros and a one.",
    "The answer to labels: As the index of the true class, in `torch.long`.",
)
def _() -> None:
    assert fresh("classification", TUTORIAL, 0).data.y_train.dtype == torch.long
    with pytest.raises(RuntimeError):
        nn.functional.cross_entropy(torch.zeros(2, 2), torch.zeros(2, dtype=torch.int32))


@says(
    "Only three things differ from regression: the two outputs, the loss, and the labels.",
    "The predicted class is the one with the largest logit, `argmax`.",
)
def _() -> None:
    code = LESSONS["classification"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    found: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(code, found)
    assert found["accuracy"].item() > 0.97
    assert found["logits"].shape == (200, 2)


@says("That changes nothing: softmax keeps the order.")
def _() -> None:
    z = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(z.argmax(dim=1), z.softmax(dim=1).argmax(dim=1))


@says("A wrong point of two classes costs at least 0.69.")
def _() -> None:
    costs = [
        nn.functional.cross_entropy(torch.tensor([[0.0, gap]]), torch.tensor([0])).item() for gap in (0.0, 0.1, 3.0)
    ]
    assert min(costs) == pytest.approx(0.69, abs=0.005)


@of(
    "softmax-twice",
    "Softmax before a loss that applies it itself, a common mistake.",
    "It stays above 0.31, the logarithm of 1 + 1/e: two probabilities differ by 1 at most.",
)
def _(config: Any) -> None:
    run = classes(config, 400)
    assert math.log(1 + 1 / math.e) == pytest.approx(0.31, abs=0.005)
    assert last(run, "accuracy") > 0.97
    assert float(run.history.column("train").min()) > math.log(1 + 1 / math.e)


@of("softmax-twice", "Set the loss to cross-entropy in All settings: it falls below 0.1.")
def _(config: Any) -> None:
    run = fresh("classification", config, 400)
    run.tune(config.with_values(loss="cross_entropy"))
    assert last(classes(config.with_values(loss="cross_entropy"), 400)) < 0.1


@says("With one logit for each class, the same code works for any number of classes.")
def _() -> None:
    for count in (2, 3, 5):
        config = ClassificationConfig(cloud="spiral", classes=count)
        run = fresh("classification", config, 3)
        assert run.model(inputs_of(config, torch.zeros(1, 2))).shape == (1, count) and math.isfinite(last(run))


@says("That is 2 / (2 + 0).", "That is for a difference of 1 between the logits.")
def _() -> None:
    assert 2 / (2 + 0) == 1
    assert round(100 * float(torch.tensor([1.0, 0.0]).softmax(dim=0)[0])) == 73


@says("But points that are right cost something, too.")
def _() -> None:
    right = nn.functional.cross_entropy(torch.tensor([[3.0, 0.0]]), torch.tensor([0]))
    assert 0 < float(right) < math.log(2)


@says("The output layer adds these cuts up, and enough straight cuts make any boundary.", is_long=True)
def _() -> None:
    config = EXPERIMENTS["circle-cuts"]
    one, four = (status(classes(config.with_values(units_1=units), 3_000))["accuracy"] for units in (1, 4))
    assert one < 0.85 < 0.95 < four


@says("The tutorial applies softmax before `argmax`.")
def _() -> None:
    logits = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(logits.softmax(dim=1).argmax(dim=1), logits.argmax(dim=1)), "which changes nothing"


def colours(run: Any, **options: bool) -> np.ndarray[Any, Any]:
    """The bytes of the map's pixels: 51 for each class, and how certain the model is of it."""
    with torch.no_grad():
        figure = run.draw(["map"], options).charts["map"]
    return np.asarray(figure["maps"]["values"]).ravel().astype(int)


@says(
    "The colours of the plane show the model's prediction everywhere, so you can watch the decision boundary move.",
)
def _() -> None:
    run = fresh("classification", TUTORIAL, 20)
    with torch.no_grad():
        predicted = run.view().predictions.plane[-1].argmax(dim=1).numpy()
    before = colours(run) // 51
    assert (before == predicted).all() and set(before) == {0, 1}
    assert (colours(go_on(run, 60)) // 51 != before).any()


@says("Where the colours are pale the model is unsure; “Discrete” hides that.")
def _() -> None:
    run = classes(TUTORIAL, 50)
    with torch.no_grad():
        shares = run.view().predictions.plane[-1].softmax(dim=1).amax(dim=1).numpy()
    strength = colours(run) % 51
    assert np.corrcoef(strength, shares)[0, 1] > 0.999 and strength.min() == 0
    assert set(colours(run, discrete=True) % 51) == {50}


@says("The small maps in the network show each unit's output.")
@torch.no_grad()
def _() -> None:
    run = classes(EXPERIMENTS["xor"], 50)
    hidden = small_maps(run.view().predictions.plane[1])  # (units, pixels)
    maps = run.draw(["network"], {}).charts["network"]["maps"]["values"].reshape(-1, hidden.shape[1]).astype(int) - 128
    units = maps[len(run.config.input_names) :][: len(hidden)]
    largest = np.abs(hidden).max(axis=1, keepdims=True)
    assert np.abs(units / 127 - hidden / largest).max() < 0.01


@of("own-table", "Open “Your own points” in All settings and paste rows of x1,x2,class (classes 0 to 4).")
def _(config: Any) -> None:
    rows = OWN_POINTS.format.read("0.5,-1.5,0\n-2,1,4\n1,1,2\n0,0,1\n1,0,3", 100).rows
    run = fresh("classification", config, 0)
    run.use_rows(rows)
    assert run.config.outputs == 5
    with pytest.raises(ValueError):
        OWN_POINTS.format.read("\n".join(f"{at},1,{at}" for at in range(6)), 100)


@of(
    "challenge",
    "To set a challenge of your own, open All settings, under Training, and share the link.",
)
def _(config: Any) -> None:
    knobs = config.knobs()
    assert {knobs[name].group for name in ("most_parameters", "least_accuracy")} == {"Training"}
    own = {
        name: text
        for name, text in config.with_values(most_parameters=30).as_texts().items()
        if name == "most_parameters"
    }
    assert own == {"most_parameters": "30"}


@of("unsure", "“Least certain points” has the probability of their true class.")
@torch.no_grad()
def _(config: Any) -> None:
    run = classes(config, 300)
    shares = run.model(inputs_of(config, run.data.x_test)).softmax(dim=1)
    of_true = shares.gather(1, run.data.y_test[:, None])[:, 0].numpy()
    drawn = run.draw(["doubtful"], {}).charts["doubtful"]["data"][0]["x"]
    assert len(drawn) > 5 and all(np.isclose(of_true, each, atol=1e-5).any() for each in drawn)


@says("Large dots stand for many points.")
@torch.no_grad()
def _() -> None:
    run = classes(EXPERIMENTS["too-sure"], 200)
    counts = FrameContext(run.config, run.data, run.view(), run.drawing_state).evaluation.calibration()[2]
    sizes = run.draw(["calibration"], {}).charts["calibration"]["data"][1]["marker"]["size"]
    assert sizes[counts.argsort()].tolist() == sorted(sizes) and sizes[counts.argmax()] > min(sizes[counts > 0])


@says("“Explain a point” shows every calculation: sums of products, an activation, sums again.")
@torch.no_grad()
def _() -> None:
    run = classes(EXPERIMENTS["one-point"], 50)
    figure = run.draw(["explain"], {}).charts["explain"]
    shown = str(figure["data"]) + str(figure["layout"])
    assert "·x₁" in shown and "Tanh(" in shown and "·h₁" in shown and "exp(" in shown


@says("The script below is the script of the run on this page.")
def _() -> None:
    run = classes(TUTORIAL, 100)
    script = ClassificationScript(run.run_history())
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(script.text(), "script", "exec"), names)
    assert float(names["loss"]) == pytest.approx(at(run, 99), rel=1e-4)
