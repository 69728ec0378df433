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
LUMINANCE = np.array((0.299, 0.587, 0.114))  # ITU-R BT.601, as in JPEG
MIN_ALPHA = 127  # of a pixel that counts as visible
MIN_CONTRAST = 60  # grey levels between paper and ink
MIN_PAPER_SHARE = 0.3  # of the picture is visible where it has paper
MIN_GAIN = 1.5  # times the contrast of the luminance, for another channel to be used, as for yellow ink
_decoding = threading.Lock()  # one picture at a time, so that many visitors need no more memory than one


class PictureError(ValueError):
    """A file that cannot be used as a picture; the message is for the visitor."""


def read(content: bytes) -> NDArray[np.uint8]:
    """A PNG or JPEG as grey levels, 0 black to 255 white, at most 256 pixels wide and high: uint8 (height, width).

    Transparent pixels get a grey level that the ink stands out from. Raises PictureError.
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
        image.draft("RGB", (2 * MAX_SIDE, 2 * MAX_SIDE))  # so that a large JPEG is not decoded at its full size
        scale = min(1.0, MAX_SIDE / max(image.size))
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = _opaque(image, size)
        small.info["exif"] = image.info.get("exif", b"")
        grey = _grey(np.asarray(ImageOps.exif_transpose(small)))
    return np.rint(grey).clip(0, 255).astype(np.uint8)


def _opaque(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in this size and 8 bits, grey or RGB, its transparent pixels on a ground that shows the ink."""
    box = Image.Resampling.BOX
    if image.mode.startswith("I"):  # 16 bits, of which a scanner may use fewer
        pixels: Any = np.asarray(image).astype(np.float64)
        return Image.fromarray((255 * pixels / max(pixels.max(), 1)).clip(0, 255).astype(np.uint8)).resize(size, box)
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L" if image.mode in ("1", "L") else "RGB").resize(size, box)
    clear = image.convert("RGBA").resize(size, box)
    opaque = Image.new("RGB", size, (_ground(np.asarray(clear)),) * 3)
    opaque.paste(clear, mask=clear.getchannel("A"))
    return opaque


def _ground(pixels: Any) -> int:
    """The grey level for transparent pixels, from (height, width, 4): as the paper, or far from the ink.

    What is opaque may be paper with ink, cut out of a picture: then most of it has the paper's grey. Otherwise it is
    ink alone, and the ground is black for light ink, white for dark ink.
    """
    grey, alpha = pixels[..., :3].astype(np.float64) @ LUMINANCE, pixels[..., 3]
    visible = grey[alpha > MIN_ALPHA]
    if not visible.size:
        return 255
    low, middle, high = np.quantile(visible, (0.02, 0.5, 0.98))
    has_paper = high - low > MIN_CONTRAST and visible.size > MIN_PAPER_SHARE * grey.size
    if has_paper:
        return int(middle)
    return 255 if visible.mean() < 128 else 0


def _grey(pixels: Any) -> NDArray[np.float64]:
    """Grey levels of a picture, grey or RGB: its luminance, or the colour channel that shows much more contrast."""
    if pixels.ndim == 2:
        return np.asarray(pixels, np.float64)
    colours = pixels.astype(np.float64)
    channels = [colours @ LUMINANCE, *np.moveaxis(colours, -1, 0)]
    contrasts = [float(np.subtract(*np.quantile(channel, (0.99, 0.01)))) for channel in channels]
    best = int(np.argmax(contrasts))
    chosen: NDArray[np.float64] = channels[best if contrasts[best] > MIN_GAIN * contrasts[0] else 0]
    return chosen
