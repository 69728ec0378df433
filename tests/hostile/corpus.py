"""Files that mean harm or are merely broken, each with a word of the sentence that must refuse it; made by code."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from playground.lessons.classification import lesson as classification
from playground.lessons.regression import lesson as regression
from playground.saving import checkpoint, weight_files
from playground.saving.checkpoint import Checkpoint

Part = tuple[str, bytes]
HOLE = "/tmp/a-file-that-only-executed-code-makes"


class Harmful:
    """A pickle of it runs a command when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {HOLE}",)


def good_run(steps: int = 30) -> regression.RegressionRun:
    run = regression.build(regression.RegressionConfig(optimizer="adam", lr=0.01, batch_size=10))
    run.advance(60.0, steps)
    return run


def good() -> Checkpoint:
    return checkpoint.take("regression", good_run())


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def weights() -> dict[str, Tensor]:
    return dict(good_run(3).state_dict()["weights"])


def with_weight(tensor: Tensor) -> bytes:
    return saved(weights() | {"0.weight": tensor})


def of_another_class(hidden: int = 10, value: float = 0.0) -> bytes:
    """The state_dict of a class with the layers "hidden" and "predict"."""
    net = nn.ModuleDict({"hidden": nn.Linear(1, hidden), "predict": nn.Linear(hidden, 1)})
    return saved({name: torch.full_like(each, value) for name, each in net.state_dict().items()})


def zipped(change: Callable[[list[Part]], list[Part]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A good .pt with other entries."""
    with zipfile.ZipFile(io.BytesIO(saved(weights()))) as archive:
        parts = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in change(parts):
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return file.getvalue()


def twice(parts: list[Part]) -> list[Part]:
    return [*parts, parts[0]]


def ending_early() -> bytes:
    """An entry whose name goes on after the character that ends a name in C."""
    return zipped(lambda parts: [*parts, ("archive/data/7?.py", b"x")]).replace(b"7?.py", b"7\0.py")


def header(words: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file with any header."""
    text = words if isinstance(words, bytes) else json.dumps(words).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def changed(path: str, value: Any) -> bytes:
    """A good checkpoint but for one part of its state, with a right digest: the work of somebody who knows how."""
    found = good()
    place: Any = found.state
    *way, last = path.split("/")
    for name in way:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    return checkpoint.pack(replace(found, checksum=checkpoint.checksum(found.state["weights"])))


def configured(**texts: str) -> bytes:
    return checkpoint.pack(replace(good(), config=texts))


def versioned(version: int) -> bytes:
    about = {"version": version, "lesson": "regression"}
    return safetensors.torch.save({"a": torch.zeros(1)}, {checkpoint.METADATA: json.dumps(about)})


def flipped() -> bytes:
    content = bytearray(checkpoint.pack(good()))
    content[-3] ^= 1
    return bytes(content)


def of_classification() -> bytes:
    return checkpoint.save("classification", classification.build(classification.ClassificationConfig()))


def legacy() -> bytes:
    file = io.BytesIO()
    torch.save(weights(), file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def generator_past_its_end() -> Tensor:
    """Its words are read on after the last of them."""
    state = torch.Generator().manual_seed(1).get_state()
    state[8:12] = torch.tensor([600], dtype=torch.int32).view(torch.uint8)
    state[16:24] = torch.tensor([624], dtype=torch.int64).view(torch.uint8)
    return state


def whole_model() -> bytes:
    return saved(nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)))


def tall(content: bytes) -> dict[str, Callable[[], bytes]]:
    """A file cut off at every quarter."""
    return {f"{at}/4": lambda at=at: content[: len(content) * at // 4] for at in (1, 2, 3)}  # type: ignore[misc]


GONE = 10**9
EYE = torch.eye(10)
PICKLES: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "a pickle with code": (lambda: saved({"0.weight": Harmful()}), "asks Python to import “posix.system”"),
    "a bare pickle with code": (lambda: pickle.dumps(Harmful()), "bare pickle"),
    "an old .pt": (legacy, "bare pickle"),
    "a whole model": (whole_model, "Save model.state_dict(), not the model"),
    "a program": (lambda: zipped(lambda parts: [*parts, ("archive/code/a.py", b"")]), "a state_dict does not have"),
    "deflated entries": (lambda: zipped(lambda parts: parts, zipfile.ZIP_DEFLATED), "is compressed"),
    "a zip bomb": (lambda: zipped(lambda parts: [*parts, ("archive/data/9", bytes(10**8))], zipfile.ZIP_DEFLATED),
                   "is compressed"),
    "too many entries": (lambda: zipped(lambda parts: [*parts, *((f"archive/data/1{n}", b"") for n in range(5000))]),
                         "too many entries"),
    "many entries": (lambda: zipped(lambda parts: [*parts, *((f"archive/data/1{n}", b"") for n in range(1500))]),
                     "entries; from 1 to 1,000"),
    "a zip in it": (lambda: zipped(lambda parts: [*parts, ("archive/more.zip", saved(weights()))]),
        "“archive/more.zip”"),
    "an entry twice": (lambda: zipped(twice), "two entries called"),
    "an absolute name": (lambda: zipped(lambda parts: [("/etc/passwd", b"x"), *parts]), "“/etc/passwd”"),
    "a name that climbs": (lambda: zipped(lambda parts: [*parts, ("archive/../../x", b"x")]), "“archive/../../x”"),
    "a name with an end in it": (ending_early, "a state_dict does not have"),
    "two folders": (lambda: zipped(lambda parts: [*parts, ("other/data.pkl", b"x")]), "“other/data.pkl”"),
    "no pickle": (lambda: zipped(lambda parts: parts[1:]), "no data.pkl"),
    "a broken pickle": (lambda: zipped(lambda parts: [(parts[0][0], b"\x80\x02\xff"), *parts[1:]]),
        "data.pkl is damaged"),
    "a billion by expand": (lambda: with_weight(torch.zeros(1).expand(GONE)), "claims 1,000,000,000 numbers"),
    "more than all by expand": (lambda: with_weight(torch.zeros(1).expand(GONE, GONE)), "claims 1,000,000,000,000"),
    "a sparse tensor": (lambda: with_weight(EYE.to_sparse()), "sparse tensor"),
    "a compressed sparse tensor": (lambda: with_weight(EYE.to_sparse_csr()), "sparse tensor"),
    "a meta tensor": (lambda: with_weight(torch.empty(GONE, device="meta")), "meta tensor"),
    "a quantized tensor": (lambda: with_weight(torch.quantize_per_tensor(EYE, 0.1, 0, torch.qint8)),
        "quantized tensor"),
    "NaN": (lambda: with_weight(torch.full((10, 1), torch.nan)), "NaN"),
    "complex numbers": (lambda: with_weight(torch.zeros(10, 1, dtype=torch.complex64)), "complex64"),
    "a wrong dtype": (lambda: with_weight(torch.zeros(10, 1, dtype=torch.float64)), "float64, but float32 is needed"),
    "a wrong shape": (lambda: with_weight(torch.zeros(12, 1)), "shape [12, 1], but [10, 1] is needed"),
    "a name too few": (lambda: saved({"0.weight": torch.zeros(10, 1)}), "no tensor for “0.bias”"),
    "a name too many": (lambda: saved(weights() | {"more": EYE}), "no tensor called “more”"),
    "names of another class": (lambda: of_another_class(hidden=12),
                               "“hidden.weight” has the shape [12, 1], but [10, 1] is needed"),
    "NaN under such names": (lambda: of_another_class(value=torch.nan), "NaN"),
    "a name that is no sentence": (lambda: saved({"“a” <b>\n# ”[x](//evil)“" * 99: EYE}), "no tensor for “0.weight”"),
    "no module at all": (lambda: saved({"": EYE, ".": EYE, "..": EYE}), "does not fit the model"),
    "counted batches only": (lambda: saved({"0.num_batches_tracked": torch.tensor(1)}), "no tensor for “0.weight”"),
    "a list": (lambda: saved([EYE]), "does not hold a state_dict"),
    "a number": (lambda: saved({"0.weight": 3}), "is not a tensor"),
    "an npz": (lambda: weight_files.as_npz(weights()), "which a state_dict does not have"),
    "an empty zip": (lambda: b"PK\x05\x06" + bytes(18), "not a safetensors file"),
}  # fmt: skip
SAFETENSORS: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is empty"),
    "eight bytes": (lambda: bytes(8), "does not begin with a header"),
    "text": (lambda: b"x,y\n1,2\n" * 20, "does not begin with a header"),
    "100 MB of header, said": (lambda: header({}, length=10**8), "says it has 100,000,000 bytes"),
    "100 MB of header, there": (lambda: header(b"{" + b" " * 10**8 + b"}"), "100.0 MB"),
    "a header beyond the end": (lambda: header({}, length=5000), "ends inside its header"),
    "a header that is no JSON": (lambda: header(b"{nonsense"), "cannot be read"),
    "a header in a header": (lambda: header(b'{"a":' * 90_000), "cannot be read"),
    "a name twice": (lambda: header(b'{"a":1,"a":2}'), "cannot be read"),
    "a billion numbers": (lambda: header({"a": {"dtype": "F32", "shape": [GONE], "data_offsets": [0, 4]}}, b"0000"),
                          "damaged"),
    "a tensor over another": (lambda: header({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
                                              for name in "ab"}, b"0000"), "damaged"),
    "bytes of nobody": (lambda: header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(40)),
                        "damaged"),
    "a strange dtype": (lambda: header({"a": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}, b"0"),
                        "“F8_E4M3”"),
    "too many tensors": (lambda: header({str(n): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
                                         for n in range(1001)}), "1,001 tensors"),
    "somebody else's": (lambda: safetensors.torch.save(weights()), "not a checkpoint of this playground"),
    "a newer version": (lambda: versioned(2), "has the format “2”; this server reads format 1"),
    "a header with gaps": (lambda: versioned(1), "header of this checkpoint is incomplete"),
    "a flipped bit": (flipped, "does not match its own checksum"),
    "another lesson's": (of_classification, "saved on the page “classification”"),
    "an illegal setting": (lambda: configured(lr="1e999"), "do not fit this page"),
    "an unknown setting": (lambda: configured(nonsense="1"), "no setting called “nonsense”"),
    "another width": (lambda: configured(hidden="64"), "shape [10, 1], but [64, 1] is needed"),
    "too many points": (lambda: configured(hidden="10", points="1000", test_share="1", batch_size="0"),
        "cannot be restored"),
    "NaN in the weights": (lambda: changed("weights/0.bias", torch.full((10,), torch.nan)), "NaN or infinity"),
    "NaN in the optimizer": (lambda: changed("optimizer/0/exp_avg", torch.full((10, 1), torch.nan)), "NaN or infinity"),
    "a wrong dtype": (lambda: changed("weights/0.bias", torch.zeros(10, dtype=torch.float64)), "float64, but float32"),
    "a wrong shape": (lambda: changed("optimizer/0/exp_avg", torch.zeros(10, 2)), "[10, 2], but [10, 1] is needed"),
    "no updates counted": (lambda: changed("optimizer/0/step", torch.tensor(-1.0)), "counts the updates"),
    "half an optimizer": (lambda: changed("optimizer/0", {"exp_avg": torch.zeros(10, 1)}), "has no entry"),
    "an optimizer of more": (lambda: changed("optimizer/99", {}), "does not belong to its model"),
    "a point that is not there": (lambda: changed("batches/order", torch.full((100,), 10**12)),
        "each of the 100 points"),
    "a position past the end": (lambda: changed("batches/position", 10**9), "“position”"),
    "another batch size": (lambda: changed("batches/batch_size", 20), "“batch_size”"),
    "no random numbers": (lambda: changed("batches/generator", torch.zeros(5056, dtype=torch.uint8)), "random number"),
    "random numbers past their end": (lambda: changed("batches/generator", generator_past_its_end()), "random number"),
    "too few random numbers": (lambda: changed("batches/generator", torch.zeros(16, dtype=torch.uint8)), "[5056]"),
    "a step that is none": (lambda: changed("progress/steps", 2**70), "“steps”"),
    "another step": (lambda: changed("progress/steps", 99), "not that of the state"),
    "a mark that is none": (lambda: changed("progress/marks", [3]), "“marks”"),
    "a failed run": (lambda: changed("progress/outcome", "failed"), "had diverged"),
    "a history that goes back": (lambda: changed("history/steps", torch.arange(31).flip(0)), "history in this file"),
    "a history of nothing": (lambda: changed("history", None), "“history”"),
    "a stride of nothing": (lambda: changed("history/stride", 0), "“stride”"),
    "a snapshot of another size": (lambda: changed("snapshots/kept/0/parameters", torch.zeros(7)), "[31] is needed"),
    "no snapshots": (lambda: changed("snapshots/kept", []), "no snapshot to look back at"),
    "a snapshot of no config": (lambda: changed("snapshots/configs", []), "“config”"),
    "points out of reach": (lambda: changed("own/edits/clicks", [["add", 1e300, 0]]), "from -1e6 to 1e6"),
    "a click of no kind": (lambda: changed("own/edits/clicks", [["drop", 1, 0]]), "cannot be “drop”"),
    "too many clicks": (lambda: changed("own/edits/clicks", [["add", 1, 0]] * 1001), "at most 1,000"),
    "a table of one row": (lambda: changed("own/edits/rows", torch.zeros(1, 2, dtype=torch.float64)),
        "from 2 to 5,000"),
    "a part too many": (lambda: changed("more", 1), "unknown entry “more”"),
    "no weights": (lambda: changed("weights", {}), "has no entry"),
}  # fmt: skip
CUT = {f"a .pt cut at {at}": make for at, make in tall(saved(weights())).items()} | {
    f"a checkpoint cut at {at}": make for at, make in tall(checkpoint.pack(good())).items()
}
ALL: dict[str, tuple[Callable[[], bytes], str]] = {
    **{f".pt: {name}": each for name, each in PICKLES.items()},
    **{f".safetensors: {name}": each for name, each in SAFETENSORS.items()},
    **{name: (make, "cut off") for name, make in CUT.items()},
}
