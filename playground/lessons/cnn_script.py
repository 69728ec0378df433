"""How a training on digits is written as a script."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from playground import cnn, image_batches, mnist, models, small_digits
from playground.journal import Change, Course
from playground.lessons.cnn_plan import Plan, plans
from playground.lessons.cnn_setup import DROPOUT, ORDER, WEIGHTS, CnnData, load_digits
from playground.optimizers import SCHEDULES
from playground.script import TrainingScript
from playground.script_text import WIDTH, call, comment

READ = '''
def idx(name):
    """The numbers in one of MNIST's files, packed or not."""
    path = folder / f"{name}.gz"
    content = gzip.decompress(path.read_bytes()) if path.exists() else (folder / name).read_bytes()
    shape = np.frombuffer(content, ">i4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape).copy()
'''
MNIST = """
folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
all_images, all_labels = idx("train-images-idx3-ubyte"), idx("train-labels-idx1-ubyte")
test_images, test_labels = idx("t10k-images-idx3-ubyte"), idx("t10k-labels-idx1-ubyte")
"""
DIGITS = """
# The run had no MNIST: these are scikit-learn's small digits, enlarged, so this needs scikit-learn too.
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
    """Images (batch, 1, 28, 28), each shifted and turned in a way of its own."""
    if not shift and not turn:
        return x
    draws = 2 * torch.rand(len(x), 3, generator=shuffle) - 1  # (batch, 3): turn, right, down
    angle = draws[:, 0] * math.radians(turn)
    across, down = draws[:, 1:].T * (2 * shift / x.shape[-1])
    return moved(x, angle, across, down)
'''
RESULTS = """
# The test, 200 images at a time. Without gradients, batch norm and dropout do as in a test.
with torch.no_grad():
    logits = torch.cat([model(scaled(x)) for x in x_test.split(200)])
    print("test loss", nn.functional.cross_entropy(logits, y_test).item())
    print("test accuracy", (logits.argmax(dim=1) == y_test).sum().item() / len(y_test))
"""


class CnnScript(TrainingScript):
    """The script of a training on digits."""

    title = "CNN on MNIST"
    order_seed, weights_seed = ORDER, WEIGHTS

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        configs = [each.config for each in self.every]
        self.real = mnist.load().real
        self.drops = any(config.dropout for config in configs)
        self.moves = any(config.shift or config.turn for config in configs)
        self.rounds = any(config.precision == "bfloat16" for config in configs)
        self.schedules = any(config.schedule != "constant" and config.epochs for config in configs)
        if self.moves and not self.shuffles:  # images are moved by the same random numbers
            self.shuffles = self.sometimes_whole = True

    def head(self) -> str:
        """The script's docstring: what it needs, and how near it comes to the run."""
        needs = (
            "Run it with Python, PyTorch and NumPy, and name the folder with MNIST's four files behind it; without a "
            'name it looks in "data".'
            if self.real
            else "It needs PyTorch, NumPy and scikit-learn."
        )
        near = "It repeats the run to the last digit on a processor with as many threads as are set below."
        if self.course.config.torch_device != "cpu":
            near = "The run was computed on a graphics card; this computes on the processor, so digits differ."
        more = "Where the run had other numbers of threads, sums end otherwise by 1e-8, and training enlarges that."
        paragraphs = [textwrap.fill(each, WIDTH) for each in (needs, near, more)]
        first = super().head().split("\n\n")[0]
        return "\n\n".join([first, "\n".join(paragraphs)]) + '\n"""'

    # Data.

    def points(self, change: Change) -> CnnData:
        """The images of a moment."""
        data = load_digits()
        return CnnData(*data.first(change.config.images), data.x_test, data.y_test, data.sentence)

    def data_key(self, change: Change) -> Any:
        """How many images are learned from."""
        return change.config.images

    def data(self, change: Change) -> list[str]:
        """Read as the page reads them, then the first so many; for a change, those alone."""
        first = f"x_train, y_train = all_x[:{change.config.images}], all_y[:{change.config.images}]"
        if change is not self.course.start:
            return [first]
        self.take(cnn.pixels)
        self.take(cnn.scaled)
        if self.real:
            self.definitions["idx"] = READ
            return [MNIST.strip(), PIXELS.strip(), first]
        self.take(small_digits.enlarged)
        return [DIGITS.format(train=small_digits.TRAIN).strip(), PIXELS.strip(), first]

    def take(self, thing: types.FunctionType | Any) -> str:
        """Define a function of ours, after the constants and functions of its module that it reads."""
        for name in thing.__code__.co_names:
            value = thing.__globals__.get(name)
            if name.isupper():
                self.definitions[name] = f"{name} = {value!r}"
            elif isinstance(value, types.FunctionType) and value.__module__ == thing.__module__:
                self.take(value)
        return self.define(thing)

    # Model, optimizer, schedule.

    def model(self, config: Any) -> list[str]:
        """Convolution, activation, pooling; then one linear layer."""
        lines, modules, channels, side = [], [], 1, cnn.SIDE
        pooling = {"max": "nn.MaxPool2d(2)", "average": "nn.AvgPool2d(2)"}[config.pooling]
        for count in config.filters:
            modules.append(f"nn.Conv2d({channels}, {count}, {config.kernel}, padding={config.kernel // 2})")
            modules += [f"{self.define(cnn.BatchNorm)}({count})"] if config.batch_norm else []
            modules += [models.ACTIVATIONS[config.activation].code, pooling]
            channels, side = count, side // 2
        modules.append("nn.Flatten()")
        if self.drops:
            self.define(models.Dropout)
            seed = f"torch.Generator().manual_seed({self.seed + DROPOUT})"
            lines.append(f"dropout = Dropout({config.dropout!r}, {seed})")
            modules.append("dropout")
        modules.append(f"nn.Linear({channels * side * side}, {cnn.CLASSES})")
        return [*lines, f"torch.manual_seed({self.seed + WEIGHTS})", call("model = nn.Sequential", modules),
                "model = model.to(memory_format=torch.channels_last)"]  # fmt: skip

    def loss_fn(self, config: Any) -> str:
        """Cross-entropy."""
        del config
        return "nn.CrossEntropyLoss()"

    def settings(self, config: Any) -> dict[str, str]:
        """What a step reads besides."""
        found = {"shift": repr(config.shift), "turn": repr(config.turn)} if self.moves else {}
        if self.rounds:
            found["bfloat16"] = repr(config.precision == "bfloat16")
        if self.schedules:
            name = config.schedule if config.epochs else "constant"
            found |= {"lr": repr(config.lr), "schedule": self.take(SCHEDULES[name].factor)}
        return found

    @cached_property
    def plans(self) -> list[Plan]:
        """Over which steps the schedule went, and from which on."""
        return plans(self.course) if self.schedules else []

    def learning(self, config: Any) -> list[str]:
        """The same, and the schedule's first plan."""
        lines = super().learning(config)
        if self.moves:
            self.define(image_batches.moved)
            self.definitions["augmented"] = AUGMENTED
        return lines + [each.code for each in self.plans[:1]]

    def changed(self, before: Change, after: Change) -> list[str]:
        """The same, and another share dropped."""
        lines = super().changed(before, after)
        if before.config.dropout != after.config.dropout:
            lines.append(f"dropout.p = {after.config.dropout!r}")
        return lines

    @cached_property
    def phases(self) -> list[tuple[int, str]]:
        """The changes, and behind those of the same step the schedule's new plans."""
        found = super().phases
        for plan in self.plans[1:]:
            found.append((plan.since, f"{comment(plan.why)}\n{plan.code}"))
        return sorted(found, key=lambda each: each[0])

    def restoring(self, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The same, but batch norm's running averages have no memory in the optimizer."""
        state, lines = super().restoring(kept)
        learned = "[each for each in model.parameters() if each.requires_grad]"
        return state, [line.replace("model.parameters()", learned) for line in lines]

    def more_saved(self, own: Any) -> dict[str, Any]:
        """The random numbers of the dropout."""
        return {"dropout": own["dropout"]} if self.drops else {}

    # The training.

    def training(self) -> list[str]:
        """The same, and the last batch's loss is kept."""
        return [block.replace("    global steps", "    global steps, loss") for block in super().training()]

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
        return [f"    {line}" for line in lines]

    def results(self) -> list[str]:
        """The last batch's loss before its update, then the test of every image."""
        lines = [f'print("step", {self.course.steps})']
        if self.course.steps > self.course.start.steps:
            lines.append('print("batch loss", loss.item())  # of the last batch, before its update')
        return [*lines, RESULTS.rstrip()]
