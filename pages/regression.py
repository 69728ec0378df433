"""The page "Regression"."""

from pages.ui import lesson, points
from playground.lessons import regression

lesson.show(regression.LESSON, points.popover(regression.LESSON))
