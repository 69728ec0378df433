"""A class that is only pretended: the messages of its server, so that each state of a page can be looked at.

    page.add_init_script(pretend([welcome("teacher"), teacher(), seats(30), tiles(30)]))

The page's websocket to the class then says these messages, and keeps what the page sends in `window.__sent`;
`window.__say(message)` says one more.
"""

from __future__ import annotations

import base64
import json
import math
import random
import time
from dataclasses import replace
from typing import Any

import numpy as np

from playground import glance
from playground.classroom.tiles import Flag, Tile

CODE = "KFMTXR"
LESSONS = ["regression", "classification", "optimizers", "cnn"]
COLOURS = ("Blue", "Amber", "Green", "Plum", "Grey", "Copper", "Teal", "Indigo")
QUESTION = "How many hidden units does it take to fence the circle in?"
OPTIONS = [["2", "2"], ["3", "3"], ["4", "4"], ["8", "more"]]
FIRST, SECOND = {"2": 9, "3": 8, "4": 10, "8": 1}, {"2": 4, "3": 17, "4": 6, "8": 1}
MOVES = {"2": {"2": 3, "3": 5, "4": 1}, "3": {"2": 1, "3": 7}, "4": {"3": 5, "4": 5}, "8": {"8": 1}}

SCRIPT = """(() => {
  const messages = __MESSAGES__;
  const closes = __CLOSES__;
  const Real = window.WebSocket;
  window.__sent = [];
  const binary = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  class Pretended extends EventTarget {
    constructor(url) {
      super();
      this.url = String(url);
      this.readyState = 0;
      window.__say = (message) => this.say(message);
      window.__close = (code, reason) => this.end(code, reason);
      setTimeout(() => {
        this.readyState = 1;
        this.onopen?.({});
      }, 0);
    }
    say(message) {
      this.onmessage?.({ data: message.tiles ? binary(message.tiles) : JSON.stringify(message) });
    }
    send(text) {
      const message = JSON.parse(text);
      window.__sent.push(message);
      if (message.do === "here" && !window.__silent) return this.say({ is: "here" });
      if (!message.as) return;
      for (const each of messages) this.say(each);
      if (closes) this.end(...closes);
    }
    end(code, reason) {
      this.readyState = 3;
      this.onclose?.({ code, reason: reason ?? "" });
    }
    close() {
      this.readyState = 3;
    }
  }
  window.WebSocket = new Proxy(Real, {
    construct: (target, [url, ...rest]) =>
      String(url).includes("class/socket") ? new Pretended(url) : new target(url, ...rest),
  });
})();"""


def pretend(messages: list[dict[str, Any]], closes: tuple[int, str] | None = None) -> str:
    """The script for a page whose class says these messages, and then perhaps closes."""
    return SCRIPT.replace("__MESSAGES__", json.dumps(messages)).replace("__CLOSES__", json.dumps(closes))


def welcome(role: str, **more: Any) -> dict[str, Any]:
    return {"is": "welcome", "role": role, "code": CODE, "now": time.time(), "lessons": LESSONS, **more}


def name(number: int) -> str:
    """An offered name, always the same for a number."""
    return f"{COLOURS[number * 5 % 8]} {2 + number * 7 % 90}"


def seats(count: int, page: str = "classification", **of: Any) -> dict[str, Any]:
    """All seats: some ask for help, are done, away or somewhere else."""
    now = time.time()
    rows = []
    for each in range(count):
        row = {
            "seat": each + 1, "name": name(each), "typed": False, "allowed": False,
            "here": each not in (count - 1, count - 4) or count < 12,
            "help": now - 240 if each % 50 == 4 else now - 70 if each % 50 == 20 else None,
            "done": each % 7 in (0, 2), "answered": each % 4 != 3, "strayed": each in (8, 19), "run": f"run{each}",
            "page": page, "experiment": "circle-cuts", "query": "", "joined": now - 1000 + each,
        }  # fmt: skip
        rows.append(row | {key: value(each) for key, value in of.items()})
    return {"is": "seats", "all": True, "seats": rows}


def plane(kind: int) -> bytes:
    """A map of 16 by 16 cells of four bits: a circle, a band, or a slope, more or less sure."""
    rng = random.Random(kind)
    a, b, c = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(1.5, 4)
    cells = []
    for row in range(16):
        for column in range(16):
            x, y = (column - 7.5) / 2, (row - 7.5) / 2
            if kind % 3 == 0:
                value = math.tanh((math.hypot(x - a, 1.2 * y - b) - c) * 1.1)
            elif kind % 3 == 1:
                value = math.tanh(abs(x * a + y * b * 1.4) * 1.2 - 1.2)
            else:
                value = math.tanh((x * a + y * b + 0.3) * rng.uniform(0.8, 0.9))
            cells.append(max(0, min(15, round((value + 1) * 7.5))))
    return bytes(cells[at] << 4 | cells[at + 1] for at in range(0, 256, 2))


def cloud(rng: random.Random) -> bytes:
    """Points of a circle and a ring around it, as a tile has them."""
    found = []
    for each in range(40):
        radius, angle = (rng.gauss(0, 0.09) if each % 2 else rng.gauss(0.36, 0.03)), rng.uniform(0, 2 * math.pi)
        found.append((0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle), 1 - each % 2))
    return glance.points_in(*np.array(found).T)


def curve(rng: random.Random, points: int = 32) -> bytes:
    """A loss that falls more or less fast."""
    start, end, slope = rng.uniform(0.6, 1.1), rng.uniform(0.01, 0.5), rng.uniform(0.02, 0.4)
    at = np.arange(points)
    return glance.curve_bytes(end + (start - end) * np.exp(-slope * at) * (1 + 0.05 * np.sin(3 * at)))


def miniature(kind: str, rng: random.Random) -> glance.Miniature:
    """A picture of this kind."""
    if kind == "map":
        return glance.Miniature("map2", plane(rng.randrange(1000)), cloud(random.Random(1)))
    along = np.linspace(-1, 1, 32)
    if kind == "fit":
        places = np.linspace(0, 1, 40)
        noisy = (2 * places - 1) ** 2 + np.array([rng.gauss(0, 0.05) for _ in places])
        fit = glance.fit(along**2 * rng.uniform(0.4, 1), -0.2, 1.2)
        return replace(fit, data=glance.points_in(places, (noisy + 0.2) / 1.4))
    if kind == "race":
        return glance.race([0.5 * k ** np.arange(20) for k in (0.98, 0.9, 0.8, 0.95)])
    if kind == "digit":
        rows, columns = np.mgrid[:28, :28]
        ring = np.exp(-((np.hypot(rows - 14, 1.4 * (columns - 14)) - 8) ** 2) / 3)
        return replace(glance.digit(7, np.eye(10)[rng.randrange(10)] * 0.8 + 0.02), data=glance.pixel_bytes(ring))
    return glance.Miniature()


def tile(seat: int, kind: str = "map", age: int = 12) -> bytes:
    """One tile as the server sends it."""
    rng = random.Random(seat)
    steps, rate = rng.choice([90, 260, 430, 640, 800, 1000, 1200]), rng.choice([0.003, 0.01, 0.03, 0.1, 0.3, 0.6])
    is_lost = kind == "diverged"
    losses = glance.curve_bytes(np.array([*(0.4 * 3.0 ** np.arange(9)), math.inf])) if is_lost else curve(rng)
    found = glance.Glance(
        miniature(kind, rng), "failed" if is_lost else "paused", 9 if is_lost else steps,
        math.nan if is_lost else 0.02 + rng.random() * 0.6, 1.5 if is_lost else rate, 0.5 + 0.5 * rng.random(),
        rng.choice([1, 2, 3, 4, 5, 6, 8]), 17, losses,
    )  # fmt: skip
    flags = Flag.HERE | (Flag.DIVERGED if is_lost else 0)
    made = Tile(seat, LESSONS.index("classification"), 2, flags, age, found)
    return made.bytes(made.parts)


def tiles(count: int, kinds: tuple[str, ...] = ("map",)) -> dict[str, Any]:
    """A tile for each seat, in a message of `pretend`."""
    made = b""
    for each in range(count):
        kind = "diverged" if each % 50 == 11 else kinds[each % len(kinds)]
        made += tile(each + 1, kind, age=420 if each % 50 == 16 else 320 if each % 50 == 27 else 12)
    return {"tiles": base64.b64encode(made).decode()}


def later_tiles(seats: dict[int, bool], step: int) -> dict[str, Any]:
    """What comes of these seats when their runs are at a later step; the value says whether the picture is another."""
    made = b""
    for seat, is_new in seats.items():
        picture = miniature("map", random.Random(1000 + seat)).picture if is_new else None
        found = glance.Glance(miniature("map", random.Random(seat)), "playing", step, 0.01, 0.1, 0.9, 4, 17)
        head = Tile(seat, LESSONS.index("classification"), 2, Flag.HERE, 12, found)
        made += head.bytes((None, picture, None))
    return {"tiles": base64.b64encode(made).decode()}


def vote(state: str, **more: Any) -> dict[str, Any]:
    """A vote in one of its states, with the results that belong to it."""
    answered = {"open 1": 21, "open 2": 16}.get(state, 28)
    found: dict[str, Any] = {
        "id": 1, "page": "classification", "query": "?classification_try=circle-cuts", "experiment": "circle-cuts",
        "state": state, "seen_before": False, "answered": answered, "of": 28, "until": None, "talk": None,
        "ask": {"kind": "choice", "question": QUESTION, "options": OPTIONS},
    }  # fmt: skip
    first, second = {"n": 28, "sums": FIRST}, {"n": 28, "sums": SECOND}
    if state == "closed 1":
        found["talk"] = time.time() + 100
    if state == "shown 1":
        found["result"] = first
    if state in ("shown 2", "run"):
        found |= {"result": second, "results": [first, second], "moves": MOVES, "changed": 12}
    return found | more


def runs(vote: int = 1, *, ago: float = 0.0, names: tuple[str, ...] = ("2", "3", "4", "8"), kind: str = "map") -> Any:
    """Recordings of a run for each answer, which began to play `ago` seconds ago."""
    made = []
    for each, name in enumerate(names):
        rng, share = random.Random(each), np.linspace(0, 1, 40)
        pictures = [miniature(kind, random.Random(each)).picture for _ in share]
        made.append({
            "name": name, "lines": ["SGD", "Momentum", "RMSprop", "Adam"] if kind == "race" else [],
            "diverged": False, "kind": {"map": "map2"}.get(kind, kind), "steps": [round(500 * each) for each in share],
            "loss": [0.7 * math.exp(-3 * each) for each in share], "accuracy": [0.5 + 0.49 * each for each in share],
            "pictures": [base64.b64encode(each).decode() for each in pictures],
            "data": base64.b64encode(miniature(kind, rng).data).decode(),
            "curve": base64.b64encode(curve(rng, 64)).decode(),
        })  # fmt: skip
    return {"is": "runs", "vote": vote, "at": time.time() - ago, "seconds": 10.0, "runs": made}


ABOUT = {"page": "classification", "title": "Classification", "of": 30}  # whose runs a picture of all has


def dots(count: int, of: int = 28, x: str = "rate", y: str = "loss") -> Any:
    """One dot for each run: a valley over the learning rate; large rates diverge, and the last one still plays."""
    rng = random.Random(3)
    found = []
    for each in range(count):
        rate = round(10 ** rng.uniform(-3, 0.5), 4)
        loss = 0.004 * (1 + 30 * abs(math.log10(rate / 0.4)) ** 2) if rate < 1.4 else None
        found.append([each, rate, loss, each == count - 1 and loss is not None])
    return {"is": "dots", **ABOUT, "x": x, "y": y, "of": of, "dots": found}


def curves(count: int) -> Any:
    """The loss curves of all runs, some of which have diverged."""
    made = []
    for each in range(count):
        rng = random.Random(each)
        lost = glance.curve_bytes(np.array([*(0.4 * 3.0 ** np.arange(7)), math.inf]))
        made.append(
            [each, 7 if each % 9 == 8 else 100, base64.b64encode(lost if each % 9 == 8 else curve(rng, 64)).decode()]
        )
    return {"is": "curves", **ABOUT, "curves": made}


def leaders(count: int = 19) -> Any:
    """A challenge that some have met."""
    rng = random.Random(5)
    made = []
    for each in range(count):
        parameters = rng.choice([7, 12, 13, 15, 17, 17, 19, 20, 22])
        accuracy = min(0.99, 0.6 + 0.02 * parameters + rng.uniform(-0.03, 0.05))
        made.append([each, parameters, accuracy, accuracy >= 0.95 and parameters <= 20, name(each)])
    return {"is": "leaders", **ABOUT, "accuracy": 0.95, "parameters": 20, "dots": made}


PLAN = [
    ("regression", "Small steps", False), ("classification", "One line is enough", False),
    ("classification", "A circle", False), ("classification", "A circle with straight cuts", True),
    ("regression", "Everybody one rate", False), ("classification", "Few parameters", False),
]  # fmt: skip


def teacher(**more: Any) -> dict[str, Any]:
    """The teacher's state: a class that was sent to an experiment, in step 4 of its plan."""
    now = time.time()
    steps = [{"page": page, "query": "", "experiment": None, "title": title, "ask": ask} for page, title, ask in PLAN]
    sent = {"n": 3, "kind": "place", "page": "classification", "query": "", "experiment": "circle-cuts", "run": None,
            "title": "A circle with straight cuts", "at": now - 300}  # fmt: skip
    return {
        "is": "state", "rev": 1, "at": now, "code": CODE, "began": now - 1800, "ends": now + 20000,
        "link": "T" * 22, "projector": "P" * 22, "device": 1,
        "devices": [{"device": 1, "view": "wall", "here": True, "since": now - 1000, "new": False}],
        "door": True, "names": "offered", "show_names": False, "leaders": False, "names_on_leaders": False,
        "seats": 300, "free": False, "sent": sent, "locks": [], "eyes": False, "screen": None,
        "project": {"what": "auto", "x": "rate", "y": "loss"}, "plan": {"steps": steps, "at": 3}, "vote": None,
        "questions": [], "asked": 1,
        "acts": [{"act": 7, "at": now - 300, "what": "send", "say": "Sent all to A circle", "undo": True}],
        "snapshots": [], "waiting": [], "own": None,
    } | more  # fmt: skip


def projector(**more: Any) -> dict[str, Any]:
    """The projector's state; by default the door with 23 names."""
    return {
        "is": "state", "rev": 1, "at": time.time(), "code": CODE, "joined": 28, "teacher": "here", "eyes": False,
        "door": True, "names": [name(each) for each in range(23)], "screen": None,
        "show": {"what": "door", "x": "rate", "y": "loss", "title": ""}, "sent": None, "vote": None,
    } | more  # fmt: skip


def student(**more: Any) -> dict[str, Any]:
    """A student's state with nothing asked."""
    return {
        "is": "state", "rev": 1, "at": time.time(), "seat": 7, "name": "Blue 7", "teacher": "here", "free": True,
        "sent": None, "locks": [], "eyes": False, "screen": None, "looked": False, "help": False, "done": False,
        "vote": None, "together": None, "joined": 28,
    } | more  # fmt: skip
