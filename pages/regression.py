"""The page "Regression"."""

from pages.ui import training_page as lesson
from pages.ui.popovers import data_points as points
from playground.lessons.regression import lesson as regression

lesson.show(regression.LESSON, points.popover(regression.LESSON))
