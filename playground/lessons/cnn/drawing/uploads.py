"""A picture that a visitor uploads, read as grey levels within limits that hold before anything is unpacked."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

MOST_BYTES = 5_000_000
MOST_PIXELS = 16_000_000
TOO_MANY = (
    f"The picture has too many pixels: at most {MOST_PIXELS // 1_000_000} million fit here. "
    "Make it smaller, or cut the digit out."
)
LONGEST = 256  # pixels of a side that are kept
LEAST = 4
_turn = threading.Lock()  # one picture is unpacked at a time, so that many visitors need no more memory than one


class PictureError(ValueError):
    """A file that cannot be used as a picture; the message is a sentence."""


def read(content: bytes) -> NDArray[np.uint8]:
    """A PNG or JPEG as grey levels, 0 black to 255 white, at most 256 pixels long: uint8 (height, width).

    What is transparent counts as white. Raises PictureError.
    """
    if len(content) > MOST_BYTES:
        raise PictureError(f"The file is too large: a picture may have {MOST_BYTES // 1_000_000} MB at most.")
    with _turn:
        try:
            return _shrunk(content)
        except PictureError:
            raise
        except Image.DecompressionBombError as error:  # Pillow's own limit, which is higher
            raise PictureError(TOO_MANY) from error
        except Exception as error:  # what Pillow raises for broken files is of many kinds
            raise PictureError(
                "This is no PNG or JPEG that can be read. Save the picture anew and try again."
            ) from error


def _shrunk(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:  # reads the head only
        wide, high = image.size
        if wide * high > MOST_PIXELS:
            raise PictureError(TOO_MANY)
        if min(wide, high) < LEAST:
            raise PictureError(f"The picture has {wide} × {high} pixels: too few for a digit.")
        image.draft("L", (2 * LONGEST, 2 * LONGEST))  # a JPEG need not be unpacked at its full size
        grey = _grey(image)
        scale = min(1.0, LONGEST / max(grey.size))
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        small = ImageOps.exif_transpose(grey.resize(size, Image.Resampling.BOX))
    return np.asarray(small, np.uint8).copy()


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits
        pixels: Any = np.asarray(image).astype(np.int64) >> 8
        made = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    elif "A" in image.getbands() or "transparency" in image.info:
        clear = image.convert("LA")
        made = Image.new("L", clear.size, 255)
        made.paste(clear.getchannel("L"), mask=clear.getchannel("A"))
    else:
        made = image.convert("L")
    made.info["exif"] = image.info.get("exif", b"")
    return made
