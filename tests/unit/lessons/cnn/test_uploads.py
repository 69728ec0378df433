"""Uploaded pictures: PNG and JPEG are read; files that are too large, broken or no pictures get a sentence."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from playground.lessons.cnn.drawing.preprocessing import stages
from playground.lessons.cnn.drawing.uploads import MAX_BYTES, MAX_SIDE, PictureError, read


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(wide: int = 640, high: int = 480) -> Image.Image:
    """A dark upright stroke on light paper."""
    pixels = np.full((high, wide), 210, np.uint8)
    pixels[high // 6 : high * 5 // 6, wide // 2 - 20 : wide // 2 + 20] = 40
    return Image.fromarray(pixels)


def test_pictures_of_every_kind_give_the_same_digit() -> None:
    plain = photo()
    clear = Image.new("RGBA", plain.size, (0, 0, 0, 0))
    clear.paste((20, 20, 20, 255), (300, 80, 340, 400))
    deep = Image.fromarray(np.asarray(plain).astype(np.uint16) * 257)
    turned = Image.Exif()
    turned[0x0112] = 6  # "turn me by 90 degrees"
    files = [
        saved(plain), saved(plain.convert("RGB"), "JPEG", quality=90), saved(plain.convert("P")), saved(clear),
        saved(deep), saved(plain.convert("RGB").rotate(90, expand=True), "JPEG", exif=turned, quality=90),
    ]  # fmt: skip
    wanted = stages(read(files[0]))[-1].image
    assert wanted.any(axis=1).sum() == 20
    for content in files:
        grey = read(content)
        assert grey.dtype == np.uint8 and max(grey.shape) == MAX_SIDE and grey.shape[0] < grey.shape[1]
        assert np.abs(stages(grey)[-1].image - wanted).mean() < 0.02


def test_a_picture_that_would_unpack_to_gigabytes_is_refused_before_it_does() -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packed = zlib.compress(bytes(10_000_000), 9)
    start = time.thread_time()
    for side in (5_000, 60_000):
        head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
        with pytest.raises(PictureError, match="too many pixels: at most 16 million"):
            read(bomb)
    assert time.thread_time() - start < 1
    with pytest.raises(PictureError, match="too large"):
        read(bytes(MAX_BYTES + 1))


def test_a_file_that_is_not_a_picture_or_broken_is_refused() -> None:
    whole = saved(photo())
    gif = saved(photo(), "GIF")
    broken = [b"", b"hello", gif, whole[:200], whole[: len(whole) // 2], whole[:60] + b"\0" * 40 + whole[100:]]
    for content in broken:
        with pytest.raises(PictureError, match="PNG or JPEG"):
            read(content)
    with pytest.raises(PictureError, match="too few"):
        read(saved(Image.new("L", (2, 90))))
