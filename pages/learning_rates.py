"""The page "Learning rates"."""

from pages.ui import lab_page
from playground.lessons.learning_rates.lesson import LESSON

lab_page.show(LESSON)
