"""The page "Training loop"."""

from pages.ui import lab_page
from playground.lessons.training_loop.lesson import LESSON

lab_page.show(LESSON)
