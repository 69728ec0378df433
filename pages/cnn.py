"""The page "CNN on MNIST"."""

import streamlit as st

from pages.ui import lesson, picture
from playground.lessons import cnn

with st.spinner("Reading the digits …"):
    digits = cnn.prepare()
lesson.show(cnn.LESSON, extra=picture.upload)
st.caption(digits)
