"""The page "Learning rates"."""

from pages.ui import lab_page as lab
from playground.lessons.learning_rates import lesson as learning_rates

lab.show(learning_rates.LESSON)
