"""The page "CNN on MNIST"."""

import streamlit as st

from pages.ui import mnist_panel, training_page
from pages.ui.popovers import data_picture
from playground.lessons.cnn.lesson import LESSON


def which_digits(_: object) -> None:
    """Which digits the page learns from."""
    st.caption(mnist_panel.sentence())


training_page.show(LESSON, data_picture.expander, below=which_digits)
