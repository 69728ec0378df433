"""The page "CNN on MNIST"."""

import streamlit as st

from pages.ui import training_page
from pages.ui.popovers import data_picture
from pages.ui.widgets import mnist_panel
from playground.lessons.cnn.lesson import LESSON


def which_digits(_: object) -> None:
    """Which digits the page learns from."""
    st.caption(mnist_panel.sentence())


training_page.show(LESSON, data_picture.expander, below=which_digits)
