"""The page "Gradient descent"."""

from pages.ui import lab_page
from playground.lessons.gradient_descent.lesson import LESSON

lab_page.show(LESSON)
