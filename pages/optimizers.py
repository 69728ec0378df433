"""The page "Optimizers"."""

from pages.ui import lesson
from playground.lessons import optimizers

lesson.show(optimizers.LESSON)
