"""What students predict of the experiments of Convolution, and the rules that read the truth from the labs."""

from __future__ import annotations

import torch

from playground.lessons.convolution.chain import ChainConfig, passes, read_layers
from playground.lessons.convolution.kernels import Axis
from playground.lessons.convolution.pooling import PoolingRun
from playground.lessons.convolution.sizes import SizesConfig
from playground.lessons.convolution.slide import SlideRun
from playground.predictions import Choice, Number, Prediction, Why

INK = 128  # a pixel that counts as part of a stroke
TUTORIAL = ChainConfig()
ONE_LARGE = "conv 7 pad 3 maps 16"
WAYS = {"stays": (0, 0), "down-right": (1, 1), "up-left": (-1, -1), "up-right": (-1, 1)}  # rows down, columns right


def which_way(run: SlideRun) -> str:
    """The one of WAYS in which the digit has moved by a pixel."""
    return next(way for way, shift in WAYS.items() if torch.equal(run.output, torch.roll(run.image, shift, (0, 1))))


def side(run: SlideRun) -> float:
    """The number of rows of the output."""
    return float(run.output.shape[0])


def thickness(run: PoolingRun) -> str:
    """Whether strokes take a larger, a smaller or about the same share of the output than without an overlap."""
    apart = torch.nn.functional.max_pool2d(run.image[None], 2)
    shares = [float((each > INK).float().mean()) for each in (apart, run.output)]
    ratio = shares[1] / shares[0]
    return "thicker" if ratio > 1.1 else "thinner" if ratio < 0.9 else "same"


def where_it_does_not_fit(run: PoolingRun) -> str:
    """What becomes of the rest: "ignored", or "padded" if one more window reads it."""
    size, (rows, _) = run.image.shape[-1], run.output.shape
    return "ignored" if rows == size // run.config.window else "padded"


def axis_of(config: SizesConfig) -> Axis:
    """One axis of the lab's image and windows."""
    return Axis(config.size, config.window, config.stride, config.padding, config.dilation)


def padding_that_keeps_the_size(config: SizesConfig) -> float:
    """The padding with which a window of 7 keeps the size of the image."""
    found = (
        padding for padding in range(9) if axis_of(config.with_values(window=7, padding=padding)).out == config.size
    )
    return float(next(found))


def pixels_never_read(config: SizesConfig) -> float:
    """How many pixels of the image no window reads."""
    return float(len(axis_of(config).unread()))


def parameters_of(config: ChainConfig, layers: str = "") -> int:
    """The parameters of all layers of a chain."""
    return sum(each.parameters for each in passes(config.size, config.channels, read_layers(layers or config.layers)))


def which_has_more(config: ChainConfig) -> str:
    """Which has more parameters: the lab's layers ("small"), or one of 7 × 7 in their place ("large")."""
    small, large = parameters_of(config), parameters_of(config, ONE_LARGE)
    return "same" if small == large else "small" if small > large else "large"


def against_tutorial(config: ChainConfig) -> str:
    """Whether the layers have "fewer", the "same" number of, or "more" parameters than those of the tutorial."""
    here, there = parameters_of(config), parameters_of(TUTORIAL)
    return "same" if here == there else "fewer" if here < there else "more"


PREDICTIONS = {
    "move-the-one": Prediction(
        Choice(
            "The kernel is 0 but for a 1 at its top left. Where does the digit go?",
            {"stays": "It stays", "up-left": "Up and to the left", "up-right": "Up and to the right",
             "down-right": "Down and to the right"},
            which_way,
        ),
        Why(
            "Why?",
            {
                "follows": "The digit follows the 1",
                "reads": "Each reads the pixel above left",
                "middle": "Only the middle counts",
            },
            "reads",
            {
                "follows": "The output takes its value from there, so the picture moves the other way.",
                "middle": "Each cell of the kernel reads the pixel at its own place in the window.",
            },
        ),
    ),
    "stride-3": Prediction(
        Number("28 × 28 pixels, a window of 3 × 3, stride 3, no padding. How many rows has the output?", rule=side,
               lo=1, hi=30, tolerance=0, unit="rows"),
        Why(
            "Why?",
            {
                "down": "(28 − 3) / 3 + 1, rounded down",
                "up": "28 / 3, rounded up",
                "each": "One row for each pixel where a window can begin",
            },
            "down",
            {
                "up": "The last window would need pixels behind the edge. It is left out.",
                "each": "With stride 1. With stride 3 the window skips two places.",
            },
        ),
        applies="after",
    ),
    "overlapping-windows": Prediction(
        Choice(
            "Windows of 3 × 3 in place of 2 × 2, still two pixels apart. What becomes of the strokes?",
            {"thinner": "They get thinner", "thicker": "They get thicker", "same": "They stay as thick"},
            thickness,
        ),
        Why(
            "Why?",
            {
                "several": "Several windows see one pixel",
                "average": "More background is averaged",
                "size": "An equal size, equal strokes",
            },
            "several",
            {
                "average": "Max pooling ignores the background: the largest pixel decides alone.",
                "size": "Each number now looks further, so it finds a stroke from further away.",
            },
        ),
        applies="after",
    ),
    "window-that-does-not-fit": Prediction(
        Choice(
            "28 pixels, windows of 5. What does torch do with the last three rows and columns?",
            {"ignored": "Ignores them", "error": "Raises an error", "padded": "Fills them up with zeros"},
            where_it_does_not_fit,
        ),
        Why(
            "How can one notice it?",
            {
                "warning": "torch prints a warning",
                "loss": "The training fails later",
                "size": "Only by the size of the output",
            },
            "size",
            {
                "warning": "There is none. max_pool2d rounds down unless ceil_mode=True.",
                "loss": "Training works. It never sees these pixels.",
            },
        ),
        applies="after",
    ),
    "28-stays-28": Prediction(
        Number("A window of 5 needs padding 2 to keep 28 pixels. Which padding does a window of 7 need?",
               rule=padding_that_keeps_the_size, lo=0, hi=8, tolerance=0, unit="pixels"),
        Why(
            "Why?",
            {
                "double": "The padding grows by 2, too",
                "two": "Padding 2 fits every window",
                "half": "It is half of the window",
            },
            "half",
            {
                "two": "A window of 7 spans two pixels more, so the output would lose two.",
                "double": "The padding is on both sides, so one more is enough.",
            },
        ),
    ),
    "windows-with-gaps": Prediction(
        Number("28 pixels, windows of 2, stride 4. How many pixels does no window read?", rule=pixels_never_read, lo=0,
               hi=28, tolerance=0, unit="pixels"),
        Why(
            "Which ones are they?",
            {
                "none": "None: a convolution reads every single pixel",
                "end": "The last two",
                "between": "Two after each window",
            },
            "between",
            {
                "none": "Only if the stride is at most as large as the window.",
                "end": "These are lost as well, but a stride of 4 also jumps over two each time.",
            },
        ),
    ),
    "three-small-for-one-large": Prediction(
        Choice(
            "Both see 7 × 7 pixels, with 16 maps. Which has more parameters?",
            {"same": "Both have the same", "large": "One of 7 × 7", "small": "Three of 3 × 3"},
            which_has_more,
        ),
        Why(
            "Why?",
            {
                "layers": "Three layers, three times more",
                "squares": "49 is more than 3 · 9",
                "same": "The same pixels need the same",
            },
            "squares",
            {
                "layers": "Three times the weights of a small window: 27 for each pair of maps, not 49.",
                "same": "What a number depends on and how many weights that takes are two things.",
            },
        ),
    ),
    "without-padding": Prediction(
        Choice(
            "The tutorial’s two convolutions without padding. How many parameters have they now?",
            {"same": "As many as before", "fewer": "Fewer", "more": "More"},
            against_tutorial,
        ),
        Why(
            "Why?",
            {
                "smaller": "Smaller images, fewer weights",
                "shared": "One kernel serves all places",
                "border": "The border had its own",
            },
            "shared",
            {
                "smaller": "A linear layer would. A convolution has the same weights for any image size.",
                "border": "Padding is zeros, and zeros have no weights.",
            },
        ),
    ),
}  # fmt: skip
