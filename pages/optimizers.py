"""The page "Optimizers"."""

from pages.ui import training_page as lesson
from playground.lessons.optimizers import lesson as optimizers

lesson.show(optimizers.LESSON)
