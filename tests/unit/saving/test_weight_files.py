"""A weights file fits the model that the page prints, and what such a model saves fits the run, whatever its names."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.lessons.cnn import model as cnn
from playground.runs.state_checks import StateError
from playground.runs.weight_names import COUNTER
from playground.saving import checkpoint, weight_files
from playground.settings import Settings
from playground.training.devices import threads
from tests.recorded.record import small_digits
from tests.written_scripts import SCRIPTS, script

PROSE = Path(__file__).resolve().parents[3] / "playground" / "lessons"
SMALL = {"filters_1": 2, "filters_2": 3, "filters_3": 4, "kernel": 3, "images": 200, "batch_size": 20}
IMAGES = torch.linspace(0, 1, 3 * 28 * 28).view(3, 1, 28, 28)


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with small_digits(), threads(1):
        yield


def build(name: str, **values: Any) -> Any:
    lesson = LESSONS[name]
    assert isinstance(lesson, LiveLesson)
    return lesson.build(lesson.config(**values), settings=Settings(torch_threads=1))


def pt_of(run: Any) -> bytes:
    return weight_files.as_pt(checkpoint.take_weights(run))


def saved(model: nn.Module) -> bytes:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    return file.getvalue()


def load(model: nn.Module, content: bytes) -> None:
    """What a student writes."""
    model.load_state_dict(torch.load(io.BytesIO(content), weights_only=True))


def use(run: Any, content: bytes, name: str = "") -> bool:
    """What the page does with a weights file; whether it was assigned in order."""
    found = checkpoint.read(content, name=name)
    assert isinstance(found, dict)
    assigned = run.assigned(found)
    run.use_weights(found)
    assert checkpoint.checksum(assigned.weights) == run.run_history().checksum
    return bool(assigned.in_order)


def shuffled(model: nn.Module) -> None:
    """Give every parameter other values."""
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.rand(parameter.shape, generator=torch.Generator().manual_seed(number)))


def assert_equal_weights(run: Any, model: nn.Module) -> None:
    others = [value for name, value in model.state_dict().items() if not name.endswith(COUNTER)]
    for (name, own), other in zip(run.model.named_parameters(), others, strict=True):
        assert torch.equal(own, other), name


def assert_fits(run: Any, printed: nn.Module, fresh: Any, x: Tensor) -> None:
    """The run's files load into the printed model, which then gives the same outputs, and its file into a fresh run."""
    content = pt_of(run)
    load(printed, content)
    with torch.no_grad():
        assert torch.equal(printed.eval()(x), run.model(x))
    with np.load(io.BytesIO(weight_files.as_npz(checkpoint.take_weights(run)))) as arrays:
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    assert list(tensors) == [name for name in printed.state_dict() if not name.endswith(COUNTER)]
    assert all(torch.equal(value, printed.state_dict()[name]) for name, value in tensors.items())
    shuffled(printed)
    use(fresh, saved(printed))
    assert_equal_weights(fresh, printed)


def executed(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "script.py", "exec"), names)
    return names


# The models that the page prints.


def printed_cnn(run: Any) -> nn.Module:
    """The model of a CNN's script, without the data and the training."""
    definitions, _, rest = script("cnn", run.run_history()).partition("# The data.")
    model = rest.partition("# The model, the loss function and the optimizer.")[2].partition("loss_fn = ")[0]
    found: nn.Module = executed(definitions + model)["model"]
    return found


def prose_model(name: str) -> nn.Module:
    """The model of "In PyTorch": the statements that assign it, executed."""
    code = (PROSE / name / "prose.md").read_text(encoding="utf-8").partition("## In PyTorch")[2]
    tree = ast.parse(re.findall(r"```python\n(.*?)```", code, re.DOTALL)[0])
    assigned = {ast.unparse(each.targets[0]): each for each in tree.body if isinstance(each, ast.Assign)}
    names: dict[str, Any] = {"nn": nn, "copy": copy}
    exec("\n".join(ast.unparse(assigned[name]) for name in ("first", "models", "model") if name in assigned), names)
    return names["model"] if "model" in names else nn.ModuleList(names["models"])


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [(0.0, 0.0), (0.3, 0.3), (0.0, 0.3), (0.3, 0.0)], ids=str)
def test_a_cnns_file_fits_the_script_of_its_run(layers: int, batch_norm: bool, dropout: tuple[float, float]) -> None:
    values = SMALL | {"layers": layers, "batch_norm": batch_norm}
    run = build("cnn", dropout=dropout[0], **values)
    run.advance(1e9, 2)
    run.tune(run.config.with_values(dropout=dropout[1]))
    run.advance(1e9, 1)
    printed = printed_cnn(run)
    assert any(dropout) == ("dropout = Dropout" in script("cnn", run.run_history()))
    for other in (0.0, 0.5):  # whatever the dropout of the run that takes the file
        assert_fits(run, printed, build("cnn", dropout=other, seed=9, **values), IMAGES)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_weights_that_are_written_into_a_script_fit_its_model(name: str, dropout: float) -> None:
    has_dropout = hasattr(build(name).config, "dropout")
    values = (SMALL if name == "cnn" else {}) | ({"dropout": dropout} if has_dropout else {})
    run, other = build(name, **values), build(name, seed=9, **values)
    other.advance(1e9, 2)
    use(run, pt_of(other))
    run.advance(1e9, 2)
    names = executed(script(name, run.run_history()))
    assert_equal_weights(run, names["race"] if name == "optimizers" else names["model"])


@pytest.mark.parametrize("layers", range(5))
@pytest.mark.parametrize(
    ("name", "values"), [("regression", {}), ("classification", {}), ("classification", {"dropout": 0.3})], ids=str
)
def test_a_multilayer_perceptrons_file_fits_the_script_of_its_run(
    name: str, values: dict[str, Any], layers: int
) -> None:
    run = build(name, layers=layers, **values)
    run.advance(1e9, 3)
    printed = executed(script(name, run.run_history()))["model"]
    assert_fits(run, printed, build(name, layers=layers, seed=9), run.data.x_train)


def test_a_classification_that_changed_its_shape_fits_its_script() -> None:
    run = build("classification")
    for values in ({"layers": 2}, {"dropout": 0.3}, {"inputs": "x1,x1x2"}, {"activation": "tanh"}, {"classes": 3}):
        run.advance(1e9, 3)
        run.tune(run.config.with_values(**values))
    printed = executed(script("classification", run.run_history()))["model"]
    assert_fits(run, printed, build("classification", **vars(run.config)), torch.rand(5, 2))


def test_a_races_file_fits_all_models_of_its_script_at_once() -> None:
    run = build("optimizers", racers="sgd,adam,adagrad", own="SGD(lr=0.1)", hidden=5, fair=False)
    run.advance(1e9, 3)
    names = executed(script("optimizers", run.run_history()))
    load(names["race"], pt_of(run))
    for racer, model in zip(run.race.racers, names["models"].values(), strict=True):
        for own, other in zip(racer.parameters, model.parameters(), strict=True):
            assert torch.equal(own, other)
    fresh = build("optimizers", racers="sgd,adam,adagrad", own="SGD(lr=0.1)", hidden=5, seed=9)
    shuffled(names["race"])
    assert not use(fresh, saved(names["race"]))
    assert_equal_weights(fresh, names["race"])


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_file_of_the_default_run_fits_the_model_in_the_prose_and_the_other_way_round(name: str) -> None:
    run, model = build(name), prose_model(name)
    run.advance(1e9, 1)
    load(model, pt_of(run))
    assert_equal_weights(run, model)
    shuffled(model)
    assert not use(build(name, seed=9), saved(model))


@pytest.mark.parametrize("name", SCRIPTS)
def test_names_as_in_checkpoints_are_still_taken(name: str) -> None:
    run, fresh = build(name), build(name, seed=9)
    run.advance(1e9, 1)
    assert not use(fresh, weight_files.as_pt(run.state_dict()["weights"]))
    assert_equal_weights(fresh, run.model)
    assert list(run.state_dict()["weights"]) == list(run.model.state_dict())


# Models of a student's own.


class Net(nn.Module):
    """The tutorial's."""

    def __init__(self, inputs: int, outputs: int, last: str) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, 10)
        self.add_module(last, nn.Linear(10, outputs))


class CNN(nn.Module):
    """The tutorial's, with or without torch's own batch norm."""

    def __init__(self, *, batch_norm: bool = False) -> None:
        super().__init__()
        norms = [[nn.BatchNorm2d(2)], [nn.BatchNorm2d(3)]] if batch_norm else [[], []]
        self.conv1 = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), *norms[0], nn.ReLU(), nn.MaxPool2d(2))
        self.conv2 = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), *norms[1], nn.ReLU(), nn.MaxPool2d(2))
        self.out = nn.Linear(3 * 7 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.conv2(self.conv1(x)).flatten(start_dim=1))
        return out


@pytest.mark.parametrize(
    ("name", "model"),
    [("regression", Net(1, 1, "predict")), ("classification", Net(2, 2, "out"))],
    ids=["regression", "classification"],
)
def test_a_model_of_the_tutorials_class_is_taken_in_order(name: str, model: nn.Module) -> None:
    shuffled(model)
    run = build(name)
    assert use(run, saved(model))
    assert_equal_weights(run, model)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_cnn_of_the_tutorials_class_is_taken_in_order(batch_norm: bool, dropout: float) -> None:
    model = CNN(batch_norm=batch_norm)
    shuffled(model)
    run = build("cnn", batch_norm=batch_norm, dropout=dropout, **SMALL)
    assert use(run, saved(model))
    with torch.no_grad():
        torch.testing.assert_close(run.model(IMAGES), model.eval()(IMAGES))


def test_a_file_with_batch_norm_fits_torchs_own_batch_norm_with_and_without_its_counter() -> None:
    run = build("cnn", batch_norm=True, **SMALL)
    run.advance(1e9, 3)
    layers = [nn.BatchNorm2d(each.weight.numel()) if isinstance(each, cnn.BatchNorm) else each
              for each in copy.deepcopy(run.model) if type(each).__name__ != "Dropout"]  # fmt: skip
    model = nn.Sequential(*layers)
    shuffled(model)
    load(model, pt_of(run))
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(IMAGES), run.model(IMAGES))
    with_counter = checkpoint.read(saved(model))
    assert isinstance(with_counter, dict) and "1.num_batches_tracked" in with_counter
    for drop in ("", "num_batches_tracked"):
        fresh = build("cnn", batch_norm=True, seed=9, **SMALL)
        kept = {name: value for name, value in with_counter.items() if not drop or drop not in name}
        assert not use(fresh, weight_files.as_pt(kept))
        assert_equal_weights(fresh, run.model)


def test_a_prefix_of_all_names_does_no_harm() -> None:
    run = build("regression")
    weights = {f"module.{name}": value for name, value in build("regression", seed=9).model.state_dict().items()}
    assert use(run, weight_files.as_pt(weights))
    assert_equal_weights(run, build("regression", seed=9).model)


def test_names_of_the_model_itself_are_taken_in_any_order() -> None:
    run, other = build("classification", layers=3), build("classification", layers=3, seed=9)
    weights = dict(sorted(other.model.state_dict().items(), reverse=True))
    assert not use(run, weight_files.as_pt(weights))
    assert_equal_weights(run, other.model)


# Files that do not fit.


def without(weights: Mapping[str, Tensor], *names: str) -> dict[str, Tensor]:
    return {name: value for name, value in weights.items() if name not in names}


@pytest.mark.parametrize(
    ("name", "values", "change", "difference"),
    [
        ("cnn", SMALL, lambda own: without(own, "7.bias"), "it has no tensor for “7.bias”"),
        ("cnn", SMALL, lambda own: own | {"7.gain": torch.ones(1)}, "the model has no tensor called “7.gain”"),
        ("cnn", SMALL | {"batch_norm": True}, lambda own: without(own, "1.running_var"),
         "it has no tensor for “1.running_var”"),
        ("cnn", SMALL, lambda own: own | {"7.bias": torch.ones(7)},
         "“7.bias” has the shape [7], but [10] is needed here"),
        ("cnn", SMALL, lambda _: CNN(batch_norm=True).state_dict(),
         "the model has no tensor called “conv1.1.running_mean”"),
        ("cnn", SMALL, lambda _: Net(1, 1, "out").state_dict(), "it has no tensor for “7.weight”"),
        ("cnn", {}, lambda _: CNN().state_dict(),
         "“conv1.0.weight” has the shape [2, 1, 3, 3], but [16, 1, 5, 5] is needed here"),
        ("regression", {"layers": 2}, lambda own: without(own, "4.weight", "4.bias"),
         "it has no tensor for “4.weight”"),
        ("regression", {}, lambda _: Net(2, 2, "out").state_dict(),
         "“hidden.weight” has the shape [10, 2], but [10, 1] is needed here"),
        ("optimizers", {}, lambda _: Net(1, 1, "predict").state_dict(), "it has no tensor for “1.0.weight”"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_by_what_differs(
    name: str, values: dict[str, Any], change: Any, difference: str
) -> None:
    run = build(name, **values)
    before = run.run_history().checksum
    with pytest.raises(StateError) as refused:
        run.use_weights(change(run.script_weights()))
    assert str(refused.value) == (
        f"This file does not fit the model: {difference}. Set the same layers and units as in the file, then load it "
        "again."
    )
    assert run.run_history().checksum == before and not run.marks


def test_numbers_of_another_dtype_or_none_are_refused_under_the_name_in_the_file() -> None:
    run, model = build("regression"), Net(1, 1, "predict")
    with pytest.raises(StateError, match=r"“hidden\.weight” holds float64, but float32 is needed"):
        run.use_weights(model.double().state_dict())
    with pytest.raises(StateError, match=r"“hidden\.bias” holds NaN or infinity"):
        run.use_weights(model.float().state_dict() | {"hidden.bias": torch.full((10,), torch.inf)})


def test_a_diverged_run_gives_no_weights() -> None:
    run = build("regression")
    with torch.no_grad():
        run.model[0].weight[0] = torch.nan
    with pytest.raises(StateError, match="diverged"):
        checkpoint.take_weights(run)


def test_only_a_run_of_weights_has_a_file_of_them() -> None:
    with pytest.raises(checkpoint.CheckpointError, match="cannot be saved"):
        checkpoint.take_weights(object())


def npz(compressed: bool = False, **arrays: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_an_npz_of_the_page_or_of_numpy_is_loaded_like_a_pt(compressed: bool) -> None:
    run = build("regression")
    shuffled(run.model)
    weights = checkpoint.take_weights(run)
    content = npz(compressed, **{name: value.numpy() for name, value in weights.items()})
    for made in (content, weight_files.as_npz(weights)):
        other = build("regression", seed=5)
        use(other, made, "weights.npz")
        assert_equal_weights(other, run.model)


def test_arrays_of_another_order_or_byte_order_keep_their_numbers() -> None:
    numbers = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    for array in (np.asfortranarray(numbers), numbers.astype(">f4"), numbers.T.copy().T):
        found = checkpoint.read(npz(a=array, step=np.int64(3)), name="a.npz")
        assert isinstance(found, dict) and found["step"] == 3
        assert found["a"].is_contiguous() and np.array_equal(found["a"].numpy(), numbers)


def archive(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name.replace("_", "."), content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: npz(a=np.array([{"a": 1}], dtype=object)), "“a” cannot be read"),
        (lambda: npz(a=np.array(["x"])), "of a kind that is not read here"),
        (lambda: npz(a=np.array([1 + 2j])), "of a kind that is not read here"),
        (lambda: npz(a=np.array([np.nan], dtype=np.float32)), "NaN or infinity"),
        (lambda: npz(True, a=np.zeros(30_000_000, dtype=np.float32)), "more than 4 MB"),
        (lambda: npz(**{f"a{index}": np.zeros(1) for index in range(1001)}), "1,001 entries"),
        (lambda: archive(a_npy=b"nonsense"), "“a” cannot be read"),
        (lambda: archive(a_npy=npz()[:0], b_txt=b"x"), "cannot be read"),
        (lambda: npz(a=np.zeros(9, dtype=np.float32))[:120], "damaged"),
    ],
)
def test_an_npz_that_holds_anything_else_is_refused_with_a_sentence(content: Any, words: str) -> None:
    with pytest.raises(checkpoint.CheckpointError, match=re.escape(words)):
        checkpoint.read(content(), name="weights.npz")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("net.pt", "This .pt file cannot be read"),
        ("NET.PTH", "This .pt file cannot be read"),
        ("net.npz", "This .npz file cannot be read"),
        ("run.safetensors", "not a safetensors file"),
    ],
)
def test_a_file_that_is_nothing_is_called_what_its_name_says(name: str, words: str) -> None:
    for content in (b"x,y\n1,2\n" * 20, bytes(64), b"PK\x05\x06" + bytes(18)):
        with pytest.raises(checkpoint.CheckpointError, match=words):
            checkpoint.read(content, name=name)


def test_the_content_decides_what_a_file_is_and_not_its_name() -> None:
    run = build("regression")
    pt, whole = pt_of(run), checkpoint.pack(checkpoint.take("regression", run))
    for name in ("net.pt", "net.npz", "net.safetensors", ""):
        assert isinstance(checkpoint.read(pt, name=name), dict)
        assert isinstance(checkpoint.read(whole, name=name), checkpoint.Checkpoint)


def test_a_refused_tensor_of_a_checkpoint_is_called_by_its_name_in_the_model() -> None:
    run = build("regression")
    state = run.state_dict()
    state["weights"] = state["weights"] | {"0.weight": torch.zeros(3, 1)}
    with pytest.raises(StateError, match=r"“0\.weight” has the shape \[3, 1\]"):
        run.load_state_dict(state)
