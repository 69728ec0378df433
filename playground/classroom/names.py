"""Names in a class: those that it offers, what may be typed, and which typed ones are refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from random import Random

COLOURS = ("Blue", "Teal", "Green", "Amber", "Copper", "Plum", "Indigo", "Grey")
MAX_NUMBER = 20  # of an offered name, as long as enough of them are free
SECOND = "{name} ({number})"
# Parts that a typed name must not have, after letters were made plain: "fu.ck" and "FUCKER" are found, too.
REFUSED_PARTS = (
    "fuck", "bullshit", "shithead", "nigger", "nigga", "faggot", "whore", "bitch", "bastard", "asshole", "arschloch",
    "wichser", "hurensohn", "fotze", "schlampe", "hitler", "holocaust", "penis", "vagina", "pornhub", "wanker",
    "putain", "connard", "salope", "encule", "mierda", "cabron", "pendejo", "kurwa", "dildo", "motherf", "childmolest",
)  # fmt: skip
# Words that are refused only alone, since they are parts of real names and words (Harshit, Scunthorpe, computation).
REFUSED_WORDS = (
    "shit", "shitty", "cunt", "sex", "sexy", "cock", "ass", "arse", "dick", "tit", "tits", "cum", "fag", "coon", "spic",
    "kike", "rape", "rapist", "anal", "nazi", "nazis", "porn", "porno", "pedo", "slut", "suka", "puta", "pussy",
    "blyat", "retard", "tranny",
)  # fmt: skip
PLAIN = str.maketrans("013457@$!|", "oieastasii")
# Letters of other alphabets that look like Latin ones: a word of them is read as a Latin word.
LOOK_ALIKE = str.maketrans("авекмнорстухіјѕԁһԛԝαεικνορτυχ", "abekmhopctyxijsdhqwaeikvoptux")
SAME_SHAPE = str.maketrans("I1|0", "lllo")  # also of letters of one alphabet
REFUSED_CATEGORIES = "CZS"  # control characters, separators, symbols
# Letters and marks that are drawn as nothing, apart from the format characters (Cf), which are left out as well.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
MAX_MARKS = 3  # in a row: scripts of India need some, but a tower of them would cover the lines above
PUNCTUATION = " .,'-_()!?&+#"


def offered(taken: Collection[str], random: Random) -> str:
    """A colour and a number that nobody here has."""
    used = {name.casefold() for name in taken}
    last = max(MAX_NUMBER, 2 * len(used) // len(COLOURS) + 2)
    while True:  # at most half of these names are taken
        name = f"{random.choice(COLOURS)} {random.randint(2, last)}"
        if name.casefold() not in used:
            return name


def clean(text: object, most: int) -> str:
    """A typed name in one line, of at most `most` characters; "" for one that cannot be a name."""
    if not isinstance(text, str) or len(text) > 20 * most:
        return ""
    normal = UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    visible = (letter for letter in normal if unicodedata.category(letter) != "Cf")
    line = " ".join("".join(visible).split())
    if not 1 <= len(line) <= most or not any(letter.isalnum() for letter in line):
        return ""
    return line if all(map(_is_ordinary, line)) and not _has_tower(line) else ""


def is_refused(name: str) -> bool:
    """Whether a typed name has a word of the list."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(LOOK_ALIKE).translate(PLAIN)
    letters = "".join(letter for letter in plain if letter.isalpha())
    shortened = re.sub(r"(.)\1+", r"\1", letters)
    words = re.split(r"[^a-z]+", plain)
    return (
        any(part in letters or part in shortened for part in REFUSED_PARTS)
        or any(word in words for word in REFUSED_WORDS)
        or letters in REFUSED_WORDS
    )


def distinct(name: str, taken: Collection[str], most: int) -> str:
    """The name, or the name with a number behind it where somebody has it already, or one that looks like it."""
    used, number, found = {look for each in taken for look in _looks(each)}, 2, name
    while not used.isdisjoint(_looks(found)):
        end = SECOND.format(name="", number=number)
        found = SECOND.format(name=name[: max(1, most - len(end))].rstrip(), number=number)
        number += 1
    return found


def _looks(name: str) -> tuple[str, str]:
    """What a name is taken for: without its alphabet and capitals, and by its shapes alone, so "BIue7" for "Blue 7"."""
    shapes = name.translate(SAME_SHAPE).casefold().translate(LOOK_ALIKE).replace("rn", "m").replace("vv", "w")
    return name.casefold().translate(LOOK_ALIKE), "".join(letter for letter in shapes if letter not in PUNCTUATION)


def _is_ordinary(letter: str) -> bool:
    return letter in PUNCTUATION or unicodedata.category(letter)[0] not in REFUSED_CATEGORIES


def _has_tower(line: str) -> bool:
    """Whether there are many marks over one letter."""
    kinds = "".join("M" if unicodedata.category(letter)[0] == "M" else " " for letter in line)
    return "M" * (MAX_MARKS + 1) in kinds or kinds.startswith("M")
