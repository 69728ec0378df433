"""Convolution: what a convolutional layer computes, number by number, before one is trained (3.1)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons import convolution_chain, convolution_pooling, convolution_sizes, convolution_slide

LESSON = LabLesson(
    name="convolution",
    title="Convolution",
    sentence="A small window of weights slides over an image: what comes out, and how large it is.",
    labs=(convolution_slide.LAB, convolution_pooling.LAB, convolution_sizes.LAB, convolution_chain.LAB),
    code=(convolution_slide.convolve, convolution_pooling.pool, convolution_chain.passes),
)
