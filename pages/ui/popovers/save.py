"""Save and restore: a part of "More" to download a run's checkpoint or weights, and to continue from a file."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.messages import TEXT, quoted
from pages.ui.popovers import upload
from pages.ui.session import NO_ANSWER, Upload, pool, replace_run, session, why_not
from pages.ui.widgets import knob_widgets
from playground.lesson import LiveLesson
from playground.runs.messages import DIVERGED
from playground.saving.safetensors_file import LIMITS
from playground.workers.operations import CheckpointFile, Operation, WeightsFile
from playground.workers.wire import Loaded


def expander(lesson: LiveLesson, run_id: str) -> None:
    """Save the run with this id, as it is when the button is pressed; restore one from a file."""
    shown = st.expander(TEXT.save.title, key=f"{lesson.name}:save", on_change="rerun")
    if not shown.open:
        return
    with shown:
        st.caption(TEXT.save.about)
        diverged = pool().state_of(run_id) == "failed"
        if diverged:
            st.caption(DIVERGED)
        with st.container(horizontal=True):
            for label, suffix, operation, words in files(lesson):
                st.download_button(label, partial(pool().call, run_id, operation), mime="application/octet-stream",
                                   file_name=f"{lesson.name}{suffix}", on_click="ignore", help=words, disabled=diverged,
                                   key=f"{lesson.name}:save:{suffix}")  # fmt: skip
        key = f"{lesson.name}:restore"
        uploaded = upload.field(TEXT.save.upload, ["safetensors", "pt", "pth", "npz"], key=key, on_change=_restore,
                                args=(lesson, key), megabytes=LIMITS.bytes // 1_000_000)  # fmt: skip
        result = session().uploads.get(key)
        if uploaded is not None and result is not None:
            (st.success if result.accepted else st.error)(quoted(result.sentence))


def files(lesson: LiveLesson) -> tuple[tuple[str, str, Operation[bytes], str], ...]:
    """The files that can be saved: label, suffix, what makes the file of a run, help."""
    text = TEXT.save
    return (
        (text.checkpoint, ".safetensors", CheckpointFile(lesson.name), text.checkpoint_help),
        (text.weights_pt, ".pt", WeightsFile("pt"), text.weights_pt_help),
        (text.weights_npz, ".npz", WeightsFile("npz"), text.weights_npz_help),
    )


def _restore(lesson: LiveLesson, key: str) -> None:
    """Use the uploaded file; where it is refused, the run continues unchanged, and the page says why."""
    uploaded = st.session_state.get(key)
    if uploaded is None:
        return
    try:
        result = Upload(True, _continue_from(lesson, uploaded.getvalue(), uploaded.name))
    except (*NO_ANSWER, ValueError) as error:
        result = Upload(False, why_not(error))
    session().uploads[key] = result


def _continue_from(lesson: LiveLesson, content: bytes, name: str) -> str:
    """Continue from a checkpoint, or load weights into the running model. Raises ValueError with a sentence."""
    bench = session().bench(lesson.name)
    locked = knob_widgets.locked_values(lesson.config, bench.config)
    found = pool().restore(session().name, lesson.name, content, name, replaces=bench.run_id, locked=locked)
    if isinstance(found, Loaded):
        sentence = TEXT.save.loaded_in_order if found.in_order else TEXT.save.loaded
        return sentence.format(checksum=found.checksum)
    replace_run(lesson.name, found.run_id, found.config)
    knob_widgets.choose(lesson.name, found.config)
    return TEXT.save.restored.format(step=found.step, checksum=found.checksum)
