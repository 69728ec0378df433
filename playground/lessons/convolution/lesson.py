"""Convolution: what a convolutional layer computes, number by number, before one is trained (3.1)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.convolution import (
    chain as convolution_chain,
)
from playground.lessons.convolution import (
    pooling as convolution_pooling,
)
from playground.lessons.convolution import (
    sizes as convolution_sizes,
)
from playground.lessons.convolution import (
    slide as convolution_slide,
)

LESSON = LabLesson(
    name="convolution",
    title="Convolution",
    sentence="A small window of weights slides over an image: what comes out, and how large it is.",
    labs=(convolution_slide.LAB, convolution_pooling.LAB, convolution_sizes.LAB, convolution_chain.LAB),
    code=(convolution_slide.convolve, convolution_pooling.pool, convolution_chain.passes),
)
