"""The page every visit starts on."""

import streamlit as st

st.title("PyTorch Playground", anchor=False)
