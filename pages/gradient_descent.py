"""The page "Gradient descent"."""

from pages.ui import lab
from playground.lessons import gradient_descent

lab.show(gradient_descent.LESSON)
