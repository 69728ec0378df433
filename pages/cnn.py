"""The page "CNN on MNIST"."""

import streamlit as st

from pages.ui import mnist_panel, training_page
from pages.ui.popovers import data_picture
from playground.lessons.cnn.lesson import LESSON

training_page.show(LESSON, data_picture.upload)
st.caption(mnist_panel.sentence())
