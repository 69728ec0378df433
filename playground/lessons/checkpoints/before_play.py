"""What students predict of the experiments of Save and restore, and the rules that read the truth from the labs."""

from __future__ import annotations

import numpy as np

from playground.lessons.checkpoints import inspect_state_dict, pickles
from playground.lessons.checkpoints.inside import EVERY, InsideConfig, checkpoints
from playground.lessons.checkpoints.mismatch import MismatchConfig, draw_mismatch
from playground.lessons.checkpoints.pickles import PickleConfig, file_of, kind_of, opcodes
from playground.lessons.checkpoints.resume import ResumeConfig, equal, trainings
from playground.lessons.checkpoints.ways import WaysConfig, draw_ways, save_both, trained_net
from playground.predictions import Choice, Number, Prediction, Why

JUMP = 1.5  # of a loss, against the one without a stop
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


def units_that_stay(config: InsideConfig) -> float:
    """How many units have exactly the weights that they had before."""
    before, after = layer_before_and_after(config)
    return float((before == after).all(axis=1).sum())


def size_of_change(config: InsideConfig) -> str:
    """The largest change against the largest weight: "small" (below a twentieth), about a "tenth" or about "half"."""
    before, after = layer_before_and_after(config)
    ratio = np.abs(after - before).max() / np.abs(after).max()
    return "small" if ratio < SMALL_CHANGE else "tenth" if ratio < 0.25 else "half"


def what_load_does(config: MismatchConfig) -> str:
    """Whether load_state_dict raises an "error", reports ignored keys ("report") or "loads" the file."""
    answer = draw_mismatch(config).answer
    return "error" if answer.startswith("RuntimeError") else "report" if "missing_keys=['" in answer else "loads"


def loaded_curve(config: MismatchConfig) -> str:
    """The curve of the loaded model against the saved one: the "same", "shifted" or "other"."""
    saved, loaded = (np.asarray(trace["y"]) for trace in draw_mismatch(config).charts["curves"]["data"][:2])
    gaps = loaded - saved
    if np.abs(gaps).max() < SHIFTED:
        return "same"
    return "shifted" if np.ptp(gaps) < SHIFTED else "other"


def loss_after_resuming(config: ResumeConfig) -> str:
    """The loss a step after resuming with the weights alone, against no stop: "jumps", "same" or "lower"."""
    whole, weights_only, *_ = trainings(config)
    ratio = float(weights_only.losses[1] / whole.losses[config.stop + 1])
    return "jumps" if ratio > JUMP else "lower" if ratio < 1 / JUMP else "same"


def exact_resumes(config: ResumeConfig) -> float:
    """How many of the three resumed trainings end bit for bit as the one that never stopped."""
    whole, *resumed = trainings(config)
    return float(sum(equal(whole, each) == "yes" for each in resumed))


def opcodes_of_kind(config: PickleConfig, kind: str) -> int:
    """The number of opcodes of one of pickles.KINDS in the file."""
    return sum(kind_of(name) == kind for _, name, _ in opcodes(file_of(config.file)))


def calls(config: PickleConfig) -> str:
    """How many calls the file makes: "none", "one", "few" (below 10) or "dozens"."""
    count = opcodes_of_kind(config, pickles.KINDS[1])
    return "none" if not count else "one" if count == 1 else "few" if count < 10 else "dozens"


def imports(config: PickleConfig) -> float:
    """How many names the file imports."""
    return float(opcodes_of_kind(config, pickles.KINDS[0]))


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
                "late": "The error comes later, in training",
                "cache": "PyTorch remembers the weights that net1 has had",
                "weights": "A new model has weights, too: random ones",
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
    "what-has-changed": Prediction(
        Number("Of ten hidden units, how many have exactly their first weights after 100 steps?", rule=units_that_stay,
               lo=0, hi=10, tolerance=1, unit="units"),
        Why(
            "Why do some stay?",
            {
                "dead": "Their ReLU is 0 for every point: no gradient",
                "all": "None stays: each step changes each weight",
                "done": "Their first weights were right already",
            },
            "dead",
            {
                "all": "A weight without a gradient does not change, and a dead unit has none.",
                "done": "They add nothing to the curve. A unit that is 0 everywhere cannot learn to be right.",
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
                "rate": "The learning rate has been lowered",
                "gradient": "Near the minimum the gradient is short",
                "constant": "Each step changes the weights as the first one",
            },
            "gradient",
            {
                "rate": "It is the same from the first step to the last.",
                "constant": "A step is rate × gradient. The rate stays, the gradient shrinks.",
            },
        ),
    ),
    "wrong-width": Prediction(
        Choice(
            "The file has 10 units, the model 12. What does load_state_dict do?",
            {"loads": "It loads the first 10 units", "report": "It skips what does not fit",
             "error": "It raises an error"},
            what_load_does,
        ),
        Why(
            "And with strict=False?",
            {
                "still": "The same: strict is about keys, not shapes",
                "skip": "Then it skips all tensors that do not fit",
                "fill": "Then it fills the other two with zeros",
            },
            "still",
            {
                "skip": "It skips missing and unexpected keys. A tensor of another shape is an error in both cases.",
                "fill": "A tensor is copied as a whole or not at all.",
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
                "random": "The bias keeps the random value of a new model",
                "zero": "A missing tensor is set to zero",
                "nothing": "One wrong number makes all the others wrong, too",
            },
            "random",
            {
                "zero": "Nothing is set. What the file does not have stays as the model was built.",
                "nothing": "The other tensors are right. The last bias only moves the curve up or down.",
            },
        ),
    ),
    "resumed-with-adam": Prediction(
        Choice(
            "Adam, stopped at step 30 and resumed with its weights only. What does the loss do first?",
            {"same": "It continues as before", "lower": "It falls faster", "jumps": "It jumps up"},
            loss_after_resuming,
        ),
        Why(
            "Why?",
            {
                "averages": "Without averages Adam’s steps are long",
                "weights": "The weights are all that any training ever needs",
                "fresh": "A new optimizer starts with new energy",
            },
            "averages",
            {
                "weights": "For plain SGD. Adam also needs the averages of its gradients.",
                "fresh": "Its first steps are as long as the rate, whatever the gradient: too long this near.",
            },
        ),
    ),
    "sgd-all-points": Prediction(
        Number("Plain SGD on all points, resumed in three ways. How many of the three continue exactly?",
               rule=exact_resumes, lo=0, hi=3, tolerance=0),
        Why(
            "Why?",
            {
                "state": "Only the full state is ever exact",
                "rounding": "Rounding makes each of them differ",
                "none": "There is no state but the weights",
            },
            "none",
            {
                "state": "Here the full state is the weights: SGD has none, and no order of batches can be lost.",
                "rounding": "A float32 is saved with all of its bits.",
            },
        ),
    ),
    "whole-model": Prediction(
        Choice(
            "A whole model was saved with torch.save. How many function calls does loading the file make?",
            {"dozens": "Dozens", "one": "One: the model’s class", "none": "None: a file is data",
             "few": "A few, one for each tensor"},
            calls,
        ),
        Why(
            "What follows from that?",
            {
                "slow": "Such files are slow to load",
                "trust": "Who loads a file runs the program in it",
                "safe": "PyTorch checks each call, so it is safe",
            },
            "trust",
            {
                "slow": "They take milliseconds. It is what the calls might do that matters.",
                "safe": "With weights_only=True, the default. With False any function can be called.",
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
