"""What students predict of the experiments of Save and restore, and the rules that read the truth from the labs."""

from __future__ import annotations

import numpy as np

from playground.lessons.checkpoints import inspect_state_dict
from playground.lessons.checkpoints.inside import EVERY, InsideConfig, checkpoints
from playground.lessons.checkpoints.mismatch import FATES, MismatchConfig, draw_mismatch
from playground.lessons.checkpoints.pickles import KINDS, PickleConfig, file_of, kind_of, opcodes
from playground.lessons.checkpoints.resume import ResumeConfig, equal, trainings
from playground.lessons.checkpoints.ways import WaysConfig, draw_ways, refusal, save_both, trained_net
from playground.predictions import Choice, Number, Prediction, Why

SHIFTED = 1e-4  # at most so much do the gaps between two shifted curves differ
SMALL_CHANGE = 0.05  # of the largest weight


def what_is_said(config: WaysConfig) -> str:
    """What PyTorch says when net3 predicts: an "error" or "nothing"."""
    try:
        draw_ways(config)
    except RuntimeError:
        return "error"
    return "nothing"


def growth_of_file(config: WaysConfig) -> str:
    """How much larger the state_dict's file is than with 10 units: "little", about "twice" or "six" times."""
    small, large = (len(save_both(trained_net(hidden, config.steps, config.seed))[1]) for hidden in (10, config.hidden))
    ratio = large / small
    return "little" if ratio < 1.4 else "twice" if ratio < 3 else "six"


def layer_before_and_after(config: InsideConfig) -> tuple[inspect_state_dict.Array, inspect_state_dict.Array]:
    """The weights and biases of the chosen layer at both steps: (units, inputs + 1)."""
    every = checkpoints(config.model)
    name = inspect_state_dict.layers(every[0])[config.layer - 1]
    before, after = (
        inspect_state_dict.matrix(every[round(step / EVERY)], name) for step in (config.before, config.after)
    )
    return before, after


def weights_that_stay(config: InsideConfig) -> float:
    """How many weights of the chosen layer, without the biases, are exactly what they were before."""
    before, after = layer_before_and_after(config)
    return float((before == after)[:, :-1].sum())


def size_of_change(config: InsideConfig) -> str:
    """The largest change against the largest weight: "small" (below a twentieth), about a "tenth" or about "half"."""
    before, after = layer_before_and_after(config)
    ratio = np.abs(after - before).max() / np.abs(after).max()
    return "small" if ratio < SMALL_CHANGE else "tenth" if ratio < 0.25 else "half"


def tensors_that_fit(config: MismatchConfig) -> float:
    """How many tensors of the model have their name and shape in the file."""
    return float(sum(row[3] == FATES["fits"] for row in draw_mismatch(config).tables[1].rows))


def loaded_curve(config: MismatchConfig) -> str:
    """The curve of the loaded model against the saved one: the "same", "shifted" or "other"."""
    saved, loaded = (np.asarray(trace["y"]) for trace in draw_mismatch(config).charts["curves"]["data"][:2])
    gaps = loaded - saved
    if np.abs(gaps).max() < SHIFTED:
        return "same"
    return "shifted" if np.ptp(gaps) < SHIFTED else "other"


def exact_resumes(config: ResumeConfig) -> float:
    """How many of the three resumed trainings end bit for bit as the one that never stopped."""
    whole, *resumed = trainings(config)
    return float(sum(equal(whole, each) == "yes" for each in resumed))


def what_is_needed(config: ResumeConfig) -> str:
    """The least that has to be restored for the exact same end: "weights", "optimizer" or "batches"."""
    whole, *resumed = trainings(config)
    found = zip(("weights", "optimizer", "batches"), resumed, strict=True)
    return next(name for name, each in found if equal(whole, each) == "yes")


def what_loading_does(config: PickleConfig) -> str:
    """Whether torch.load "refuses" the file or "loads" it."""
    return "refuses" if refusal(file_of(config.file)) else "loads"


def imports(config: PickleConfig) -> float:
    """How many names the file imports."""
    return float(sum(kind_of(name) == KINDS[0] for _, name, _ in opcodes(file_of(config.file))))


PREDICTIONS = {
    "load-forgotten": Prediction(
        Choice(
            "net3 is built, but load_state_dict is never called. What does PyTorch say when net3 predicts?",
            {"nothing": "Nothing", "error": "An error", "warning": "A warning"},
            what_is_said,
        ),
        Why(
            "Why?",
            {
                "late": "The error comes later",
                "cache": "net1’s weights are remembered",
                "weights": "A new model has weights, too",
            },
            "weights",
            {
                "cache": "net1 and net3 share nothing. The curve of net3 is that of an untrained model.",
                "late": "No error comes at all. Training would simply begin again from random weights.",
            },
        ),
    ),
    "why-so-large": Prediction(
        Choice(
            "64 units in place of 10. How much larger is the file of the state_dict?",
            {"six": "About six times", "little": "By less than a third", "twice": "About twice"},
            growth_of_file,
        ),
        Why(
            "Why?",
            {
                "numbers": "A file grows just as its numbers do",
                "zip": "The numbers are compressed",
                "packaging": "A small file is mostly packaging",
            },
            "packaging",
            {
                "numbers": "The numbers of 64 units are less than 800 bytes. The rest is ZIP headers and alignment.",
                "zip": "They are stored as they are: 4 bytes each.",
            },
        ),
    ),
    "output-layer": Prediction(
        Number("The output layer has a weight for each of ten hidden units. How many of these never change?",
               rule=weights_that_stay, lo=0, hi=10, tolerance=1, unit="weights"),
        Why(
            "Why do some stay?",
            {
                "all": "None stays: all change",
                "dead": "Their units are dead: output 0",
                "done": "They were right already",
            },
            "dead",
            {
                "all": "The gradient of a weight is multiplied by its input. An input of 0 gives no gradient.",
                "done": "They are multiplied by 0 for every point, so their values say nothing.",
            },
        ),
    ),
    "late-in-training": Prediction(
        Choice(
            "Steps 190 and 200. How large is the largest change, compared with the largest weight?",
            {"small": "Less than a twentieth", "tenth": "About a tenth", "half": "About a half"},
            size_of_change,
        ),
        Why(
            "Why?",
            {
                "rate": "The rate has been lowered",
                "gradient": "The gradient is short there",
                "constant": "Each step is like the first",
            },
            "gradient",
            {
                "rate": "It is the same from the first step to the last.",
                "constant": "A step is rate × gradient. The rate stays, the gradient shrinks.",
            },
        ),
    ),
    "prefix": Prediction(
        Number("Each key of the file begins with “module.”, no key of the model does. How many of four tensors fit?",
               rule=tensors_that_fit, lo=0, hi=4, tolerance=0),
        Why(
            "Why?",
            {
                "order": "By order and shape they fit",
                "names": "Full names are compared",
                "strict": "With strict=False all fit",
            },
            "names",
            {
                "order": "Order and shape agree here. load_state_dict looks at names alone.",
                "strict": "It would load none of them, and only report the keys that it ignored.",
            },
        ),
    ),
    "strict-off": Prediction(
        Choice(
            "The file lacks the last bias, and strict is off. Which curve does the loaded model draw?",
            {"shifted": "The same curve, shifted", "same": "The same curve", "other": "Another curve"},
            loaded_curve,
        ),
        Why(
            "Why?",
            {
                "random": "The bias stays random",
                "zero": "A missing tensor becomes zero",
                "nothing": "One wrong number spoils all",
            },
            "random",
            {
                "zero": "Nothing is set. What the file does not have stays as the model was built.",
                "nothing": "The other tensors are right. The last bias only moves the curve up or down.",
            },
        ),
    ),
    "resumed-with-sgd": Prediction(
        Number("Plain SGD, batches of 10, resumed in three ways. How many of the three continue exactly?",
               rule=exact_resumes, lo=0, hi=3, tolerance=0),
        Why(
            "Why?",
            {
                "order": "One has the order of batches",
                "none": "SGD has no state: all exact",
                "noise": "Noise makes all different",
            },
            "order",
            {
                "none": "SGD has none. But the order in which the next batches come is a state, too.",
                "noise": "It comes from a generator. Its state can be saved and restored.",
            },
        ),
    ),
    "momentum-all-points": Prediction(
        Choice(
            "SGD with momentum. What must be restored for it to continue exactly?",
            {"weights": "Weights", "batches": "Weights, optimizer, batch order", "optimizer": "Weights, optimizer"},
            what_is_needed,
        ),
        Why(
            "Why?",
            {
                "sum": "It has a number for each weight",
                "weights": "The weights are the model",
                "always": "Only everything is exact",
            },
            "sum",
            {
                "weights": "Of the model, yes. A training also has the optimizer, which here has a state.",
                "always": "Each batch is all points, so no order can be lost.",
            },
        ),
    ),
    "command-in-a-file": Prediction(
        Choice(
            "A shell command is hidden in a file of weights. What does torch.load do?",
            {"runs": "Runs it", "refuses": "Refuses the file", "skips": "Skips it"},
            what_loading_does,
        ),
        Why(
            "Why?",
            {
                "list": "Only safe imports are allowed",
                "scan": "It searches for commands",
                "data": "Such a file has no commands",
            },
            "list",
            {
                "scan": "It knows no commands. What is not on the list of safe imports is refused.",
                "data": "A pickle is a program. With weights_only=False the command would run.",
            },
        ),
    ),
    "state-dict": Prediction(
        Number("The file of the whole model imports eight names. How many does that of the state_dict import?",
               rule=imports, lo=0, hi=20, tolerance=1, unit="names"),
        Why(
            "Why are there any?",
            {
                "none": "There are none: it has only numbers",
                "rebuild": "It rebuilds a dictionary of tensors",
                "classes": "It names the layers’ classes",
            },
            "rebuild",
            {
                "none": "A pickle cannot write a tensor as such: it names the function that rebuilds it.",
                "classes": "That is the file of the whole model. A state_dict knows no classes of layers.",
            },
        ),
    ),
}  # fmt: skip
