"""The lessons, in the order they are taught: a folder each, whose module `lesson` has the LESSON."""

from importlib import import_module

from playground.lesson import Lesson

NAMES = (
    "tensors",
    "autograd",
    "activations",
    "gradient_descent",
    "regression",
    "classification",
    "checkpoints",
    "data_loader",
    "optimizers",
    "learning_rates",
    "convolution",
    "cnn",
)
LESSONS: dict[str, Lesson] = {name: import_module(f"playground.lessons.{name}.lesson").LESSON for name in NAMES}
