"""Save and restore: a popover to take a run's checkpoint or weights away, and to go on from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

import streamlit as st

from pages.ui import knob_widgets as controls
from pages.ui import runs
from pages.ui.messages import quoted
from pages.ui.routes.live import engine
from playground.engine.engine import UnknownRun
from playground.lesson import LiveLesson
from playground.runs.state import DIVERGED
from playground.saving import checkpoint, weight_files
from playground.saving.checkpoint import LIMITS, CheckpointError

NOT_READY = "The run is not ready. Press Reset, then try again."
IN_ORDER = "The names in the file were different, so its tensors were assigned in order."


def popover(lesson: LiveLesson, run_id: str) -> None:
    """Save the run whose id it is, as it is when the button is pressed; restore one from a file."""
    shown = st.popover("Save", key=f"{lesson.name}:save", on_change="rerun")
    if not shown.open:
        return
    with shown:
        st.caption("A checkpoint is the whole run at its present step. From it the run goes on, here or on another "
                   "server, exactly as if it had never stopped.")  # fmt: skip
        diverged = engine().state_of(run_id) == "failed"
        if diverged:
            st.caption(DIVERGED)
        with st.container(horizontal=True):
            for label, suffix, make, words in KINDS:
                st.download_button(label, partial(make, lesson.name, run_id), mime="application/octet-stream",
                                   file_name=f"{lesson.name}{suffix}", on_click="ignore", help=words, disabled=diverged,
                                   key=f"{lesson.name}:save:{suffix}")  # fmt: skip
        key = f"{lesson.name}:restore"
        uploaded = st.file_uploader("Restore a checkpoint, or load weights from a .pt", ["safetensors", "pt", "pth"],
                                    key=key, on_change=_restore, args=(lesson, key),
                                    max_upload_size=LIMITS.bytes // 1_000_000)  # fmt: skip
        worked, told = st.session_state.get(f"{key}:told", (True, ""))
        if uploaded is not None and told:
            (st.success if worked else st.error)(quoted(told))


# The state is taken between two steps; the file is made of it here, while the run continues.


def _checkpoint(name: str, run_id: str) -> bytes:
    return checkpoint.pack(engine().call(run_id, partial(checkpoint.take, name)))


def _weights(write: Callable[[Mapping[str, Any]], bytes], name: str, run_id: str) -> bytes:
    del name
    return write(engine().call(run_id, checkpoint.take_weights))


KINDS: tuple[tuple[str, str, Callable[[str, str], bytes], str], ...] = (
    ("Checkpoint", ".safetensors", _checkpoint, "Settings, weights, optimizer, batch order, random numbers and "
     "history: all that the run needs to go on."),
    ("Weights .pt", ".pt", partial(_weights, weight_files.as_pt), "The state_dict of the model "
     "that the script of this run makes, as torch.save writes it."),
    ("Weights .npz", ".npz", partial(_weights, weight_files.as_npz), "The same arrays for NumPy."),
)  # fmt: skip


def _restore(lesson: LiveLesson, key: str) -> None:
    """Take the uploaded file in; where it is refused, the run goes on untouched, and the page says why."""
    uploaded = st.session_state.get(key)
    if uploaded is None:
        return
    try:
        told = (True, _take_in(lesson, uploaded.getvalue()))
    except (UnknownRun, CancelledError, TimeoutError):
        told = (False, NOT_READY)
    except ValueError as error:
        told = (False, str(error))
    st.session_state[f"{key}:told"] = told


def _take_in(lesson: LiveLesson, content: bytes) -> str:
    """Go on from a checkpoint, or give the running model other weights. Raises ValueError with a sentence."""
    found = checkpoint.read(content)
    if not isinstance(found, checkpoint.Checkpoint):
        run_id, _ = st.session_state[f"{lesson.name}:run"]
        return engine().call(run_id, partial(_use_weights, found))
    run, config = checkpoint.restore(found, lesson, engine().settings)
    runs.put_in_place(lesson.name, run, config, lesson.build)
    controls.choose(lesson.name, config)
    return f"Restored at step {found.step:,}, weights {found.checksum}. Press Play to go on."


def _use_weights(weights: Mapping[str, Any], run: Any) -> str:
    if not isinstance(run, checkpoint.Resumable):
        raise CheckpointError("This run takes no weights from a file.")
    assigned = run.assigned(weights)
    run.use_weights(assigned.weights)
    checksum = checkpoint.checksum(assigned.weights)
    sentence = f"The weights are in use, checksum {checksum}. The optimizer goes on as it was."
    return f"{sentence} {IN_ORDER}" if assigned.in_order else sentence
