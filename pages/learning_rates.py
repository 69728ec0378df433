"""The page "Learning rates"."""

from pages.ui import lab
from playground.lessons import learning_rates

lab.show(learning_rates.LESSON)
