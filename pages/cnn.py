"""The page "CNN on MNIST"."""

import streamlit as st

from pages.ui import training_page as lesson
from pages.ui.popovers import data_picture as picture
from playground.lessons.cnn import lesson as cnn

with st.spinner("Reading the digits …"):
    digits = cnn.prepare()
lesson.show(cnn.LESSON, extra=picture.upload)
st.caption(digits)
