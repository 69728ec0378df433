"""A training on digits as a plain PyTorch script."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from playground import mnist
from playground.lessons.cnn import batches as image_batches
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.config import DROPOUT_SEED, ORDER_SEED, WEIGHTS_SEED, CnnData, build_model, load_digits
from playground.lessons.cnn.evaluation import TEST_BATCH
from playground.lessons.cnn.schedule_plan import Plan, plans
from playground.mnist import small_digits
from playground.runs.journal import Change, RunHistory
from playground.scripts.code import call, comment
from playground.scripts.modules import Dropout
from playground.scripts.script import TESTS, TrainingScript
from playground.training import models
from playground.training.optimizers import SCHEDULES

NEEDS_MNIST = (
    "It needs PyTorch, NumPy and a folder with the four files of MNIST: run `python cnn.py FOLDER`; without a folder "
    "it looks in “data”."
)
NEEDS_SMALL_DIGITS = "It needs PyTorch, NumPy and scikit-learn, whose small digits the run was trained on."
PROMISE = (
    "It ends at the same weights, to the last bit with the same version of PyTorch, the same kind of processor and the "
    "same number of threads, which it sets ({threads})."
)
PROMISE_GRAPHICS_CARD = (
    "The run was computed on a graphics card and the script computes on the processor, so the last digits differ."
)
PRINTS = (
    "The page shows the first four digits of its train loss as “Train loss”, and of its test accuracy as “Test, all” "
    "once this step is tested."
)
READ = '''
def idx(name, *shape):
    """The numbers in one of MNIST's files, packed or not. Exits with a message if it cannot be read."""
    names = [each + end for each in (name, name.replace("-idx", ".idx")) for end in (".gz", "")]
    try:
        places = [folder / inside / each for inside in ("", "MNIST/raw", "raw") for each in names]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise SystemExit(
                f"{name} is not in {folder.absolute()}, neither packed (.gz) nor unpacked. "
                "Name the folder with the four files of MNIST: python cnn.py FOLDER"
            )
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise SystemExit(f"{name} in {folder.absolute()} cannot be read ({error}). Download it again.")
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
    if content[: len(header)] != header or len(content) != len(header) + math.prod(shape):
        raise SystemExit(f"{path} is damaged or is not the file of MNIST. Download it again.")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()
'''
MNIST = """
folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
all_images = idx("train-images-idx3-ubyte", {train}, 28, 28)
all_labels = idx("train-labels-idx1-ubyte", {train})
test_images = idx("t10k-images-idx3-ubyte", {test}, 28, 28)
test_labels = idx("t10k-labels-idx1-ubyte", {test})
"""
DIGITS = """
# The run had no MNIST: these are scikit-learn's small digits, enlarged.
from sklearn.datasets import load_digits

small = load_digits()
images, labels = enlarged(small.images), small.target
all_images, all_labels = images[:{train}], labels[:{train}]
test_images, test_labels = images[{train}:], labels[{train}:]
"""
PIXELS = """
all_x, all_y = pixels(torch.from_numpy(all_images)), torch.from_numpy(all_labels).long()
x_test, y_test = pixels(torch.from_numpy(test_images)), torch.from_numpy(test_labels).long()
"""
AUGMENTED = '''
def augmented(x):
    """Images (batch, 1, 28, 28), each shifted and rotated by its own random amounts."""
    if not shift and not turn:
        return x
    draws = 2 * torch.rand(len(x), 3, generator=shuffle) - 1  # (batch, 3): rotation, right, down
    angle = draws[:, 0] * math.radians(turn)
    across, down = draws[:, 1:].T * (2 * shift / x.shape[-1])
    return moved(x, angle, across, down)
'''
IN_NEW_ORDER = "each epoch goes through the points in a new order"
IN_ORDER = "each epoch goes through the images sorted by digit"
SORTED = "order = y_train.argsort(stable=True)"
TEST_FORGOTTEN = """# model.eval() is left out: dropout and batch norm work as in training, and this test changes
# batch norm's running averages."""
TEST_SORTED = """order = y_test.argsort(stable=True)  # sorted by digit
x_test, y_test = x_test[order], y_test[order]"""
RESULTS = """
# The test, {images} images at a time.
{tests}
with torch.no_grad():
    logits = torch.cat([model(scaled(x)) for x in x_test.split({images})])
    print("test loss", nn.functional.cross_entropy(logits, y_test).item())
    print("test accuracy", (logits.argmax(dim=1) == y_test).sum().item() / len(y_test))
"""


class CnnScript(TrainingScript):
    """The script of a training on digits."""

    title = "CNN on MNIST"
    order_seed, weights_seed = ORDER_SEED, WEIGHTS_SEED

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        configs = [each.config for each in self.every]
        self.digits = mnist.load()
        self.drops = any(config.dropout for config in configs)
        self.moves = any(config.shift or config.turn for config in configs)
        self.rounds = any(config.precision == "bfloat16" for config in configs)
        self.schedules = any(config.schedule != "constant" and config.epochs for config in configs)
        if self.moves and not self.shuffles:  # images are shifted with the same random numbers
            self.shuffles = self.sometimes_whole = True

    @property
    def needs(self) -> str:
        """The packages and the data that it needs."""
        if not self.digits.real:
            return NEEDS_SMALL_DIGITS
        return NEEDS_MNIST

    @property
    def promise(self) -> str:
        """Where it ends at the same weights, with the numbers of threads; not after a run on a graphics card."""
        if self.run_history.config.torch_device != "cpu":
            return PROMISE_GRAPHICS_CARD
        counts = [each.threads or self.run_history.settings.torch_threads for each in self.every]
        threads = ", then ".join(str(count) for at, count in enumerate(counts) if counts[at - 1 : at] != [count])
        return PROMISE.format(threads=threads)

    @property
    def prints(self) -> str:
        """Which numbers on the page are those that it prints."""
        return PRINTS

    # Data.

    def points(self, change: Change) -> CnnData:
        """The images at one moment of the run."""
        data = load_digits()
        return CnnData(*data.first(change.config.images), data.x_test, data.y_test, data.sentence)

    def data_key(self, change: Change) -> Any:
        """The number of training images."""
        return change.config.images

    def data(self, change: Change) -> list[str]:
        """The statements that read the files and take the first images; after a change, only the latter."""
        first = f"x_train, y_train = all_x[:{change.config.images}], all_y[:{change.config.images}]"
        if change is not self.run_history.start:
            return [first]
        self.take(cnn.pixels)
        self.take(cnn.scaled)
        if self.digits.real:
            self.definitions["idx"] = READ
            counts = {"train": len(self.digits.train_labels), "test": len(self.digits.test_labels)}
            return [MNIST.format(**counts).strip(), PIXELS.strip(), first]
        self.take(small_digits.enlarged)
        return [DIGITS.format(train=small_digits.TRAIN).strip(), PIXELS.strip(), first]

    def take(self, thing: types.FunctionType | Any) -> str:
        """Define a function of this project, after the constants and functions of its module that it uses."""
        for name in thing.__code__.co_names:
            value = thing.__globals__.get(name)
            if name.isupper():
                self.definitions[name] = f"{name} = {value!r}"
            elif isinstance(value, types.FunctionType) and value.__module__ == thing.__module__:
                self.take(value)
        return self.define(thing)

    # Model, optimizer, schedule.

    def model(self, config: Any) -> list[str]:
        """The statements that build the model."""
        lines, modules, channels, side = [], [], 1, cnn.SIDE
        pooling = {"max": "nn.MaxPool2d(2)", "average": "nn.AvgPool2d(2)"}[config.pooling]
        for count in config.filters:
            modules.append(f"nn.Conv2d({channels}, {count}, {config.kernel}, padding={config.kernel // 2})")
            modules += [f"nn.BatchNorm2d({count})"] if config.batch_norm else []
            modules += [models.ACTIVATIONS[config.activation].code, pooling]
            channels, side = count, side // 2
        modules.append("nn.Flatten()")
        if self.drops:
            self.define(Dropout)
            seed = f"torch.Generator().manual_seed({self.seed + DROPOUT_SEED})"
            lines.append(f"dropout = Dropout({config.dropout!r}, {seed})")
            modules.append("dropout")
        modules.append(f"nn.Linear({channels * side * side}, {cnn.CLASSES})")
        return [*lines, f"torch.manual_seed({self.seed + WEIGHTS_SEED})", call("model = nn.Sequential", modules),
                "model = model.to(memory_format=torch.channels_last)"]  # fmt: skip

    def loss_fn(self, config: Any) -> str:
        """Cross-entropy."""
        del config
        return "nn.CrossEntropyLoss()"

    def settings(self, config: Any) -> dict[str, str]:
        """The variables that a step also reads."""
        found = {"shift": repr(config.shift), "turn": repr(config.turn)} if self.moves else {}
        if self.rounds:
            found["bfloat16"] = repr(config.precision == "bfloat16")
        if self.schedules:
            name = config.schedule if config.epochs else "constant"
            found |= {"lr": repr(config.lr), "schedule": self.take(SCHEDULES[name].factor)}
        return found

    @cached_property
    def plans(self) -> list[Plan]:
        """The schedule's plans, the first one at the start."""
        return plans(self.run_history) if self.schedules else []

    def learning(self, config: Any) -> list[str]:
        """Also the schedule's first plan."""
        lines = super().learning(config)
        if self.moves:
            self.define(image_batches.moved)
            self.definitions["augmented"] = AUGMENTED
        return lines + [each.code for each in self.plans[:1]]

    def changed(self, before: Change, after: Change) -> list[str]:
        """Also another dropout probability."""
        lines = super().changed(before, after)
        if before.config.dropout != after.config.dropout:
            lines.append(f"dropout.p = {after.config.dropout!r}")
        return lines

    @cached_property
    def phases(self) -> list[tuple[int, str]]:
        """The changes, followed by the schedule's new plans after the same step."""
        found = super().phases
        for plan in self.plans[1:]:
            found.append((plan.since, f"{comment(plan.why)}\n{plan.code}"))
        return sorted(found, key=lambda each: each[0])

    def restoring(self, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Without dropout if it was never on."""
        state, lines = super().restoring(kept)
        if not self.drops:  # the script's model has one module less, so later names differ
            names = build_model(self.run_history.start.config).state_dict()
            state["model"] = dict(zip(names, kept["weights"].values(), strict=True))
        return state, lines

    def more_saved(self, own: Any) -> dict[str, Any]:
        """Dropout's random numbers."""
        return {"dropout": own["dropout"]} if self.drops else {}

    # The training.

    @cached_property
    def averaged(self) -> range:
        """The steps whose mean loss the page shows; empty if the script does not take the last of them."""
        steps = self.run_history.averaged
        return steps if steps.stop > self.run_history.start.steps else range(0)

    @property
    def earlier(self) -> int:
        """How many of these steps are before the script's first step."""
        return max(0, self.run_history.start.steps - self.averaged.start) if self.averaged else 0

    def training(self) -> list[str]:
        """Also keeps each step's loss, if their mean is printed."""
        if not self.averaged:
            return super().training()
        losses = "losses = []"
        if self.earlier and self.run_history.saved:
            count, _, total, _ = self.run_history.saved.state["own"]["tally"]
            losses = f"losses = [{total / count!r}] * {self.earlier}  # the mean of the steps before"
        return [losses, *super().training()]

    def batching(self, start: Change) -> list[str]:
        """Each epoch in a new order, or sorted by digit."""
        statements = super().batching(start)
        if start.config.train_order != "sorted":
            return statements
        drawn = "order = torch.randperm(len(x_train), generator=shuffle)"
        return [each.replace(drawn, SORTED).replace(IN_NEW_ORDER, IN_ORDER) for each in statements]

    def step(self) -> list[str]:
        """The lines of one step, indented."""
        x = "augmented(scaled(x))" if self.moves else "scaled(x)"
        lines = [f"x, y = {'next_batch()' if self.shuffles else 'x_train, y_train'}", f"prediction = model({x})",
                 "loss = loss_fn(prediction, y)", "optimizer.zero_grad()", "loss.backward()",
                 "optimizer.step()"]  # fmt: skip
        if self.rounds:
            within = 'with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):'
            lines = [within, *(f"    {line}" for line in lines)]
        if self.schedules:
            rate = f"lr * schedule({self.counter} - 1 - plan_start, plan_steps)"
            lines.insert(0, f'optimizer.param_groups[0]["lr"] = {rate}')
        if self.averaged:
            lines.append("losses.append(loss.item())")
        return [f"    {line}" for line in lines]

    def results(self) -> list[str]:
        """The train loss as on the page, then the test of all images."""
        lines = [f'print("step", {self.run_history.steps})']
        if steps := self.averaged:
            skipped = self.run_history.start.steps - self.earlier
            first, last = steps.start - skipped, steps.stop - skipped
            name = f"train loss, steps {steps.start + 1} to {steps.stop}"
            lines.append(f'print("{name}", sum(losses[{first}:{last}]) / {len(steps)})')
        config = self.run_history.config
        tests = TEST_FORGOTTEN if config.test_mode == "train" else TESTS.format(model=self.model_name)
        if config.test_order == "sorted":
            tests = f"{tests}\n{TEST_SORTED}"
        return [*lines, RESULTS.rstrip().format(images=TEST_BATCH["cpu"], tests=tests)]
