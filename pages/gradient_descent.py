"""The page "Gradient descent"."""

from pages.ui import lab_page as lab
from playground.lessons.gradient_descent import lesson as gradient_descent

lab.show(gradient_descent.LESSON)
