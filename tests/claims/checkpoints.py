"""What the lesson Save and restore says, as rules."""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from playground.lessons import LESSONS
from playground.lessons.checkpoints import inside, mismatch, pickles, resume, ways
from playground.runs.checksums import checksum
from playground.saving import checkpoint
from playground.settings import Settings
from tests.claims.claims import Claims
from tests.recorded.record import small_digits

CLAIMS = Claims("checkpoints")
of, says = CLAIMS.of, CLAIMS.says


# Save and restore


@of(
    "tutorial",
    "Yes, bit for bit.",
    "Compare the two files: the numbers take the same space, the rest is the program that rebuilds the model.",
)
def _(config: Any) -> None:
    first, files = ways.draw_ways(config).tables
    assert [row[3] for row in first.rows] == ["", "yes", "yes"]
    data = [row for row in files.rows if row[0].startswith("data/")]
    assert data and all(row[1] == row[2] for row in data), "the numbers take the same space in both"
    whole, params = (int(each.replace(",", "")) for each in files.rows[-1][1:])
    assert whole > params


@of(
    "load-forgotten",
    "net3 is built, but never gets its parameters.",
    "Nothing: no error, no message. net3 is a new model with random weights, as its curve shows.",
)
def _(config: Any) -> None:
    assert [row[3] for row in ways.draw_ways(config).tables[0].rows] == ["", "yes", "no"]


@of("why-so-large", "More than six times the units.", "By less than 600 bytes.")
def _(config: Any) -> None:
    assert config.hidden == 64
    small, large = (len(ways.save_both(ways.trained_net(hidden, 100, 1))[1]) for hidden in (10, 64))
    assert 0 <= large - small < 600


@of("what-has-changed", "Units 8 and 9 are dead: zero for every point, so no gradient reaches them.")
def _(config: Any) -> None:
    for after in (10, 100, 200):
        change = np.array(inside.draw_inside(config.with_values(after=after)).charts["layer"]["data"][2]["z"])
        assert [unit for unit in range(10) if not change[unit].any()] == [8, 9]


@of(
    "late-in-training",
    "The two checkpoints look the same.",
    "The difference has its own scale: read how small its numbers are.",
)
def _(config: Any) -> None:
    before, after, difference = (panel["zmax"] for panel in inside.draw_inside(config).charts["layer"]["data"])
    assert before == after > 20 * difference


def message(config: Any, **values: Any) -> str:
    return mismatch.draw_mismatch(config.with_values(**values)).tables[0].rows[0][0]


@of(
    "wrong-width",
    "It names each tensor with both shapes, the file’s first.",
    "Switch “strict” off: the message stays, a tensor of another shape is never loaded.",
)
def _(config: Any) -> None:
    assert "copying a param with shape torch.Size([10, 1]) from checkpoint" in message(config)
    assert "the shape in current model is torch.Size([12, 1])" in message(config)
    assert message(config, strict=False) == message(config)


@of(
    "prefix",
    "Every key is missing and every key is unexpected: a sign that the keys were renamed.",
    "Switch “strict” off: it reports the keys that it ignored, and loads nothing.",
)
def _(config: Any) -> None:
    keys = mismatch.draw_mismatch(config).tables[1].rows
    assert {row[3] for row in keys} == {"missing", "unexpected"}
    assert "module.0.weight" in message(config, strict=False) and "RuntimeError" not in message(config, strict=False)


@of(
    "no-message",
    "The file fits, the function does not: tanh in place of ReLU.",
    "No message: activations have no parameters, so the file does not show the difference.",
    "The curve does.",
)
def _(config: Any) -> None:
    assert message(config) == mismatch.LOADED
    one, two = (np.asarray(trace["y"]) for trace in mismatch.draw_mismatch(config).charts["curves"]["data"][:2])
    assert np.abs(one - two).max() > 0.1


def equal(config: Any, **values: Any) -> list[str]:
    return [row[3] for row in resume.draw_resume(config.with_values(**values)).tables[0].rows][1:]


@of(
    "resumed-with-adam",
    "With only the weights Adam has lost its averages, and its first steps are as large as at the start: the loss jumps.",
    "Only the third is exact.",
)
def _(config: Any) -> None:
    assert equal(config) == ["no", "no", "yes"]
    whole, weights_only, *_ = resume.trainings(config)
    assert float(weights_only.losses[1]) > 2 * float(whole.losses[config.stop + 1]), "the loss jumps"


@of("resumed-with-sgd", "“Weights only” and “+ optimizer” are the same line, but their batches have another order.")
def _(config: Any) -> None:
    _, weights_only, optimizer, _ = resume.trainings(config)
    assert torch.equal(weights_only.parameters, optimizer.parameters) and equal(config) == ["no", "no", "yes"]
    assert equal(config, batch_size=0) == ["yes"] * 3


@of(
    "command-in-a-file",
    "Find the opcode `GLOBAL` with `system`, and the `REDUCE` that would call it.",
    "`torch.load` refuses it.",
)
def _(config: Any) -> None:
    report, table = pickles.draw_pickle(config).tables
    opcodes = [(row[1], row[2]) for row in table.rows]
    at = next(index for index, (name, argument) in enumerate(opcodes) if name == "GLOBAL" and "system" in argument)
    assert "REDUCE" in [name for name, _ in opcodes[at:]] and "Weights only load failed" in report.rows[0][0]


@of(
    "output-layer",
    "The second layer has one row: a weight for each of ten units, and a bias.",
    "Units 8 and 9 are dead, so their weights never change.",
    "The largest change of the whole model is here.",
)
def _(config: Any) -> None:
    rows = inside.draw_inside(config).tables[0].rows
    changes = {row[0]: float(row[7]) for row in rows[:-1]}
    assert max(changes, key=lambda name: changes[name]) == "2.weight"
    before, after = inside.checkpoints("regression")[0]["2.weight"], inside.checkpoints("regression")[-1]["2.weight"]
    assert [unit for unit in range(10) if before[0, unit] == after[0, unit]] == [8, 9]


@of(
    "larger-model",
    "Weights changed everywhere, none of them by much.",
    "The histogram at step 200 is a little wider than at step 0.",
)
def _(config: Any) -> None:
    every = inside.checkpoints("spiral")
    before, after = every[0]["2.weight"], every[-1]["2.weight"]
    assert before.shape == (12, 12) and (before != after).all() and (after - before).abs().max() < 0.3
    assert before.std() < after.std() < 1.5 * before.std(), "a little wider"


@of(
    "strict-off",
    "The file has no `2.bias`, and strict=False accepts that.",
    "The rest is loaded, and the missing bias keeps its random value: the curve is only shifted.",
)
def _(config: Any) -> None:
    assert "missing_keys=['2.bias']" in message(config) and "RuntimeError" not in message(config)
    one, two = (np.asarray(trace["y"]) for trace in mismatch.draw_mismatch(config).charts["curves"]["data"][:2])
    assert np.ptp(one - two) < 1e-5 < abs(one - two).min(), "shifted"


@of(
    "sgd-all-points",
    "No state in the optimizer, and no order of batches.",
    "All three are exact: there is nothing to lose but the weights.",
)
def _(config: Any) -> None:
    assert equal(config) == ["yes"] * 3


@of(
    "momentum-all-points",
    "SGD with momentum keeps one number for each weight.",
    "No batches here.",
    "“Weights only” starts again without momentum and falls behind; with the optimizer’s state it is exact.",
)
def _(config: Any) -> None:
    assert equal(config) == ["no", "yes", "yes"]
    whole, weights_only, *_ = resume.trainings(config)
    assert weights_only.losses[1:].mean() > 1.2 * whole.losses[config.stop + 1 :].mean(), "it falls behind"


@of(
    "whole-model",
    "Eight imports and 76 calls.",
    "`torch.load` refuses the file, because some of these classes are not on its list.",
)
def _(config: Any) -> None:
    kinds = [pickles.kind_of(name) for _, name, _ in pickles.opcodes(pickles.file_of(config.file))]
    assert (kinds.count(pickles.KINDS[0]), kinds.count(pickles.KINDS[1])) == (8, 76)
    assert "Weights only load failed" in pickles.draw_pickle(config).tables[0].rows[0][0]


@of(
    "state-dict",
    "Three imports, all on `torch.load`’s list of safe ones, so the file is loaded without trust in its author.",
)
def _(config: Any) -> None:
    kinds = [pickles.kind_of(name) for _, name, _ in pickles.opcodes(pickles.file_of(config.file))]
    assert kinds.count(pickles.KINDS[0]) == 3 and pickles.draw_pickle(config).tables[0].rows[0][0] == pickles.LOADED


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))


def saved(what: Any) -> bytes:
    file = io.BytesIO()
    torch.save(what, file)
    return file.getvalue()


def load(file: bytes, **options: Any) -> Any:
    return torch.load(io.BytesIO(file), **options)


@says(
    "`torch.save(net)` pickles the whole object: its classes by name, and its numbers.",
    "`torch.save(net.state_dict())` saves the numbers only, each tensor under its name; the code builds the model, and `load_state_dict` fills it.",
)
def _() -> None:
    whole, numbers = saved(net()), saved(net().state_dict())
    assert b"torch.nn.modules.linear" in whole
    assert b"torch.nn.modules" not in numbers
    assert list(load(numbers)) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert not net().load_state_dict(load(numbers)).missing_keys


@of("why-so-large", "Most of a small file is packaging (ZIP headers).")
def _(config: Any) -> None:
    file = ways.save_both(ways.trained_net(10, 100, 1))[1]
    assert len(file) > 10 * 31 * 4, "31 numbers of 4 bytes"


@of("what-has-changed", "The first layer at two steps of a training, and their difference as a heat map.")
def _(config: Any) -> None:
    assert len(inside.draw_inside(config).charts["layer"]["data"]) == 3


@of("late-in-training", "Steps 190 and 200.")
def _(config: Any) -> None:
    assert (config.before, config.after) == (190, 200)


@of("wrong-width", "The file has 10 units, the model 12.")
def _(config: Any) -> None:
    assert "size mismatch" in message(config)
    assert "10" in message(config)
    assert "12" in message(config)


@of("resumed-with-sgd", "Plain SGD has no state.")
def _(config: Any) -> None:
    assert config.optimizer == "sgd"
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.ones(3, 1)).sum().backward()
    optimizer.step()
    assert (
        optimizer.state_dict()["state"]
        == {
            0: {"momentum_buffer": None},
            1: {"momentum_buffer": None},
            2: {"momentum_buffer": None},
            3: {"momentum_buffer": None},
        }
        or not optimizer.state_dict()["state"]
    )


@says(
    "A restored model gives exactly the same predictions, bit for bit, because it has the same numbers, whichever way it was restored."
)
def _() -> None:
    first, other = net(), net()
    other.load_state_dict(load(saved(first.state_dict())))
    again = load(saved(first), weights_only=False)
    x = torch.linspace(-1, 1, 100).unsqueeze(dim=1)
    assert torch.equal(first(x), other(x))
    assert torch.equal(first(x), again(x))


@says(
    '`torch.load("net.pkl")`, as in the tutorial, has failed since PyTorch 2.6: its default is `weights_only=True`, which builds tensors and refuses other classes.',
    "Here net2 is restored by naming the three classes that `torch.load` may build.",
)
def _() -> None:
    whole = saved(net())
    with pytest.raises(pickle.UnpicklingError, match="weights_only"):
        load(whole)
    with torch.serialization.safe_globals([nn.Sequential, nn.Linear, nn.ReLU]):
        assert isinstance(load(whole, weights_only=True), nn.Sequential)


@says(
    "`strict=False` is about names only.",
    "It ignores missing and unexpected keys, but never a tensor of another shape.",
)
def _() -> None:
    state = net().state_dict()
    renamed = {f"module.{name}": each for name, each in state.items()}
    result = net().load_state_dict(renamed, strict=False)
    assert (len(result.missing_keys), len(result.unexpected_keys)) == (4, 4)
    state["0.bias"] = torch.zeros(12)
    with pytest.raises(RuntimeError, match="size mismatch"):
        net().load_state_dict(state, strict=False)


@says(
    "`load_state_dict` raises its error at the end, when the tensors that fit have already been copied.",
    "The model is then half loaded.",
)
def _() -> None:
    model, state = net(), net().state_dict()
    state["0.weight"], state["2.bias"] = torch.full((10, 1), 7.0), torch.zeros(3)
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state_dict(state)
    assert float(model[0].weight.min()) == 7  # type: ignore[union-attr,operator]


@says(
    "A state_dict’s tensors are the model’s own, not copies.",
    "To keep a state in memory while training continues, clone them.",
)
def _() -> None:
    model = net()
    state, kept = model.state_dict(), copy.deepcopy(model.state_dict())
    before = state["0.weight"].clone()
    with torch.no_grad():
        model[0].weight += 1  # type: ignore[union-attr,operator]
    assert torch.equal(state["0.weight"], before + 1)
    assert torch.equal(kept["0.weight"], before)


@says(
    "The state_dict. The pickle of the whole model names the class and its module, and asks Python to import exactly that.",
    "The answer to renamed-class: The state_dict.",
)
def _() -> None:
    class Renamed(nn.Linear):
        pass

    Renamed.__qualname__ = "GoneFromThisModule"
    model = Renamed(1, 1)
    assert list(load(saved(model.state_dict()))) == ["weight", "bias"]
    with pytest.raises((AttributeError, pickle.PicklingError)):
        load(saved(model), weights_only=False)


@says(
    "`load_state_dict` says `size mismatch for 2.weight`.",
    "The third module of the `nn.Sequential`, counting from 0: the activation is number 1 and has no parameters.",
    "That one is called 1: counting starts at 0.",
    "The answer to which-layer: The third module of the `nn.Sequential`.",
)
def _() -> None:
    model = net()
    assert model[2] is list(model)[2]
    state = {**net().state_dict(), "2.weight": torch.zeros(1, 12)}
    with pytest.raises(RuntimeError, match=r"size mismatch for 2\.weight"):
        model.load_state_dict(state)
    assert not any(name.startswith("1.") for name in model.state_dict())


@says(
    "Adam’s averages start from zero again, so its first steps are about as long as the learning rate, in each weight, however small the gradients have become.",
    "The answer to adam-resumed: Adam’s averages start from zero again.",
)
def _() -> None:
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.01)
    w.grad = torch.tensor([5.0, 1e-5])
    optimizer.step()
    assert (1 - w.detach()).tolist() == pytest.approx([0.01, 0.01], rel=2e-3)


@says(
    "A checkpoint from which training continues needs more than the weights: the optimizer’s state, the samples of the epoch that are left, and the state of the generator that shuffles the next ones.",
    "To be saved are weights, the optimizer’s state, the position in the data (order and place), the states of all random generators in use, and the state of the learning rate schedule, if there is one.",
    "The answer to not-needed: The gradients of the last step.",
    "The gradients: the next step computes its own.",
)
def _() -> None:
    def train(model: Any, optimizer: Any, generator: Any, steps: int) -> None:
        for _ in range(steps):
            x = torch.randn(8, 1, generator=generator)
            loss = ((model(x) - x**2) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    torch.manual_seed(0)
    models = [net()]
    optimizers = [torch.optim.Adam(models[0].parameters())]
    generator = torch.Generator().manual_seed(0)
    train(models[0], optimizers[0], generator, 20)
    state = copy.deepcopy((models[0].state_dict(), optimizers[0].state_dict(), generator.get_state()))
    train(models[0], optimizers[0], generator, 20)
    ends = []
    for with_optimizer, with_generator in ((True, True), (False, True), (True, False)):
        model, again = net(), torch.Generator().manual_seed(0)
        model.load_state_dict(state[0])
        optimizer = torch.optim.Adam(model.parameters())
        if with_optimizer:
            optimizer.load_state_dict(copy.deepcopy(state[1]))
        if with_generator:
            again.set_state(state[2])
        train(model, optimizer, again, 20)
        ends.append(torch.equal(model[0].weight, models[0][0].weight))  # type: ignore[union-attr,arg-type]
    assert ends == [True, False, False]


@says(
    "It runs none of their code.",
    "The answer to files-from-strangers: Not quite: the file can still ask for too much memory.",
)
def _(tmp: Any = None) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return (print, ("this must not run",))

    with pytest.raises(pickle.UnpicklingError):
        load(saved({"w": Harm()}), weights_only=True)


@says("It does not limit memory: a small file may ask for a large tensor.")
def _() -> None:
    large = saved(torch.zeros(1).expand(1_000_000, 1_000))
    assert len(large) < 2_000
    assert load(large, weights_only=True).numel() == 10**9


@says(
    "Such a file is a list of names, shapes and numbers.",
    "The answer to why-safetensors: Such a file contains no program.",
    "It contains no program, so reading it cannot run anything.",
)
def _() -> None:
    from safetensors.torch import load as load_tensors
    from safetensors.torch import save

    file = save(net().state_dict())
    header = file[8 : 8 + int.from_bytes(file[:8], "little")]
    assert b'"0.weight":{"dtype":"F32","shape":[10,1]' in header
    assert set(load_tensors(file)) == set(net().state_dict())


@says("The tutorial’s script, with a state_dict, and a checkpoint from which training can continue.")
def _() -> None:
    code = LESSONS["checkpoints"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    printed: list[Any] = []
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        exec(code, {"print": lambda *values: printed.append(values)})
        assert Path("checkpoint.pt").exists()
    assert printed == [(True, True)]


@of("tutorial", "net1 is saved whole and as its state_dict; net2 and net3 are restored.")
def _(config: Any) -> None:
    net = ways.trained_net(config.hidden, config.steps, config.seed)
    whole, numbers = ways.save_both(net)
    assert isinstance(torch.load(io.BytesIO(whole), weights_only=False), nn.Sequential)
    assert torch.load(io.BytesIO(numbers)).keys() == net.state_dict().keys()


@of("larger-model", "A model that learned a spiral: 12 × 12 weights between its two hidden layers.")
def _(config: Any) -> None:
    assert config.model == "spiral"
    assert np.shape(inside.draw_inside(config).charts["layer"]["data"][0]["z"])[0] == 12


@of("resumed-with-adam", "Stopped at step 30, and resumed with more or less of its state.")
@says("You resume a training with Adam from only the weights, and the loss jumps.")
def _(config: Any = None) -> None:
    config = config or resume.ResumeConfig()
    whole, weights_only, *_ = resume.trainings(config)
    assert (config.stop, config.optimizer) == (30, "adam")
    assert float(weights_only.losses[1]) > 2 * float(whole.losses[config.stop + 1])


@of("whole-model", "A pickle is a program: opcode by opcode it builds the model.")
@of("state-dict", "The numbers only.")
def _(config: Any) -> None:
    net = ways.trained_net(10, 1, 1)
    file = io.BytesIO(ways.save_both(net)[0 if config.file == "whole" else 1])
    loaded = torch.load(file, weights_only=False)
    assert isinstance(loaded, nn.Sequential if config.file == "whole" else dict)


@says(
    "A resumed run should equal the uninterrupted one.",
    "Where the table says “yes”, the two trainings have the same weights to the last bit.",
)
def _() -> None:
    config = resume.ResumeConfig()
    whole, *resumed = resume.trainings(config)
    for said, each in zip(equal(config), resumed, strict=True):
        assert (said == "yes") is torch.equal(whole.parameters[-1], each.parameters[-1])
    assert equal(config)[-1] == "yes"


@of("command-in-a-file", "This page only lists the file and never runs it.")
def _(config: Any) -> None:
    file = pickles.file_of(config.file)
    with pytest.MonkeyPatch.context() as patched:
        ran: list[str] = []
        patched.setattr("os.system", ran.append)
        patched.setattr("posix.system", ran.append)
        patched.setattr(pickles, "file_of", lambda name: file)
        assert "posix.system" in str(pickles.draw_pickle(config).tables)
        assert ran == []


@says("“Nearly the same” means that something was forgotten.")
def _() -> None:
    rows = (
        resume.draw_resume(resume.ResumeConfig()).tables[0].rows
    )  # never stopped, then with more and more of its state
    assert [row[3] for row in rows[1:]] == ["no", "no", "yes"]


@says("This app’s upload checks all sizes before it reads anything.")
def _() -> None:
    small, bomb = io.BytesIO(), io.BytesIO()
    torch.save({"0.weight": torch.zeros(1)}, small)
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            is_data = "/data/" in entry.filename
            new.writestr(entry.filename, bytes(50_000_000) if is_data else old.read(entry))  # 50 kB in the file
    many = {f"t{at}": torch.zeros(1) for at in range(10_000)}
    files = [bomb.getvalue(), safetensors.torch.save(many), b"{" * 50_000_000]
    with pytest.MonkeyPatch.context() as patched:
        read: list[Any] = []
        patched.setattr("safetensors.torch.load", read.append)
        patched.setattr("torch.load", lambda *given, **options: read.append(given))
        for content in files:
            with pytest.raises(ValueError):
                checkpoint.read(content)
        assert read == []


@says(
    "Every page here that trains has “Save and restore” under More: its checkpoint contains all of that, and a run restored from it continues bit for bit."
)
@torch.enable_grad()
def _() -> None:
    settings = Settings()
    with small_digits():
        for name, values in {
            "regression": {"optimizer": "adam", "batch_size": 10, "lr": 0.01, "max_steps": 0},
            "classification": {"dropout": 0.3, "batch_size": 10, "optimizer": "momentum", "max_steps": 0},
            "optimizers": {"racers": "sgd,adam", "batch_size": 8},
            "cnn": {"filters_1": 2, "filters_2": 2, "dropout": 0.5, "batch_size": 10, "epochs": 0},
        }.items():
            lesson: Any = LESSONS[name]
            run = lesson.build(lesson.config(**values))
            for _ in range(7):
                run.step()
            other, _ = checkpoint.restore(checkpoint.load(checkpoint.save(name, run)), lesson, settings)
            for each in (run, other):
                for _ in range(7):
                    each.step()
            assert checksum(run.model.state_dict()) == checksum(other.model.state_dict()), name
