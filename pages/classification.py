"""The page "Classification"."""

import streamlit as st

from pages.ui import board
from pages.ui import training_page as lesson
from pages.ui.popovers import data_points as points
from playground.lessons.classification import lesson as classification
from playground.lessons.classification import seeds as classification_seeds


def nine_seeds(config: classification.ClassificationConfig) -> None:
    """Nine starts of the same settings, on demand."""
    if st.toggle("Nine seeds at once", key="classification:seeds", help="The same points and settings, nine starts."):
        run_id = lesson.run_of("classification_seeds", classification_seeds.build, config)
        board.live("classification_seeds:board", run_id, classification_seeds.CHARTS, classification_seeds.STATUS)


lesson.show(classification.LESSON, points.popover(classification.LESSON), below=nine_seeds)
