"""Save and restore: a popover to download a run's checkpoint or weights, and to continue from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

import streamlit as st

from pages.ui import knob_widgets
from pages.ui.messages import TEXT, quoted
from pages.ui.session import Upload, engine, replace_run, session
from playground.engine.engine import UnknownRun
from playground.lesson import LiveLesson
from playground.runs.messages import DIVERGED
from playground.saving import checkpoint, weight_files
from playground.saving.checkpoint import LIMITS, CheckpointError


def popover(lesson: LiveLesson, run_id: str) -> None:
    """Save the run with this id, as it is when the button is pressed; restore one from a file."""
    shown = st.popover(TEXT.save.popover, key=f"{lesson.name}:save", on_change="rerun")
    if not shown.open:
        return
    with shown:
        st.caption(TEXT.save.about)
        diverged = engine().state_of(run_id) == "failed"
        if diverged:
            st.caption(DIVERGED)
        with st.container(horizontal=True):
            for label, suffix, make, words in KINDS:
                st.download_button(label, partial(make, lesson.name, run_id), mime="application/octet-stream",
                                   file_name=f"{lesson.name}{suffix}", on_click="ignore", help=words, disabled=diverged,
                                   key=f"{lesson.name}:save:{suffix}")  # fmt: skip
        key = f"{lesson.name}:restore"
        uploaded = st.file_uploader(TEXT.save.upload, ["safetensors", "pt", "pth", "npz"], key=key, on_change=_restore,
                                    args=(lesson, key), max_upload_size=LIMITS.bytes // 1_000_000)  # fmt: skip
        result = session().uploads.get(key)
        if uploaded is not None and result is not None:
            (st.success if result.accepted else st.error)(quoted(result.sentence))


# The state is taken between two steps; the file is made from it here, while the run continues.


def _checkpoint(name: str, run_id: str) -> bytes:
    return checkpoint.pack(engine().call(run_id, partial(checkpoint.take, name)))


def _weights(write: Callable[[Mapping[str, Any]], bytes], name: str, run_id: str) -> bytes:
    del name
    return write(engine().call(run_id, checkpoint.take_weights))


# Label, suffix of the file, what makes it of a lesson's name and a run's id, help.
KINDS: tuple[tuple[str, str, Callable[[str, str], bytes], str], ...] = (
    (TEXT.save.checkpoint, ".safetensors", _checkpoint, TEXT.save.checkpoint_help),
    (TEXT.save.weights_pt, ".pt", partial(_weights, weight_files.as_pt), TEXT.save.weights_pt_help),
    (TEXT.save.weights_npz, ".npz", partial(_weights, weight_files.as_npz), TEXT.save.weights_npz_help),
)


def _restore(lesson: LiveLesson, key: str) -> None:
    """Use the uploaded file; where it is refused, the run continues unchanged, and the page says why."""
    uploaded = st.session_state.get(key)
    if uploaded is None:
        return
    try:
        result = Upload(True, _continue_from(lesson, uploaded.getvalue(), uploaded.name))
    except (UnknownRun, CancelledError, TimeoutError):
        result = Upload(False, TEXT.save.not_ready)
    except ValueError as error:
        result = Upload(False, str(error))
    session().uploads[key] = result


def _continue_from(lesson: LiveLesson, content: bytes, name: str) -> str:
    """Continue from a checkpoint, or load weights into the running model. Raises ValueError with a sentence."""
    found = checkpoint.read(content, name=name)
    if not isinstance(found, checkpoint.Checkpoint):
        return engine().call(session().bench(lesson.name).run_id, partial(_use_weights, found), both=True)
    run, config = checkpoint.restore(found, lesson, engine().settings)
    replace_run(lesson.name, run, config, lesson.build)
    knob_widgets.choose(lesson.name, config)
    return TEXT.save.restored.format(step=found.step, checksum=found.checksum)


def _use_weights(weights: Mapping[str, Any], run: Any) -> str:
    if not isinstance(run, checkpoint.Resumable):
        raise CheckpointError(TEXT.save.takes_no_weights)
    assigned = run.assigned(weights)
    run.use_weights(assigned.weights)
    sentence = TEXT.save.loaded_in_order if assigned.in_order else TEXT.save.loaded
    return sentence.format(checksum=checkpoint.checksum(assigned.weights))
