"""A checkpoint: one file from which a run goes on, on any machine, as if it had never stopped.

It goes on bit for bit with the same version of PyTorch, kind of processor and number of threads.

The file is safetensors: a JSON header, then the tensors' raw bytes, and nothing in it that could run. The header's
metadata holds one text, "checkpoint", JSON again: what run it was, its state but for the tensors, and a digest of all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import safetensors.torch
from torch import Tensor

from playground.knobs import shorten
from playground.lesson import LiveLesson
from playground.runs.checksums import checksum, digest
from playground.runs.state_checks import StateError
from playground.runs.state_checks import config as legal_config
from playground.runs.weight_names import Assignment
from playground.saving import weight_files
from playground.saving.safetensors_file import LIMITS, CheckpointError, Limits, read_file
from playground.settings import Settings

VERSION = 1
METADATA = "checkpoint"  # the name of the one text in the file's metadata
HEADER = {"version": int, "lesson": str, "config": dict, "seed": int, "step": int, "checksum": str}
TENSOR = "$tensor"  # {TENSOR: name} stands in the JSON where a tensor belongs
MISFITS = (KeyError, TypeError, IndexError, AttributeError, RuntimeError, OverflowError, ArithmeticError)
__all__ = ["LIMITS", "Checkpoint", "CheckpointError", "Limits", "Resumable", "checksum", "load", "pack", "read",
           "restore", "save", "take", "take_weights"]  # fmt: skip


@runtime_checkable
class Resumable(Protocol):
    """A run whose state can be taken and given; its state has its model's tensors by name under "weights"."""

    config: Any
    steps: int

    def state_dict(self) -> dict[str, Any]:
        """Dicts with text keys, lists, texts, numbers, None and tensors, all copied."""

    def load_state_dict(self, state: Any) -> None:
        """Take up where `state_dict` was taken, in a fresh run. Raises ValueError with a sentence."""

    def use_weights(self, weights: Any) -> None:
        """Put other weights into the running model. Raises ValueError with a sentence."""

    def script_weights(self) -> dict[str, Tensor]:
        """The model's tensors as weight files hold them: under the names of the model in the exported script."""

    def assigned(self, weights: Mapping[str, Tensor]) -> Assignment:
        """The tensors of a weights file under the model's names. Raises ValueError with a sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """What run it was: lesson, config (as in a link), seed, step, its weights' checksum; and the run's state."""

    lesson: str
    config: Mapping[str, str]
    seed: int
    step: int
    checksum: str
    state: Mapping[str, Any]


def take(lesson: str, run: Any) -> Checkpoint:
    """The checkpoint of a run at its present step. Raises ValueError for a run that has none."""
    run = _resumable(run)
    state, seed = run.state_dict(), getattr(run.config, "seed", 0)
    return Checkpoint(lesson, run.config.as_texts(), seed, run.steps, checksum(state["weights"]), state)


def take_weights(run: Any) -> dict[str, Tensor]:
    """The weights of a run at its present step, for a file of their own. Raises ValueError for a run that has none."""
    return _resumable(run).script_weights()


def _resumable(run: Any) -> Resumable:
    if not isinstance(run, Resumable):
        raise CheckpointError("This run cannot be saved.")
    return run


def save(lesson: str, run: Any) -> bytes:
    """The file of a run at its present step."""
    return pack(take(lesson, run))


def pack(checkpoint: Checkpoint, limits: Limits = LIMITS) -> bytes:
    """A checkpoint as a file. Raises CheckpointError where it would be larger than what can be restored."""
    tensors: dict[str, Tensor] = {}
    state = _taken_apart(checkpoint.state, "", tensors)
    about = {"version": VERSION} | {name: getattr(checkpoint, name) for name in HEADER if name != "version"}
    text = json.dumps(about | {"state": state}, allow_nan=False)
    text = json.dumps(about | {"state": state, "digest": digest(tensors, text)}, allow_nan=False)
    content = safetensors.torch.save(tensors, {METADATA: text})
    if len(content) > limits.bytes:
        raise CheckpointError(
            f"This checkpoint would have {len(content) / 1e6:.1f} MB; files of at most {limits.bytes / 1e6:g} MB can "
            "be restored. Save the weights alone."
        )
    return content


def read(content: bytes, limits: Limits = LIMITS) -> Checkpoint | dict[str, Tensor]:
    """What any file holds: a checkpoint, or the weights of a `.pt`. Raises CheckpointError with a sentence."""
    is_safetensors = content[8:9] == b"{"  # behind the header's length, which may begin with any byte, also a pickle's
    is_zip, is_pickle = content.startswith(weight_files.ZIP_START), content[:1] == weight_files.PICKLE_START
    if not is_safetensors and (is_zip or is_pickle):
        return weight_files.read_pt(content, limits)
    return load(content, limits)


def load(content: bytes, limits: Limits = LIMITS) -> Checkpoint:
    """What a file holds. Raises CheckpointError with a sentence for anything but a whole checkpoint; runs nothing."""
    texts, tensors = read_file(content, limits)
    about = _json(texts.get(METADATA))
    if not isinstance(about, dict) or type(about.get("version")) is not int:
        raise CheckpointError("This safetensors file is no checkpoint of this playground.")
    if about["version"] != VERSION:
        raise CheckpointError(
            f"This checkpoint has the format “{shorten(about['version'])}”; this server reads format {VERSION}. "
            "Restore it on a server of the version that saved it."
        )
    claimed = about.pop("digest", None)
    if any(type(about.get(name)) is not kind for name, kind in (HEADER | {"state": dict}).items()):
        raise CheckpointError("The header of this checkpoint is incomplete.")
    if claimed != digest(tensors, json.dumps(about)):
        raise CheckpointError("The file's content does not match its own fingerprint: it was changed or damaged.")
    whole = _put_together(about["state"], tensors)
    if tensors:
        raise CheckpointError(f"The file holds a tensor that belongs nowhere, “{shorten(min(tensors))}”.")
    if not isinstance(whole.get("weights"), dict) or checksum(whole["weights"]) != about["checksum"]:
        raise CheckpointError("The weights are not those that the header's checksum was taken of.")
    return Checkpoint(about["lesson"], about["config"], about["seed"], about["step"], about["checksum"], whole)


def restore(checkpoint: Checkpoint, lesson: LiveLesson, settings: Settings) -> tuple[Any, Any]:
    """A run that goes on where the checkpoint was taken, and its config. Raises CheckpointError with a sentence."""
    if checkpoint.lesson != lesson.name:
        raise CheckpointError(
            f"This checkpoint was saved on the page “{shorten(checkpoint.lesson)}”. Open that page to restore it."
        )
    try:
        config = legal_config(lesson.config, checkpoint.config)
        run = lesson.build(config, settings=settings)
        if not isinstance(run, Resumable):
            raise CheckpointError("Runs of this page cannot be restored.")
        run.load_state_dict(checkpoint.state)
        if run.steps != checkpoint.step:
            raise StateError("The step in the header is not that of the state.")
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f"This checkpoint cannot be restored. {error}") from None
    except MISFITS:
        raise CheckpointError("This checkpoint does not fit the run that its settings describe.") from None
    return run, config


def _taken_apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The state as JSON, its tensors put into `tensors` under their paths."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach().contiguous()
        return {TENSOR: path}
    if isinstance(value, Mapping):
        return {name: _taken_apart(item, f"{path}/{name}".lstrip("/"), tensors) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_taken_apart(item, f"{path}/{index}", tensors) for index, item in enumerate(value)]
    return value


def _put_together(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The reverse of `_taken_apart`; takes the tensors out of `tensors`, each once."""
    if isinstance(value, dict):
        if TENSOR in value:
            name = value[TENSOR]
            if len(value) > 1 or not isinstance(name, str) or name not in tensors:
                raise CheckpointError(f"The state names a tensor that is not in the file, “{shorten(name)}”.")
            return tensors.pop(name)
        return {name: _put_together(item, tensors) for name, item in value.items()}
    if isinstance(value, list):
        return [_put_together(item, tensors) for item in value]
    return value


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null", parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise CheckpointError("The header of this file cannot be read.") from None


def _no_number(text: str) -> Any:
    raise ValueError(text)
