"""The lessons, in the order they are taught."""

from playground.lesson import Lesson
from playground.lessons import (
    activations,
    autograd,
    checkpoints,
    classification,
    cnn,
    convolution,
    data_loader,
    gradient_descent,
    learning_rates,
    optimizers,
    regression,
    tensors,
)

LESSONS: dict[str, Lesson] = {
    lesson.LESSON.name: lesson.LESSON
    for lesson in (
        tensors,
        autograd,
        activations,
        gradient_descent,
        regression,
        classification,
        checkpoints,
        data_loader,
        optimizers,
        learning_rates,
        convolution,
        cnn,
    )
}
