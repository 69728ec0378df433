"""Small pictures for the drawing of the network: the run's points, the data sets and the inputs to choose from."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from playground.figures import fields
from playground.lessons.classification import clouds
from playground.lessons.classification.clouds import CLOUDS, MAP_END, LabelledPoints
from playground.lessons.classification.config import INPUTS
from playground.lessons.classification.predictions import PLANE, small_maps

MAX_POINTS = 120  # in a picture of data
PER_CLASS = 45  # points in the picture of a data set
NOISE = {"blobs": 1.0}  # in the picture of a data set; others have
LITTLE_NOISE = 0.4


def of_points(data: LabelledPoints) -> dict[str, NDArray[np.generic]]:
    """Some of the training points: x and y from 0 to 1 over the map, and their classes."""
    stride = -(-len(data.x_train) // MAX_POINTS)
    x = (data.x_train[::stride].numpy() + MAP_END) / (2 * MAP_END)
    classes = data.y_train[::stride].numpy().astype(np.uint8)
    return {"x": x[:, 0].astype(np.float32), "y": x[:, 1].astype(np.float32), "class": classes}


@cache
def of_clouds() -> dict[str, dict[str, NDArray[np.generic]]]:
    """A picture of each data set, with two classes."""
    return {name: of_points(_example(name)) for name in CLOUDS}


def _example(cloud: str) -> LabelledPoints:
    noise, numbers = NOISE.get(cloud, LITTLE_NOISE), torch.Generator().manual_seed(1)
    return clouds.labelled_points(cloud, PER_CLASS, 2, noise, 0.0, numbers)


@cache
def of_input(name: str) -> NDArray[np.uint8]:
    """The map of one input over the plane, as bytes."""
    values = INPUTS[name].function(PLANE).unsqueeze(dim=1)
    return np.asarray(fields.signed_bytes(small_maps(values))[0], np.uint8)


@cache
def of_inputs() -> dict[str, NDArray[np.uint8]]:
    """The map of each input."""
    return {name: of_input(name) for name in INPUTS}
