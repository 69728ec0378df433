"""Which digits a page learns from, in a sentence; and where MNIST is missing, a button that fetches it."""

from __future__ import annotations

import streamlit as st

from pages.ui.training_page import quoted
from playground import mnist
from playground.mnist import job as mnist_job

SECONDS = 0.5  # between two looks at a download under way


def show() -> None:
    """The panel. Call it inside a container; the page runs anew when a download comes to its end."""
    digits = mnist.load()
    st.caption(digits.sentence)
    if digits.real:
        return
    job = mnist_job.latest()
    if job and job.running:
        _under_way()
        return
    if job and job.progress.state == "failed":
        st.error(quoted(job.progress.sentence))
    st.button("Download MNIST (12 MB)", on_click=mnist_job.start, key="mnist:download")


@st.fragment(run_every=SECONDS)
def _under_way() -> None:
    """The progress, the same for everybody on this server."""
    job = mnist_job.latest()
    if job is None or not job.running:
        st.rerun()
    progress = job.progress
    st.progress(progress.share, f"{progress.fetched / 1e6:.1f} of {progress.total / 1e6:.1f} MB")
    st.button("Cancel", on_click=job.cancel, key="mnist:cancel", help="Stops the download for everybody here.")
