"""The lessons, in the order they are taught."""

from playground.lesson import Lesson
from playground.lessons.activations import lesson as activations
from playground.lessons.autograd import lesson as autograd
from playground.lessons.checkpoints import lesson as checkpoints
from playground.lessons.classification import lesson as classification
from playground.lessons.cnn import lesson as cnn
from playground.lessons.convolution import lesson as convolution
from playground.lessons.data_loader import lesson as data_loader
from playground.lessons.gradient_descent import lesson as gradient_descent
from playground.lessons.learning_rates import lesson as learning_rates
from playground.lessons.optimizers import lesson as optimizers
from playground.lessons.regression import run as regression
from playground.lessons.tensors import lesson as tensors

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
