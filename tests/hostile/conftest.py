"""No hostile file may run its own code."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import corpus


@pytest.fixture(autouse=True)
def _quiet_and_unharmed() -> Iterator[None]:
    Path(corpus.HOLE).unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch finds some of these files odd when they are made
        yield
    assert not Path(corpus.HOLE).exists(), "a file's code was executed"
