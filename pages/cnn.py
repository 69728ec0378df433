"""The page "CNN on MNIST"."""

import streamlit as st

from pages.ui import training_page
from pages.ui.messages import TEXT
from pages.ui.popovers import data_picture
from playground.lessons.cnn.lesson import LESSON, prepare

with st.spinner(TEXT.mnist.reading):
    digits = prepare()
training_page.show(LESSON, data_picture.upload)
st.caption(digits)
