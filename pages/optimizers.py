"""The page "Optimizers"."""

from pages.ui import training_page
from playground.lessons.optimizers.lesson import LESSON

training_page.show(LESSON)
