"""Which digits a page learns from, in a sentence; and where MNIST is missing, a button that fetches it."""

from __future__ import annotations

import streamlit as st

from pages.ui.messages import TEXT, quoted
from playground import mnist
from playground.mnist import job as mnist_job

POLL_SECONDS = 0.5  # between two updates of a download's progress


def show() -> None:
    """The panel. Call it inside a container; the page reruns when a download ends."""
    source = mnist.source()
    st.caption(quoted(source.sentence))
    if source.real:
        return
    job = mnist_job.latest()
    if job and job.running:
        _progress()
        return
    if job and job.progress.state == "failed":
        st.error(quoted(job.progress.sentence))
    st.button(TEXT.mnist.download, on_click=mnist_job.start, key="mnist:download")


def sentence() -> str:
    """Which digits a page learns from; at its first call the files are checked, which takes a moment."""
    with st.spinner(TEXT.mnist.reading):
        return mnist.source().sentence


@st.fragment(run_every=POLL_SECONDS)
def _progress() -> None:
    """The progress of the download, the same for everybody on this server."""
    job = mnist_job.latest()
    if job is None or not job.running:
        st.rerun()
    progress = job.progress
    megabytes = TEXT.mnist.progress.format(fetched=progress.fetched / 1e6, total=progress.total / 1e6)
    st.progress(progress.share, megabytes)
    st.button(TEXT.mnist.cancel, on_click=job.cancel, key="mnist:cancel", help=TEXT.mnist.cancel_help)
