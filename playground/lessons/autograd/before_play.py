"""What students predict of the experiments of Autograd, and the rules that read the truth from the labs."""

from __future__ import annotations

import torch

from playground.lessons.autograd import tutorial
from playground.lessons.autograd.accumulate import AccumulateConfig, call_backward
from playground.lessons.autograd.graph import GraphRun
from playground.lessons.autograd.mistakes import MISTAKES, MistakeConfig
from playground.lessons.autograd.slope import SlopeConfig, difference, slope_of
from playground.lessons.autograd.tutorial import TutorialConfig
from playground.lessons.run_line_by_line import run_program
from playground.parsing.expressions import parse
from playground.predictions import Choice, Number, Prediction, Why

ARRIVES = {"all": 0.5, "quarter": 0.1, "hundredth": 5e-3}  # at least so much of the gradient; else a thousandth or less


def gradient_of_x(run: GraphRun) -> float:
    """The gradient of the input x, a single number, at the end of the backward pass."""
    node = next(at for at, each in enumerate(run.pass_.nodes) if each.is_leaf and each.label == "x")
    gradient = run.pass_.gradient_at(node, run.steps)
    assert gradient is not None
    return gradient.item()


def how_much_arrives(run: GraphRun) -> str:
    """How much of the gradient of 1 at the result is left at x."""
    left = abs(gradient_of_x(run))
    return next((name for name, least in ARRIVES.items() if left >= least), "thousandth")


def gradient_of_each(config: TutorialConfig) -> float:
    """The gradient of the first of four equal numbers."""
    return float(tutorial.gradient_of(config.numbers)[1].flat[0])


def signs_of_gradients(config: TutorialConfig) -> str:
    """Whether all gradients are positive, zero or negative."""
    (sign,) = set(torch.tensor(tutorial.gradient_of(config.numbers)[1]).sign().flatten().tolist())
    return {1: "positive", 0: "zero", -1: "negative"}[int(sign)]


def gradient_at_the_end(config: AccumulateConfig) -> float:
    """x.grad after the last call of backward()."""
    return call_backward(config)[-1].after


def failing_call(config: AccumulateConfig) -> str:
    """Which call of backward() fails: "first", "second", "later" or "none"."""
    calls = call_backward(config)
    return {1: "first", 2: "second"}.get(len(calls), "later") if calls[-1].error else "none"


def what_is_printed(config: MistakeConfig) -> str:
    """What the program with the mistake prints at last, or "error"."""
    lines = run_program(MISTAKES[config.mistake].wrong)
    return "error" if any(line.state == "raised" for line in lines) else lines[-1].output


def slope_by_autograd(config: SlopeConfig) -> str:
    """The slope that autograd gives at the point, as a whole number."""
    return f"{slope_of(parse(config.formula, ['x']), config.x, torch.float64)[1]:.0f}"


def best_step(config: SlopeConfig) -> str:
    """The size of the step ε at which the slope measured in float32 is nearest to the true one; the largest of several.

    Compared are "1", "1e-2", "1e-4" and "1e-7".
    """
    f, names = parse(config.formula, ["x"]), ("1", "1e-2", "1e-4", "1e-7")
    true = slope_of(f, config.x, torch.float64)[1]
    eps = torch.tensor([float(name) for name in names])
    errors = (difference(f, torch.tensor(config.x), eps, config.method) - true).abs()
    return names[int(errors.argmin())]


PREDICTIONS = {
    "two-ways": Prediction(
        Number("`x*x + 3*x` at x = 2. How large is x.grad?", rule=gradient_of_x, lo=0, hi=20, tolerance=0),
        Why(
            "How does autograd get it?",
            {
                "last": "It keeps that of the last use",
                "sum": "It adds up what arrives at x",
                "value": "It is the value of the formula",
            },
            "sum",
            {
                "last": "Nothing is overwritten: gradients that arrive at one place are added.",
                "value": "The value, 10, is what the forward pass gives. The gradient is its slope.",
            },
        ),
    ),
    "four-sigmoids": Prediction(
        Choice(
            "Four sigmoids, one after the other. How much of the gradient arrives at x?",
            {"all": "All of it", "quarter": "About a quarter", "hundredth": "About a hundredth",
             "thousandth": "About a thousandth"},
            how_much_arrives,
        ),
        Why(
            "Why?",
            {
                "steepest": "Only the flattest one counts",
                "copy": "It is passed on unchanged",
                "product": "Each leaves a quarter at most",
            },
            "product",
            {
                "steepest": "All four count: the chain rule multiplies their slopes.",
                "copy": "Only where the local derivative is 1. That of a sigmoid is at most 0.25.",
            },
        ),
    ),
    "all-the-same": Prediction(
        Number(
            "v is four times the number 2. How large is the gradient of `mean(v*v)` at each?",
            rule=gradient_of_each, lo=-10, hi=10, tolerance=0,
        ),
        Why(
            "Why?",
            {
                "square": "The derivative of v² is 2v",
                "value": "It is the mean of the squares",
                "mean": "2v, divided by 4 by the mean",
            },
            "mean",
            {
                "square": "True of a sum. The mean also divides by the number of numbers, 4.",
                "value": "The mean of the squares is the result, 4. The gradient says how it changes.",
            },
        ),
    ),
    "negative-numbers": Prediction(
        Choice(
            "−1, −2, −3, −4 in place of 1, 2, 3, 4. `mean(v*v)` is the same. And the gradients?",
            {"positive": "All positive, as before", "zero": "All zero", "negative": "All negative"},
            signs_of_gradients,
        ),
        Why(
            "Why?",
            {
                "same": "Equal results have equal gradients",
                "slope": "Left of 0 the parabola goes down",
                "error": "A gradient is never below zero",
            },
            "slope",
            {
                "same": "Two places of a curve can be equally high and have opposite slopes.",
                "error": "A negative gradient means: a larger number makes the result smaller.",
            },
        ),
    ),
    "forgotten-zero-grad": Prediction(
        Number(
            "y = x² at x = 3: backward() gives 6. How large is x.grad after six calls?",
            rule=gradient_at_the_end, lo=0, hi=100, tolerance=0,
        ),
        Why(
            "Why?",
            {
                "new": "Each call replaces the gradient of the last one",
                "mean": "torch averages the calls",
                "add": "Each call adds to what is in x.grad",
            },
            "add",
            {
                "new": "backward() never replaces. That is why a loop needs zero_grad().",
                "mean": "Nothing is averaged; the sum grows with each call.",
            },
        ),
    ),
    "nothing-saved": Prediction(
        Choice(
            "y = x + x: backward() four times on one graph. Which call fails first?",
            {"second": "The second", "first": "The first", "none": "None of them", "later": "The fourth"},
            failing_call,
        ),
        Why(
            "Why?",
            {
                "saved": "A sum saves no values to free",
                "freed": "backward() deletes the graph",
                "leaf": "Two uses of x keep the graph",
            },
            "saved",
            {
                "freed": "It frees what the forward pass saved. With x² or sin(x) the second call fails.",
                "leaf": "How often x is used does not matter. x*x also uses it twice, and fails.",
            },
        ),
    ),
    "half-detached": Prediction(
        Choice(
            "`y = (x.detach() * x).sum()` with x = 1, 2. What is x.grad?",
            {"tensor([2., 4.])": "2, 4", "error": "backward() fails", "None": "None", "tensor([1., 2.])": "1, 2"},
            what_is_printed,
        ),
        Why(
            "Why?",
            {
                "same": "The numbers are the same: 2x",
                "cut": "x is cut off from the graph",
                "constant": "One factor is a constant",
            },
            "constant",
            {
                "same": "The numbers are the same, but no gradient goes through a detached tensor.",
                "cut": "Only the copy is cut off. The other factor is x itself, and its gradient arrives.",
            },
        ),
    ),
    "unused": Prediction(
        Choice(
            "The loss does not depend on the weight w. What is w.grad after backward()?",
            {"tensor([0., 0.])": "0, 0", "None": "None", "error": "backward() fails", "tensor([1., 1.])": "1, 1"},
            what_is_printed,
        ),
        Why(
            "Why?",
            {
                "zero": "No effect means a gradient of zero",
                "never": "No gradient was ever sent to w",
                "forbidden": "Each parameter has to be used",
            },
            "never",
            {
                "zero": "That would be right in mathematics. torch writes .grad only where a gradient arrives.",
                "forbidden": "It is allowed and gives no message; w is just never trained.",
            },
        ),
    ),
    "corner": Prediction(
        Choice(
            "abs(x) at 0: slope −1 on the left, 1 on the right. What does autograd say?",
            {"0": "0", "nan": "NaN", "-1": "−1", "1": "1"},
            slope_by_autograd,
        ),
        Why(
            "Why?",
            {
                "chosen": "torch picks a value in between",
                "nan": "Without a slope it is undefined",
                "right": "It takes the right side",
            },
            "chosen",
            {
                "right": "The forward difference does that. torch uses sign(x), which is 0 at 0.",
                "nan": "In mathematics it is. NaN would end every training that meets a corner.",
            },
        ),
    ),
    "straight-line": Prediction(
        Choice(
            "`2*x + 1` in float32: at which ε is the measured slope best?",
            {"1e-7": "0.0000001", "1e-4": "0.0001", "1e-2": "0.01", "1": "1"},
            best_step,
        ),
        Why(
            "Why?",
            {
                "small": "A smaller step is more exact",
                "same": "All steps are equally good",
                "digits": "Only small steps round here",
            },
            "digits",
            {
                "small": "On a curve at first. Then two nearly equal values are subtracted, which loses digits.",
                "same": "By the formula, yes. With 7 digits a tiny difference is mostly rounding.",
            },
        ),
    ),
}  # fmt: skip
