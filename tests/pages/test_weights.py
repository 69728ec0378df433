"""Save and restore on the page: weights files go out and come in, and the page says what it made of them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from pages.ui.popovers.save import files
from pages.ui.session import pool
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.saving import checkpoint
from tests.pages.questions import Checksum
from tests.pages.session import HOSTILE, Open, assert_dead, run_id
from tests.written_scripts import SCRIPTS

LIVE = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson) and name in SCRIPTS}


def weights(session: AppTest) -> str:
    """The checksum of the run's weights."""
    return pool().call(run_id(session), Checksum())


def opened(visit: Open, name: str, **parameters: str) -> AppTest:
    """The page, with the popover "Save" open."""
    session = visit(LIVE[name], **parameters)
    session.session_state[f"{name}:save"] = True
    return session.run()


def save(session: AppTest, name: str, suffix: str) -> bytes:
    (operation,) = [operation for _, kind, operation, _ in files(LIVE[name]) if kind == suffix]
    return pool().call(run_id(session), operation)


def upload(session: AppTest, content: bytes, name: str = "weights.pt") -> tuple[str, ...]:
    """What the page says: its successes and its errors."""
    session.file_uploader[0].set_value((name, content, "application/octet-stream")).run()
    assert list(session.exception) == []
    return tuple(str(each.value) for each in (*session.success, *session.error))


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


@pytest.mark.parametrize(("name", "suffix"), [*((name, ".pt") for name in LIVE), ("regression", ".npz")])
def test_weights_of_one_session_are_used_in_another(visit: Open, name: str, suffix: str) -> None:
    mine, other = opened(visit, name, **{f"{name}_seed": "5"}), opened(visit, name)
    assert weights(mine) != weights(other)
    sentences = upload(other, save(mine, name, suffix), f"weights{suffix}")
    assert sentences == (f"Weights loaded (checksum {weights(mine)}). The optimizer keeps its state.",)
    assert weights(other) == weights(mine)


def test_the_sentence_has_the_models_checksum_and_says_that_other_names_were_taken_in_order(visit: Open) -> None:
    session = opened(visit, "regression")
    net = nn.ModuleDict({"hidden": nn.Linear(1, 10), "predict": nn.Linear(10, 1)})
    sentences = upload(session, saved(net.state_dict()))
    assert checkpoint.checksum(net.state_dict()) != weights(session)
    assert sentences == (
        f"Weights loaded (checksum {weights(session)}). The optimizer keeps its state. The names in the file were "
        "different, so its tensors were assigned in order.",
    )


def test_a_file_of_another_model_is_refused_with_the_tensor_in_code_and_the_weights_stay(visit: Open) -> None:
    session = opened(visit, "regression", regression_layers="2")
    before = weights(session)
    net = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
    assert upload(session, saved(net.state_dict())) == (
        "This file does not fit the model: it has no tensor for `` 4.weight ``. Set the same layers and units as in "
        "the file, then load it again.",
    )
    assert weights(session) == before


def test_a_checkpoint_that_lacks_a_tensor_is_refused_with_each_name_in_code_of_its_own(visit: Open) -> None:
    session = opened(visit, "regression")
    found = checkpoint.load(save(session, "regression", ".safetensors"))
    kept = {name: value for name, value in found.state["weights"].items() if name != "2.bias"}
    cut = replace(found, state={**found.state, "weights": kept}, checksum=checkpoint.checksum(kept))
    assert upload(session, checkpoint.pack(cut)) == (
        "This checkpoint cannot be restored. `` weights `` in the file has no entry `` 2.bias ``.",
    )


def test_no_name_in_a_file_comes_alive(visit: Open) -> None:
    session = opened(visit, "regression")
    own = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)).state_dict()
    for text in HOSTILE:
        (sentence,) = upload(session, saved(own | {f"more {text}": torch.zeros(1)}))
        assert sentence.startswith("This file does not fit the model: the model has no tensor called `` more")
        assert_dead(sentence)
