"""The page "Regression"."""

from pages.ui import lesson
from playground.lessons import regression

lesson.show(regression.LESSON)
