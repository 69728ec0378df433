"""The lessons, in the order they are taught: a folder each, whose module `lesson` has the LESSON."""

from importlib import import_module

from playground.lesson import Bench, Lesson

NAMES = (
    "tensors",
    "autograd",
    "activations",
    "gradient_descent",
    "regression",
    "classification",
    "training_loop",
    "checkpoints",
    "data_loader",
    "optimizers",
    "learning_rates",
    "convolution",
    "cnn",
)
MORE_BENCHES = ("classification.seeds",)  # that have no knobs of their own: modules whose BENCH is one
LESSONS: dict[str, Lesson] = {name: import_module(f"playground.lessons.{name}.lesson").LESSON for name in NAMES}
BENCHES: dict[str, Bench] = {
    bench.name: bench
    for bench in (
        *(bench for lesson in LESSONS.values() for bench in lesson.benches),
        *(import_module(f"playground.lessons.{name}").BENCH for name in MORE_BENCHES),
    )
}
