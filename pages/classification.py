"""The page "Classification"."""

import streamlit as st

from pages.ui import board, training_page
from pages.ui.messages import TEXT
from pages.ui.popovers import data_points
from pages.ui.session import run_of
from playground.lessons.classification import seeds
from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.classification.lesson import LESSON


def nine_seeds(config: ClassificationConfig) -> None:
    """Nine starts of the same settings, when they are asked for."""
    if st.toggle(TEXT.seeds.switch, key="classification:seeds", help=TEXT.seeds.switch_help):
        run_id = run_of(seeds.BENCH.name, config)
        board.live(f"{seeds.BENCH.name}:board", run_id, seeds.BENCH.charts, seeds.BENCH.status)


training_page.show(LESSON, data_points.expander(LESSON), below=nine_seeds)
