"""A picture that a visitor uploads, as grey levels; its limits are checked before it is decoded."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from playground.lessons.cnn.words import (
    PICTURE_TOO_LARGE,
    PICTURE_TOO_MANY_PIXELS,
    PICTURE_TOO_SMALL,
    PICTURE_UNREADABLE,
)

MAX_BYTES = 5_000_000
MAX_PIXELS = 16_000_000
MAX_SIDE = 256  # pixels; larger pictures are shrunk to it
MIN_SIDE = 4  # pixels
_decoding = threading.Lock()  # one picture at a time, so that many visitors need no more memory than one


class PictureError(ValueError):
    """A file that cannot be used as a picture; the message is for the visitor."""


def read(content: bytes) -> NDArray[np.uint8]:
    """A PNG or JPEG as grey levels, 0 black to 255 white, at most 256 pixels wide and high: uint8 (height, width).

    Transparent pixels become white. Raises PictureError.
    """
    if len(content) > MAX_BYTES:
        raise PictureError(PICTURE_TOO_LARGE.format(megabytes=MAX_BYTES // 1_000_000))
    with _decoding:
        try:
            return _shrunk(content)
        except PictureError:
            raise
        except Image.DecompressionBombError as error:  # Pillow's own limit, which is higher
            raise PictureError(_too_many_pixels()) from error
        except Exception as error:  # Pillow raises many kinds of errors for broken files
            raise PictureError(PICTURE_UNREADABLE) from error


def _too_many_pixels() -> str:
    return PICTURE_TOO_MANY_PIXELS.format(megapixels=MAX_PIXELS // 1_000_000)


def _shrunk(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:  # reads only the header
        wide, high = image.size
        if wide * high > MAX_PIXELS:
            raise PictureError(_too_many_pixels())
        if min(wide, high) < MIN_SIDE:
            raise PictureError(PICTURE_TOO_SMALL.format(wide=wide, high=high))
        image.draft("L", (2 * MAX_SIDE, 2 * MAX_SIDE))  # so that a large JPEG is not decoded at its full size
        grey = _grey(image)
        scale = min(1.0, MAX_SIDE / max(grey.size))
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        small = ImageOps.exif_transpose(grey.resize(size, Image.Resampling.BOX))
    return np.asarray(small, np.uint8).copy()


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits
        pixels: Any = np.asarray(image).astype(np.int64) >> 8
        grey = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    elif "A" in image.getbands() or "transparency" in image.info:
        clear = image.convert("LA")
        grey = Image.new("L", clear.size, 255)
        grey.paste(clear.getchannel("L"), mask=clear.getchannel("A"))
    else:
        grey = image.convert("L")
    grey.info["exif"] = image.info.get("exif", b"")
    return grey
