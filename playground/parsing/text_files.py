"""The text of an uploaded file, whatever program wrote it."""

from __future__ import annotations

import codecs
import re

from playground.parsing.messages import TABLE

SAMPLE = 4_096  # bytes that show how the rest is written
MIN_MEAN, MIN_MEAN_JAPANESE = 3.0, 1.5  # bytes beyond ASCII in a row
MAX_CONTROL_SHARE = 0.02  # of characters that no text has; a file with more of them is not text
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OTHER_FILES = (  # the first bytes of files that are not tables of text, and the sentence for each
    (b"PK\x03\x04", "workbook"),
    (b"\xd0\xcf\x11\xe0", "workbook"),
    (b"%PDF", "not_text"),
    (b"{\\rtf", "not_text"),
    (b"\x89PNG", "not_text"),
    (b"\xff\xd8\xff", "not_text"),
    (b"\x93NUMPY", "not_text"),
    (b"\x1f\x8b", "packed"),
)
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html|head|body|table|svg|\?xml)\b", re.IGNORECASE)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_CHINESE = re.compile(rb"(?:[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])+")  # common characters and punctuation in GB 2312
_CYRILLIC = re.compile(rb"[\xc0-\xff\xa8\xb8\xb9\xab\xbb\x96\x97\xa0\xb0]+")  # letters, №, quotation marks, dashes, °
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff9f℃°]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")


class TableError(ValueError):
    """A text that cannot be read as a table; the message is a sentence that names the line, where there is one."""


def decode(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or UTF-32, or in a code page of Western Europe, Russia, China or Japan.

    Raises TableError, with a sentence, for workbooks, packed files, web pages and everything else that is not text.
    """
    for start, sentence in OTHER_FILES:
        if content.startswith(start):
            raise TableError(TABLE[sentence])
    if _WEB_PAGE.match(content):
        raise TableError(TABLE["web_page"])
    text = content.decode(_encoding(content), errors="replace")
    sample = text[:SAMPLE]
    if len(_CONTROL.findall(sample)) > MAX_CONTROL_SHARE * len(sample):
        raise TableError(TABLE["not_text"])
    return text


def _encoding(content: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding
    sample = content[:SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 4 > min(even, odd):  # UTF-16 without its mark: half of the bytes are zero
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _code_page(content)
    return "utf-8"


def _code_page(content: bytes) -> str:
    """The encoding of a text that is not Unicode, by how many bytes beyond ASCII stand in a row."""
    if b"\r" in content and b"\n" not in content:
        return "mac-roman"
    words = _BEYOND_ASCII.findall(content)
    mean = sum(map(len, words)) / len(words)
    if all(map(_CHINESE.fullmatch, words)):
        return "gb18030"
    if mean >= MIN_MEAN and all(map(_CYRILLIC.fullmatch, words)):
        return "cp1251"
    if mean > MIN_MEAN_JAPANESE:
        try:
            text = content.decode("cp932")
        except UnicodeDecodeError:
            return "cp1252"
        return "cp932" if all(map(_JAPANESE.fullmatch, filter(_is_beyond_ascii, text))) else "cp1252"
    return "cp1252"


def _is_beyond_ascii(sign: str) -> bool:
    return sign > "\x7f"
