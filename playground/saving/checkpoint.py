"""A checkpoint: one file from which a run continues, on any machine, as if it had never stopped.

It continues the same bit for bit with the same version of PyTorch, kind of processor and number of threads.

The file is safetensors: a JSON header, then the tensors' raw bytes; nothing in it can run. The header's metadata holds
one text, "checkpoint", which is JSON again: which run it was, its state without the tensors, and a digest of all.
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
from playground.saving import messages, weight_files
from playground.saving.safetensors_file import LIMITS, CheckpointError, Limits, read_file
from playground.settings import Settings

VERSION = 1
METADATA = "checkpoint"  # the name of the one text in the file's metadata
HEADER = {"version": int, "lesson": str, "config": dict, "seed": int, "step": int, "checksum": str}
TENSOR = "$tensor"  # in the JSON, {TENSOR: name} is the place of a tensor
MISFITS = (KeyError, TypeError, IndexError, AttributeError, RuntimeError, OverflowError, ArithmeticError)
__all__ = ["LIMITS", "Checkpoint", "CheckpointError", "Limits", "Resumable", "checksum", "load", "pack", "read",
           "restore", "save", "take", "take_weights"]  # fmt: skip


@runtime_checkable
class Resumable(Protocol):
    """A run whose state can be saved and loaded; the state has the model's tensors by name under "weights"."""

    config: Any
    steps: int

    def state_dict(self) -> dict[str, Any]:
        """Dicts with text keys, lists, texts, numbers, None and tensors, all copied."""

    def load_state_dict(self, state: Any) -> None:
        """Take over what `state_dict` gave, in a new run. Raises ValueError with a sentence."""

    def use_weights(self, weights: Any) -> None:
        """Put other weights into the running model. Raises ValueError with a sentence."""

    def script_weights(self) -> dict[str, Tensor]:
        """The model's tensors as weight files hold them: under the names of the model in the exported script."""

    def assigned(self, weights: Mapping[str, Tensor]) -> Assignment:
        """The tensors of a weights file under the model's names. Raises ValueError with a sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """Which run it was (lesson, config as in a link, seed, step, checksum of the weights), and the run's state."""

    lesson: str
    config: Mapping[str, str]
    seed: int
    step: int
    checksum: str
    state: Mapping[str, Any]


def take(lesson: str, run: Any) -> Checkpoint:
    """The checkpoint of a run at its current step. Raises ValueError for a run that cannot be saved."""
    run = _resumable(run)
    state, seed = run.state_dict(), getattr(run.config, "seed", 0)
    return Checkpoint(lesson, run.config.as_texts(), seed, run.steps, checksum(state["weights"]), state)


def take_weights(run: Any) -> dict[str, Tensor]:
    """The weights of a run at its current step. Raises ValueError for a run that cannot be saved."""
    return _resumable(run).script_weights()


def _resumable(run: Any) -> Resumable:
    if not isinstance(run, Resumable):
        raise CheckpointError(messages.NOT_SAVABLE)
    return run


def save(lesson: str, run: Any) -> bytes:
    """The checkpoint file of a run at its current step. Raises ValueError for a run that cannot be saved."""
    return pack(take(lesson, run))


def pack(checkpoint: Checkpoint, limits: Limits = LIMITS) -> bytes:
    """A checkpoint as a file. Raises CheckpointError if it would be too large to be restored."""
    tensors: dict[str, Tensor] = {}
    state = _without_tensors(checkpoint.state, "", tensors)
    about = {"version": VERSION} | {name: getattr(checkpoint, name) for name in HEADER if name != "version"}
    text = json.dumps(about | {"state": state}, allow_nan=False)
    text = json.dumps(about | {"state": state, "digest": digest(tensors, text)}, allow_nan=False)
    content = safetensors.torch.save(tensors, {METADATA: text})
    if len(content) > limits.bytes:
        raise CheckpointError(messages.TOO_LARGE_TO_SAVE.format(size=len(content) / 1e6, most=limits.bytes / 1e6))
    return content


def read(content: bytes, limits: Limits = LIMITS, name: str = "") -> Checkpoint | dict[str, Tensor]:
    """The checkpoint in a file, or the weights in a `.pt` or `.npz`. Raises CheckpointError with a sentence.

    The content decides what it is, but arrays are read only from a file whose `name` ends in `.npz`. The name also says
    what a file should have been that is none of these.
    """
    is_safetensors = content[8:9] == b"{"  # after the header's length, which may begin with any byte, also a pickle's
    is_zip, is_pickle = content.startswith(weight_files.ZIP_START), content[:1] == weight_files.PICKLE_START
    if is_safetensors:
        return load(content, limits)
    is_called_npz = name.lower().endswith(".npz")
    if is_called_npz and (weight_files.is_npz(content) or not (is_zip or is_pickle)):
        return weight_files.read_npz(content, limits)
    if is_zip or is_pickle or name.lower().endswith((".pt", ".pth")):
        return weight_files.read_pt(content, limits)
    return load(content, limits)


def load(content: bytes, limits: Limits = LIMITS) -> Checkpoint:
    """The checkpoint in a file. Raises CheckpointError with a sentence for any other file; nothing in it is run."""
    texts, tensors = read_file(content, limits)
    about = _json(texts.get(METADATA))
    if not isinstance(about, dict) or type(about.get("version")) is not int:
        raise CheckpointError(messages.NOT_A_CHECKPOINT)
    if about["version"] != VERSION:
        raise CheckpointError(messages.OTHER_VERSION.format(found=shorten(about["version"]), version=VERSION))
    claimed = about.pop("digest", None)
    if any(type(about.get(name)) is not kind for name, kind in (HEADER | {"state": dict}).items()):
        raise CheckpointError(messages.INCOMPLETE)
    if claimed != digest(tensors, json.dumps(about)):
        raise CheckpointError(messages.WRONG_DIGEST)
    whole = _with_tensors(about["state"], tensors)
    if tensors:
        raise CheckpointError(messages.SPARE_TENSOR.format(name=shorten(min(tensors))))
    if not isinstance(whole.get("weights"), dict) or checksum(whole["weights"]) != about["checksum"]:
        raise CheckpointError(messages.WRONG_CHECKSUM)
    return Checkpoint(about["lesson"], about["config"], about["seed"], about["step"], about["checksum"], whole)


def restore(checkpoint: Checkpoint, lesson: LiveLesson, settings: Settings) -> tuple[Any, Any]:
    """A run that continues where the checkpoint was taken, and its config. Raises CheckpointError with a sentence."""
    if checkpoint.lesson != lesson.name:
        raise CheckpointError(messages.OTHER_PAGE.format(name=shorten(checkpoint.lesson)))
    try:
        config = legal_config(lesson.config, checkpoint.config)
        run = lesson.build(config, settings=settings)
        if not isinstance(run, Resumable):
            raise CheckpointError(messages.NOT_RESTORABLE)
        run.load_state_dict(checkpoint.state)
        if run.steps != checkpoint.step:
            raise StateError(messages.WRONG_STEP)
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(messages.NOT_RESTORED.format(reason=error)) from None
    except MISFITS:
        raise CheckpointError(messages.MISFIT) from None
    return run, config


def _without_tensors(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The state as JSON; its tensors go into `tensors` under their paths."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach().contiguous()
        return {TENSOR: path}
    if isinstance(value, Mapping):
        return {name: _without_tensors(item, f"{path}/{name}".lstrip("/"), tensors) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_tensors(item, f"{path}/{index}", tensors) for index, item in enumerate(value)]
    return value


def _with_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The reverse of `_without_tensors`; takes the tensors out of `tensors`, each once."""
    if isinstance(value, dict):
        if TENSOR in value:
            name = value[TENSOR]
            if len(value) > 1 or not isinstance(name, str) or name not in tensors:
                raise CheckpointError(messages.MISSING_TENSOR.format(name=shorten(name)))
            return tensors.pop(name)
        return {name: _with_tensors(item, tensors) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_tensors(item, tensors) for item in value]
    return value


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise CheckpointError(messages.HEADER_UNREADABLE) from None


def _refuse_constant(text: str) -> Any:
    raise ValueError(text)
