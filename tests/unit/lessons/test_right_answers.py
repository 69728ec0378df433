"""The right answers of "Check yourself" are what torch and NumPy compute: each is computed by a rule of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from playground.lessons import LESSONS
from playground.questions import Choice, Formula, Number, Question, find, questions
from playground.training.models import mlp

Rule = Callable[[], object]


def question(name: str) -> Question:
    lesson, _, id = name.partition("/")
    found = find(LESSONS[lesson], id)
    assert found is not None, name
    return found


def parameters(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def slope(function: Callable[[Tensor], Tensor], at: float) -> float:
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    function(x).backward()
    return float(x.grad)


def raises(act: Callable[[], object]) -> bool:
    try:
        act()
    except (RuntimeError, TypeError, ValueError, IndexError):
        return True
    return False


def bends(weights: Tensor, biases: Tensor) -> int:
    """How often the slope of a sum of ReLU units changes along a line of points."""
    x = torch.linspace(-3, 3, 60_001, dtype=torch.float64)
    y = torch.relu(x[:, None] * weights + biases).sum(1)
    slopes = torch.diff(y) / torch.diff(x)
    changed = torch.diff(slopes).abs() > 1e-6
    return int((changed[1:] & ~changed[:-1]).sum() + changed[0])


def batches(samples: int, size: int, **more: bool) -> int:
    data = torch.utils.data.TensorDataset(torch.arange(samples))
    return len(list(torch.utils.data.DataLoader(data, size, **more)))


def distance_after_a_step(rate: float, curvature: float) -> float:
    """Of SGD on curvature * w ** 2 / 2, from a distance of 1."""
    w = nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer = torch.optim.SGD([w], lr=rate)
    (curvature * w**2 / 2).backward()
    optimizer.step()
    return w.item()


def reach(momentum: float, steps: int = 400) -> float:
    """The length of a late step of SGD with momentum, in steps without, where the gradient stays 1."""
    w = nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.SGD([w], lr=1.0, momentum=momentum)
    before = 0.0
    for _ in range(steps):
        before = w.item()
        w.grad = torch.ones_like(w)
        optimizer.step()
    return before - w.item()


def first_adam_step(gradient: float) -> float:
    w = nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.Adam([w], lr=0.01)
    w.grad = torch.tensor(gradient)
    optimizer.step()
    return abs(w.item()) / 0.01


def diverges(rate: float, curvature: float) -> bool:
    return abs(distance_after_a_step(rate, curvature)) > 1


NUMBERS: dict[str, Rule] = {
    "activations/ten-sigmoids": lambda: slope(torch.sigmoid, 0.0) ** 10,
    "activations/relu-bends": lambda: bends(torch.ones(6), torch.linspace(-2, 2, 6)),
    "autograd/start-of-backward": lambda: slope(lambda x: x, 3.0),
    "classification/logits-to-confidence": lambda: 100 * float(torch.softmax(torch.tensor([2.0, 0.0]), 0)[0]),
    "cnn/first-layer": lambda: parameters(nn.Conv2d(1, 16, 5)),
    "cnn/second-layer": lambda: parameters(nn.Conv2d(16, 32, 5)),
    "cnn/flattened": lambda: nn.MaxPool2d(2)(nn.MaxPool2d(2)(torch.zeros(1, 32, 28, 28))).numel(),
    "convolution/output-width": lambda: nn.Conv2d(1, 1, 5)(torch.zeros(1, 1, 28, 28)).shape[-1],
    "convolution/pooled-width": lambda: nn.MaxPool2d(5)(torch.zeros(1, 1, 28, 28)).shape[-1],
    "data_loader/batches-in-epoch": lambda: batches(10, 4),
    "gradient_descent/diverges-above": lambda: next(
        rate for rate in np.arange(0.3, 0.4, 0.0005) if diverges(float(rate), curvature=2 * 3)
    ),
    "learning_rates/rate-and-momentum": lambda: reach(0.8) / reach(0.9),
    "optimizers/adam-first-step": lambda: first_adam_step(0.02),
    "regression/steps-in-epoch": lambda: batches(100, 100),
    "training_loop/in-features": lambda: flattened(nn.Conv2d(3, 16, 3, padding=1), nn.MaxPool2d(2)),
    "training_loop/differences": lambda: (torch.zeros(50, 1) - torch.zeros(50)).numel(),
}


def flattened(*modules: nn.Module) -> int:
    return int(nn.Sequential(*modules, nn.Flatten())(torch.zeros(1, 3, 32, 32)).shape[1])


def gradient_of_mean(v: tuple[float, ...]) -> list[float]:
    tensor = torch.tensor(v, dtype=torch.float64, requires_grad=True)
    torch.mean(tensor * tensor).backward()
    return tensor.grad.tolist()


def width(padding: int, kernel: int) -> int:
    return int(nn.Conv2d(1, 1, kernel, padding=padding)(torch.zeros(1, 1, 40, 40)).shape[-1])


# By the question: what the formula gives at each of its numbers.
FORMULAS: dict[str, Callable[..., object]] = {
    "autograd/gradient-of-mean": lambda v: gradient_of_mean(v),
    "convolution/conv-parameters": lambda i, o, k: [
        parameters(nn.Conv2d(*map(int, each))) for each in zip(i, o, k, strict=True)
    ],
    "convolution/same-size": lambda k: [
        next(padding for padding in range(20) if width(padding, int(each)) == 40) for each in k
    ],
    "gradient_descent/one-step": lambda h: [
        next(
            rate
            for rate in (0.25 / each, 0.5 / each, 1 / each, 2 / each)
            if abs(distance_after_a_step(rate, each)) < 1e-9
        )
        for each in h
    ],
    "learning_rates/distance-factor": lambda r, h: [distance_after_a_step(*each) for each in zip(r, h, strict=True)],
    "optimizers/momentum-reach": lambda b: [reach(each) for each in b],
    "regression/parameters": lambda n: [parameters(mlp(1, [int(each)], 1, generator=torch.Generator())) for each in n],
}


def transpose() -> str:
    x = torch.zeros(3, 4).t()
    assert torch.zeros(3, 4).stride() == (4, 1)
    return f"{tuple(x.shape)} and {x.stride()}"


def depends_on(weights: int) -> bool:
    """Whether zeros in all layers pass anything on."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    for each in model.parameters():
        nn.init.zeros_(each)
    return bool(model(torch.randn(5, weights)).any())


def shift_changes_softmax() -> bool:
    scores = torch.tensor([1.0, 2.0, 4.0])
    return not torch.allclose(torch.softmax(scores, 0), torch.softmax(scores + 100, 0), atol=1e-6)


def after_three_backwards() -> str:
    w = torch.ones(1, requires_grad=True)
    for factor in (1.0, 2.0, 4.0):
        (factor * w).backward()
    return {7.0: "The sum of all three gradients", 4.0: "The gradient of the third batch"}[w.grad.item()]


def fewer() -> str:
    three, one = 3 * parameters(nn.Conv2d(16, 16, 3)), parameters(nn.Conv2d(16, 16, 7))
    return "The three of 3 × 3" if three < one else "The one of 7 × 7"


def loss_accepts(labels: Tensor) -> bool:
    return not raises(lambda: nn.CrossEntropyLoss()(torch.zeros(3, 2), labels))


def helps_with_integers() -> str:
    x = torch.tensor([1, 2])
    calls = {
        "`x.mean()`": lambda: x.mean(),
        "`torch.mean(x.float())`": lambda: torch.mean(x.float()),
        "`torch.mean(x, dim=0)`": lambda: torch.mean(x, dim=0),
    }
    (found,) = [text for text, call in calls.items() if not raises(call)]
    return found


def mismatch() -> str:
    model = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1))
    other = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 2))
    with pytest.raises(RuntimeError, match=r"size mismatch for 2\.weight"):
        model.load_state_dict(other.state_dict())
    return "The third module of the `nn.Sequential`"


def shares() -> str:
    a = np.zeros(2)
    copied, shared = torch.tensor(a), torch.from_numpy(a)
    a[0] = 1
    assert (float(copied[0]), float(shared[0])) == (0, 1)
    return "The first copies, the second uses the same memory"


def straight() -> str:
    x = torch.linspace(-1, 1, 11)[:, None]
    bend = torch.diff(nn.Sequential(nn.Linear(1, 8), nn.Linear(8, 1))(x).flatten(), n=2).abs().max()
    return "A straight line" if bend < 1e-5 else "A line with one bend"


def state_after_sgd() -> str:
    w = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([w], lr=0.1)
    w.grad = torch.ones(1)
    optimizer.step()
    return (
        "Nothing"
        if not any(any(each is not None for each in kept.values()) for kept in optimizer.state.values())
        else ""
    )


def decay_depends_on_gradient(rule: type[torch.optim.Optimizer]) -> bool:
    """Whether the decay of a weight of 1 differs between a large gradient and a small one."""

    def decayed(gradient: float) -> float:
        lengths = []
        for decay in (0.0, 0.1):
            w = nn.Parameter(torch.ones((), dtype=torch.float64))
            optimizer = rule([w], lr=0.01, weight_decay=decay)  # type: ignore[call-arg]
            for at in range(20):
                w.grad = torch.full_like(w, gradient if at % 2 else -gradient)
                optimizer.step()
            lengths.append(w.item())
        return lengths[0] - lengths[1]

    return not math.isclose(decayed(0.1), decayed(10.0), rel_tol=0.2)


def first_rate(schedule: str) -> float:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    if schedule == "one cycle":
        torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    else:
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    return float(optimizer.param_groups[0]["lr"])


def reshape_copies() -> list[bool]:
    x = torch.zeros(3, 4)
    return [view.reshape(12).data_ptr() != x.data_ptr() for view in (x, x.t())]


def larger_image() -> str:
    counts = []
    for size in (9, 90):
        layer = nn.LazyConv2d(4, 3)
        layer(torch.zeros(1, 1, size, size))
        counts.append(parameters(layer))
    return "No" if counts[0] == counts[1] else "Yes: one for each pixel"


def ninths() -> str:
    image = torch.rand(1, 1, 5, 5)
    output = torch.conv2d(image, torch.full((1, 1, 3, 3), 1 / 9))
    return "Nothing: it blurs" if torch.allclose(output[0, 0, 0, 0], image[0, 0, :3, :3].mean()) else "Edges"


def printed_method() -> str:
    is_method = str(torch.zeros(2).numpy).startswith("<built-in method numpy of Tensor object at")
    return "The method and its address" if is_method else "The values, as a NumPy array"


def reversed_arrays() -> str:
    is_refused = raises(lambda: torch.zeros(3)[::-1]) and np.zeros(3)[::-1].strides < (0,)
    return "The strides of a tensor cannot be negative" if is_refused else ""


def digits() -> str:
    printed = str(torch.sin(torch.tensor(1.0))), f"{np.sin(1.0):.8f}"
    return "Only by rounding" if printed == ("tensor(0.8415)", "0.84147098") else ""


# By the question: the text of the option that is true.
CHOICES: dict[str, Rule] = {
    "activations/relu-at-0": lambda: f"{slope(torch.relu, 0.0):g}",
    "activations/step-function": lambda: (
        "Every gradient that passes it is 0" if slope(torch.sign, 0.5) == 0
        else ""
    ),
    "activations/add-100": lambda: "Nothing" if not shift_changes_softmax() else "The shares become almost equal",
    "activations/bf16-range": lambda: (
        "It has as many bits for the exponent as fp32"
        if math.isclose(torch.finfo(torch.bfloat16).max, torch.finfo(torch.float32).max, rel_tol=0.01)
        and torch.finfo(torch.float16).max < 1e5 and torch.finfo(torch.bfloat16).eps == 2**-7
        else ""
    ),
    "activations/all-zeros": lambda: "0, for every input" if not depends_on(2) else "The input, unchanged",
    "autograd/no-grad-fn": lambda: (
        "Its input does not require a gradient" if torch.mean(torch.ones(2) * 2).grad_fn is None else ""
    ),
    "autograd/never-zeroed": after_three_backwards,
    "checkpoints/which-layer": mismatch,
    "classification/accurate-with-loss": lambda: (
        "Yes" if math.isclose(-math.log(0.74), 0.3, abs_tol=0.01) and 0.74 > 0.5 else ""
    ),
    "classification/labels": lambda: (
        "As the index of the true class, in `torch.long`"
        if loss_accepts(torch.tensor([0, 1, 1])) and not loss_accepts(torch.tensor([0.0, 1.0, 1.0])) else ""
    ),
    "cnn/padding-of-2": lambda: (
        "The maps stay 28 × 28" if nn.Conv2d(1, 1, 5, padding=2)(torch.zeros(1, 1, 28, 28)).shape[-2:] == (28, 28)
        else "The maps become 32 × 32"
    ),
    "convolution/larger-image": larger_image,
    "convolution/three-or-one": fewer,
    "convolution/ninths": ninths,
    "data_loader/numpy-printed": printed_method,
    "learning_rates/one-cycle": lambda: (
        "It starts at a small rate and rises"
        if math.isclose(first_rate("one cycle"), 1 / 25) and first_rate("cosine") == 1 else ""
    ),
    "optimizers/sgd-state": state_after_sgd,
    "optimizers/adamw": lambda: (
        "It shrinks the weights separately from the step"
        if decay_depends_on_gradient(torch.optim.Adam) and not decay_depends_on_gradient(torch.optim.AdamW) else ""
    ),
    "regression/two-linear-layers": straight,
    "regression/why-zero-grad": lambda: (
        "`backward()` adds to the gradients that are there" if after_three_backwards().startswith("The sum") else ""
    ),
    "tensors/transpose": transpose,
    "tensors/copy-or-share": shares,
    "tensors/add-shapes": lambda: "No" if raises(lambda: torch.zeros(2, 3) + torch.zeros(2)) else "",
    "tensors/mean-of-integers": helps_with_integers,
    "tensors/reversed": reversed_arrays,
    "tensors/reshape-copies": lambda: (
        "When no strides can read the memory in the new order" if reshape_copies() == [False, True] else "Always"
    ),
    "tensors/digits": digits,
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_what_is_computed(name: str) -> None:
    kind = question(name).kind
    assert isinstance(kind, Number)
    assert kind.value == pytest.approx(NUMBERS[name](), abs=kind.tolerance)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_gives_what_is_computed(name: str) -> None:
    kind = question(name).kind
    assert isinstance(kind, Formula)
    given = kind._values(kind.text).tolist()
    assert given == pytest.approx(FORMULAS[name](**kind.numbers))


@pytest.mark.parametrize("name", CHOICES)
def test_the_right_option_is_what_is_computed(name: str) -> None:
    kind = question(name).kind
    assert isinstance(kind, Choice)
    assert kind.options[kind.right] == CHOICES[name]()


def test_every_number_and_formula_is_computed() -> None:
    found = {f"{lesson.name}/{each.id}": each.kind for lesson in LESSONS.values() for each in questions(lesson)}
    assert {name for name, kind in found.items() if isinstance(kind, Number)} == NUMBERS.keys()
    assert {name for name, kind in found.items() if isinstance(kind, Formula)} == FORMULAS.keys()
