"""The page "Regression"."""

from pages.ui import training_page
from pages.ui.popovers import data_points
from playground.lessons.regression.lesson import LESSON

training_page.show(LESSON, data_points.expander(LESSON))
