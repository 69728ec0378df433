"""The experiments of a lesson: settings to try, each with a sentence before it runs and one after.

They are the items of the section "Try this" of the lesson's prose. An item is a Markdown link whose query has the
settings and whose title is the experiment's id:

    - [Title](?classification_lr=3&show=boundary "id"): What to watch for. :: What to see, and what to turn next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from playground.knobs import Config
from playground.lesson import Bench, Lesson

MAX_TITLE_LENGTH = 40
MAX_LENGTH = 185  # of a title and a sentence together: two lines of the rail
SHOW = "show"  # the query's parameter that is no setting: the chart to open

MESSAGES = {
    "item": "An experiment of lessons/{lesson}/prose.md cannot be used: {problem} The line is: {line}",
    "no experiment": 'It is not written as - [Title](?query "id"): before :: after.',
    "illegal id": "The id “{id}” is not made of lowercase letters, digits and hyphens.",
    "duplicate id": "The id “{id}” is used twice.",
    "no lab": "There is no lab “{lab}”.",
    "no chart": "There is no chart “{chart}” to show.",
    "foreign": "“{name}” is no setting of {bench}.",
    "set twice": "Its link sets something twice.",
    "no text": "It has no title, or nothing to say before it runs.",
    "long title": "Its title has {length} characters; up to {most} fit.",
    "long": "Title and text have {length} characters; up to {most} fit: “{text}”",
}
ITEM = re.compile(
    r"- \[(?P<title>[^\]]*)\]\(\?(?P<query>[^)\s]*)"
    r' "(?P<id>[^"]*)"\):(?P<before>.*?)(?: ::(?P<after>.*))?'
)
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Experiment:
    """Settings of one bench to try; `before` invites, `after` says what to see in it. `show` names a chart to open."""

    id: str
    title: str
    bench: Bench
    config: Config
    before: str
    after: str = ""
    show: str = ""


def experiments(lesson: Lesson) -> tuple[Experiment, ...]:
    """The experiments in a lesson's prose, in order. Raises ValueError for one that cannot be used, with its line.

    They are read again only where the text has changed: a page asks for them in each of its runs.
    """
    text = lesson.prose["Try this"]
    read_for, read_from, found = _read_last.get(lesson.name, (None, "", ()))
    if read_for is not lesson or read_from != text:
        found = _read_all(lesson, text)
        _read_last[lesson.name] = lesson, text, found
    return found


_read_last: dict[str, tuple[Lesson, str, tuple[Experiment, ...]]] = {}  # by the lesson's name


def _read_all(lesson: Lesson, text: str) -> tuple[Experiment, ...]:
    found: dict[str, Experiment] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            experiment = _read(lesson, line.strip())
            if experiment.id in found:
                raise ValueError(MESSAGES["duplicate id"].format(id=experiment.id))
        except ValueError as problem:
            raise ValueError(MESSAGES["item"].format(lesson=lesson.name, problem=problem, line=line)) from None
        found[experiment.id] = experiment
    return tuple(found.values())


def _read(lesson: Lesson, line: str) -> Experiment:
    match = ITEM.fullmatch(line)
    if match is None:
        raise ValueError(MESSAGES["no experiment"])
    title, before, after = ((match[part] or "").strip() for part in ("title", "before", "after"))
    bench, config, show = _link(lesson, match["query"])
    if not title or not before:
        raise ValueError(MESSAGES["no text"])
    if not ID.fullmatch(match["id"]):
        raise ValueError(MESSAGES["illegal id"].format(id=match["id"]))
    if len(title) > MAX_TITLE_LENGTH:
        raise ValueError(MESSAGES["long title"].format(length=len(title), most=MAX_TITLE_LENGTH))
    for text in (before, after):
        if len(title) + len(text) > MAX_LENGTH:
            raise ValueError(MESSAGES["long"].format(length=len(title) + len(text), most=MAX_LENGTH, text=text))
    return Experiment(match["id"], title, bench, config, before, after, show)


def _link(lesson: Lesson, query: str) -> tuple[Bench, Config, str]:
    """The bench of an experiment's query, its settings, and the chart to show. Raises ValueError if one is illegal."""
    found = parse_qsl(query, keep_blank_values=True)
    pairs = dict(found)
    if len(pairs) < len(found):
        raise ValueError(MESSAGES["set twice"])
    bench = _bench_of(lesson, pairs.pop(f"{lesson.name}_lab", ""))
    show = pairs.pop(SHOW, "")
    if show and show not in {chart.name for chart in bench.charts}:
        raise ValueError(MESSAGES["no chart"].format(chart=show))
    for name in pairs:
        if not name.startswith(f"{bench.name}_"):
            raise ValueError(MESSAGES["foreign"].format(name=name, bench=bench.name))
    config, problems = bench.config.parse({name.removeprefix(f"{bench.name}_"): text for name, text in pairs.items()})
    if problems:
        raise ValueError(" ".join(problems))
    return bench, config, show


def _bench_of(lesson: Lesson, lab: str) -> Bench:
    name = f"{lesson.name}_{lab}" if lab else lesson.benches[0].name
    for bench in lesson.benches:
        if bench.name == name:
            return bench
    raise ValueError(MESSAGES["no lab"].format(lab=lab))
