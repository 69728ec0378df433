"""One visit of a page in a real Chromium, from the address to the first live frame: when what is seen, and a waterfall.

A script that runs before the page's own notes in each animation frame what the page shows by then. A time is that of
the end of such a frame, after the browser has painted it, in milliseconds since the navigation began.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

SIZE: Any = {"width": 1280, "height": 900}
SETTLING_MS = 1_500  # after the last milestone: what the page still loads in idle time belongs to the visit
PATIENCE_MS = 60_000
COLUMNS = 64  # of a waterfall's time
SMALL = 30_000  # bytes: smaller files that are asked for together share a line of the waterfall
TOGETHER_MS = 80.0
LEVELS = 8  # of 255, by which a channel of a pixel differs visibly
SLOW_LINE = {"offline": False, "latency": 40, "downloadThroughput": 10e6 / 8, "uploadThroughput": 10e6 / 8}  # bytes/s

# Notes in window.__visit when the title, the first picture, the button Play and a step that was trained are first on
# the screen; `needs` are those that the visit waits for, and `presses` says whether Play is pressed.
PROBE = """
((needs, presses) => {
  if (window !== top || location.protocol === "about:") return;
  const visit = (window.__visit = { marks: {}, tasks: [], scripts: [], shifts: [], pressed: 0 });
  const watch = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch("longtask", ({ startTime, duration }) => visit.tasks.push([startTime, duration]));
  watch("long-animation-frame", ({ scripts }) => {
    for (const each of scripts) visit.scripts.push([each.startTime, each.duration, each.sourceURL || each.invoker]);
  });
  const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  const named = (node) => node?.dataset?.place ?? node?.dataset?.testid ?? node?.className ?? node?.nodeName ?? "gone";
  watch("layout-shift", ({ startTime, value, sources }) => {
    const moves = sources.map((each) => `${named(each.node)}: ${box(each.previousRect)} -> ${box(each.currentRect)}`);
    const isOfBoard = sources.some(({ node }) =>
      node?.parentElement?.closest("[data-board]") || node?.querySelector?.("[data-board]"));
    visit.shifts.push([startTime, value, moves, isOfBoard]);
  });

  const isShown = (node) =>
    node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    node.getBoundingClientRect().height > 0;
  const sample = document.createElement("canvas");
  sample.width = sample.height = 64;
  const pen = sample.getContext("2d", { willReadFrequently: true });
  const isPainted = (canvas) => {
    if (canvas.width < 2 || canvas.height < 2) return false;
    pen.clearRect(0, 0, 64, 64);
    pen.drawImage(canvas, 0, 0, 64, 64);
    return pen.getImageData(0, 0, 64, 64).data.some((value, at) => (at & 3) === 3 && value > 0);
  };
  const hasSize = (shape) => {
    const { width, height } = shape.getBoundingClientRect();
    return width + height > 0;
  };
  const hasPicture = (place) =>
    isShown(place) && (
      [...place.querySelectorAll(".scatterlayer path, .barlayer path, .heatmaplayer image")].some(hasSize) ||
      [...place.querySelectorAll("canvas")].some((each) => isShown(each) && isPainted(each)) ||
      [...place.querySelectorAll("img")].some((each) => isShown(each) && each.complete && each.naturalWidth > 1)
    );
  const all = (selector) => [...document.querySelectorAll(selector)];
  const heroes = () => all("[data-place=hero] .stage");
  const charts = () => (heroes().length ? heroes() : all(".stage, .stPlotlyChart")); // older boards had no hero
  const isPlay = (each) => each.ariaLabel === "Play" && !each.disabled && !each.closest("[inert]");
  const play = () => all("[data-board] button").find(isPlay);
  const shows = {
    title: () => all("h1").some(isShown),
    picture: () => charts().some(hasPicture),
    play: () => play() && isShown(play()),
    live: () => all("[data-status=step]").some((each) => Number(each.textContent) > 0),
  };
  let pressedAt = -Infinity;
  const press = () => { // again after a while, as a student would who sees that nothing happens
    const state = document.querySelector("[data-board]")?.dataset.state;
    if (performance.now() - pressedAt < 300 || ["playing", "queued", "done"].includes(state)) return;
    pressedAt = performance.now();
    visit.pressed++;
    play()?.click();
  };
  visit.done = new Promise((resolve) => {
    const end = () => resolve(Object.keys(visit.marks));
    setTimeout(end, %(patience)d);
    const look = () => {
      for (const name of needs) {
        if (visit.marks[name] !== undefined || !shows[name]()) continue;
        const mark = (visit.marks[name] = [performance.now(), 0]);
        const { port1, port2 } = new MessageChannel(); // its message comes when this frame has been painted
        port1.onmessage = () => (mark[1] = performance.now());
        port2.postMessage(null);
      }
      if (presses && visit.marks.picture?.[1] && visit.marks.play?.[1] && visit.marks.live === undefined) press();
      if (needs.every((name) => visit.marks[name]?.[1])) end();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
})(%(needs)s, %(presses)s);
//# sourceURL=probe.js
"""


@dataclass
class Request:
    """A file, or a socket with all its messages: times in ms since the navigation, bytes on the wire."""

    url: str
    start: float
    end: float = 0.0
    size: int = 0
    is_socket: bool = False
    is_kept: bool = False  # it came from the browser's cache

    @property
    def name(self) -> str:
        """The last part of its path; of a socket its first."""
        parts = urlsplit(self.url).path.strip("/").split("/")
        return f"socket {parts[0]}" if self.is_socket else parts[-1] or "/"

    @property
    def folder(self) -> str:
        """The first parts of its path, without versions: files of one folder are of one kind."""
        return "/".join(urlsplit(self.url).path.strip("/").split("/")[:2])


@dataclass
class Visit:
    """What one visit showed and cost."""

    marks: dict[str, float]
    tasks: list[tuple[float, float]]  # tasks of more than 50 ms: start, duration
    scripts: list[tuple[float, float, str]]  # what they ran: start, duration, address
    presses: int  # of Play, until a step was trained
    requests: list[Request] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files on the wire; messages of sockets are counted apart."""
        return sum(each.size for each in self.requests if not each.is_socket)

    @property
    def socket_size(self) -> int:
        """Bytes of the sockets' messages, before compression."""
        return sum(each.size for each in self.requests if each.is_socket)

    @property
    def asked(self) -> int:
        """The number of files and sockets that were asked of the server."""
        return sum(not each.is_kept for each in self.requests)

    def busy(self, until: float = float("inf")) -> float:
        """The sum of the long tasks that began before this time."""
        return sum(duration for start, duration in self.tasks if start < until)


class Network:
    """Notes what a tab asks for and gets, from the events of the browser's debugging protocol."""

    def __init__(self, session: Any) -> None:
        self.requests: dict[str, Request] = {}
        self.zero: float | None = None  # when the page itself was asked for, in the browser's seconds
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.requestServedFromCache", lambda event: self._change(event, is_kept=True))
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketCreated", self._opened)
        session.on("Network.webSocketWillSendHandshakeRequest", self._greeted)
        session.on("Network.webSocketFrameReceived", self._message)

    def _ms(self, event: Any) -> float:
        return 1000 * (event["timestamp"] - (self.zero or event["timestamp"]))

    def _change(self, event: Any, **values: Any) -> None:
        if event["requestId"] in self.requests:
            self.requests[event["requestId"]] = replace(self.requests[event["requestId"]], **values)

    def _sent(self, event: Any) -> None:
        url = event["request"]["url"]
        if not url.startswith("http"):
            return
        if self.zero is None:
            self.zero = event["timestamp"]
        self.requests[event["requestId"]] = Request(url, self._ms(event), self._ms(event))

    def _received(self, event: Any) -> None:
        if event["response"].get("fromDiskCache"):
            self._change(event, is_kept=True)

    def _finished(self, event: Any) -> None:
        self._change(event, end=self._ms(event), size=int(event["encodedDataLength"]))

    def _opened(self, event: Any) -> None:
        self.requests[event["requestId"]] = Request(event["url"], 0.0, is_socket=True)

    def _greeted(self, event: Any) -> None:
        self._change(event, start=self._ms(event), end=self._ms(event))

    def _message(self, event: Any) -> None:
        socket, response = self.requests.get(event["requestId"]), event["response"]
        if socket is None:
            return
        length = len(response["payloadData"])
        size = length * 3 // 4 if response["opcode"] == 2 else length
        self._change(event, end=self._ms(event), size=socket.size + size)

    def settled(self, fetch_start: float) -> list[Request]:
        """All requests in order, with times since the navigation, which began before the page was asked for."""
        moved = [
            replace(each, start=each.start + fetch_start, end=each.end + fetch_start) for each in self.requests.values()
        ]
        return sorted(moved, key=lambda each: each.start)


def probe(needs: tuple[str, ...], *, presses: bool) -> str:
    """The script that notes the milestones."""
    return PROBE % {"needs": list(needs), "presses": str(presses).lower(), "patience": PATIENCE_MS}


def visit(
    context: Any, url: str, needs: tuple[str, ...], *, presses: bool = False, line: dict[str, Any] | None = None
) -> Visit:
    """Open a page in a new tab, wait until it has shown what it needs to, and close the tab.

    Where it `presses`, Play is pressed as soon as the first picture is there and the button can be pressed.
    """
    tab = context.new_page()
    try:
        session = context.new_cdp_session(tab)
        network = Network(session)
        if line:
            session.send("Network.emulateNetworkConditions", line)
        tab.add_init_script(probe(needs, presses=presses))
        tab.goto(url, wait_until="commit")
        shown = tab.evaluate("window.__visit.done")
        missing = [name for name in needs if name not in shown]
        assert not missing, f"{url} did not show within {PATIENCE_MS / 1000:g} s: {', '.join(missing)}"
        tab.wait_for_timeout(SETTLING_MS)
        found = tab.evaluate(
            """() => {
              const { marks, tasks, scripts, pressed } = window.__visit;
              const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
              const { fetchStart } = performance.getEntriesByType("navigation")[0];
              return { marks: { paint: [painted, painted], ...marks }, tasks, scripts, pressed, fetchStart };
            }"""
        )
    finally:
        tab.close()
    return Visit(
        {name: painted(seen, noted, found["tasks"]) for name, (seen, noted) in found["marks"].items()},
        [(start, duration) for start, duration in found["tasks"]],
        [(start, duration, source) for start, duration, source in found["scripts"]],
        found["pressed"],
        network.settled(found["fetchStart"]),
    )


def painted(seen: float, noted: float, tasks: list[list[float]]) -> float:
    """When a frame was painted whose script has seen something: before the note of it, and before the next task."""
    return min([noted, *(start for start, _ in tasks if start > seen)])


@contextmanager
def cold(chromium: Callable[..., Any]) -> Iterator[Any]:
    """A context of a browser that has just been started and has never been anywhere."""
    browser = chromium()
    try:
        context = browser.new_context(viewport=SIZE)
        context.new_page()  # an empty tab: the start of the browser is not the page's
        context.pages[0].wait_for_timeout(500)
        yield context
    finally:
        browser.close()


# The waterfall.


def waterfall(shown: Visit) -> list[str]:
    """A visit as a chart of lines of text: each large file, small ones together, each long task, and milestones."""
    end = max(*shown.marks.values(), *(start + duration for start, duration in shown.tasks))
    rows = [(time, _line(shown, time, time, end, "◆", "", name)) for name, time in shown.marks.items()]
    rows += [(start, _line(shown, start, stop, end, "█", "", _ran(shown, start, stop))) for start, stop in _busy(shown)]
    rows += [
        (group[0].start, _group_line(shown, group, end)) for group in _groups(shown.requests) if group[0].start < end
    ]
    head = f"{'start':>7}{'end':>7}{'kB':>7}  {'0':<{COLUMNS // 2}}{end / 2:<{COLUMNS // 2 - 5},.0f}{end:>5,.0f} ms"
    return [head, *(line for _, line in sorted(rows, key=lambda row: row[0]))]


def _groups(requests: list[Request]) -> list[list[Request]]:
    """Small files of one folder that are asked for together, and each of the others alone."""
    groups: list[list[Request]] = []
    latest: dict[tuple[str, bool], list[Request]] = {}
    for each in requests:
        kind = (each.folder, each.is_kept)
        group = latest.get(kind)
        is_small = not each.is_socket and each.size < SMALL
        if group and is_small and each.start - group[-1].start < TOGETHER_MS:
            group.append(each)
            continue
        groups.append([each])
        if is_small:
            latest[kind] = groups[-1]
    return groups


def _group_line(shown: Visit, group: list[Request], total: float) -> str:
    first = group[0]
    name = f"{len(group)} of {first.folder}" if len(group) > 1 else first.name
    size = f"{sum(each.size for each in group) / 1000:,.0f}"
    sign = "─" if first.is_socket else "▒"
    return _line(
        shown, first.start, max(each.end for each in group), total, sign, "kept" if first.is_kept else size, name
    )


def _line(shown: Visit, start: float, end: float, total: float, sign: str, size: str, name: str) -> str:
    """One line: times, bytes, a bar over the milestones' marks, a name."""
    scale = (COLUMNS - 1) / total
    cells = [" "] * COLUMNS
    for mark in shown.marks.values():
        cells[min(COLUMNS - 1, round(mark * scale))] = "┊"
    for at in range(min(COLUMNS - 1, round(start * scale)), min(COLUMNS, round(end * scale) + 1)):
        cells[at] = sign
    return f"{start:>7,.0f}{end:>7,.0f}{size:>7}  {''.join(cells)}  {name[:48]}"


def _busy(shown: Visit) -> list[tuple[float, float]]:
    """From when to when there was one long task after the other."""
    spans: list[tuple[float, float]] = []
    for start, duration in sorted(shown.tasks):
        if spans and start - spans[-1][1] < TOGETHER_MS:
            spans[-1] = (spans[-1][0], start + duration)
        else:
            spans.append((start, start + duration))
    return spans


def _ran(shown: Visit, start: float, end: float) -> str:
    """The scripts that took most of a time, and how long each."""
    took: dict[str, float] = {}
    for begun, duration, source in shown.scripts:
        if start - 1 <= begun < end:
            name = urlsplit(source).path.rpartition("/")[2] or source
            took[name] = took.get(name, 0.0) + duration
    longest = sorted(took.items(), key=lambda each: -each[1])[:2]
    return ", ".join(f"{duration:,.0f} ms {name}" for name, duration in longest) or "styles, layout, painting, parsing"


# The picture itself.


@dataclass
class Takeover:
    """How the first picture differs from what stands in its place a few seconds later."""

    difference: float  # share of the hero's pixels, between the first picture and the last
    flash: float  # the largest such share of all pictures between them
    pictures: int
    moved: float  # pixels, by which the hero's box moved or grew
    shift: float  # layout shift score of the board since the first picture
    page_shift: float  # of the whole page, also of what the board covers
    moves: list[str]  # of the largest shift: what moved, from where to where
    first: np.ndarray = field(repr=False)  # the hero's pixels, (rows, columns, 3)
    last: np.ndarray = field(repr=False)

    def save(self, folder: Path) -> None:
        """Write both pictures of the hero, to look at."""
        for name in ("first", "last"):
            Image.fromarray(getattr(self, name).astype(np.uint8)).save(folder / f"{name}.png")


HERO_BOX = """() => {
  const { x, y, width, height } = document.querySelector("[data-place=hero]").getBoundingClientRect();
  return [x, y, width, height];
}"""

FIRST_PICTURE = """() => {
  const { box, marks } = window.__visit;
  return box ? { box, seen: performance.timeOrigin + marks.picture[0], noted: marks.picture[1] } : null;
}"""


def takeover(context: Any, url: str, seconds: float) -> Takeover:
    """Watch a page's hero from the first picture on, for these seconds, in every picture that the browser paints."""
    tab = context.new_page()
    try:
        session = context.new_cdp_session(tab)
        waiting: list[Any] = []
        session.on("Page.screencastFrame", lambda event: waiting.append(event))  # a bound method cannot be registered
        tab.add_init_script(
            probe(("picture",), presses=False)
            + f"\nwindow.__visit?.done.then(() => (window.__visit.box = ({HERO_BOX})()));"
        )
        session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
        tab.goto(url, wait_until="commit")
        screens: list[tuple[float, str]] = []  # ms since 1970, PNG
        first: dict[str, Any] | None = None
        until = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < until:
            tab.wait_for_timeout(20)
            while waiting:
                event = waiting.pop(0)
                screens.append((1000 * event["metadata"]["timestamp"], event["data"]))
                session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})
            if first is None:
                first = tab.evaluate(FIRST_PICTURE)
                until = time.monotonic() + seconds if first else until
        assert first, f"{url} did not show a picture within {PATIENCE_MS / 1000:g} s"
        screens.append((float("inf"), base64.b64encode(tab.screenshot()).decode()))
        box, shifts = tab.evaluate(HERO_BOX), tab.evaluate("window.__visit.shifts")
    finally:
        tab.close()
    before = [_hero(data, first["box"]) for at, data in screens if at < first["seen"]][-1:]
    later = [_hero(data, first["box"]) for at, data in screens if at >= first["seen"]]
    while before and len(later) > 1 and _share(later[0], before[0]) == 0:
        later.pop(0)  # painted before the script saw the picture, shown after
    shares = [_share(each, later[-1]) for each in later]
    moved = max(abs(now - then) for now, then in zip(box, first["box"], strict=True))
    since = [(value, moves, is_of_board) for at, value, moves, is_of_board in shifts if at > first["noted"]]
    _, moves, _ = max(since, default=(0.0, [], False))
    shift = sum(value for value, _, is_of_board in since if is_of_board)
    page_shift = sum(value for value, _, _ in since)
    return Takeover(shares[0], max(shares), len(later), moved, shift, page_shift, moves, later[0], later[-1])


def _hero(data: str, box: list[float]) -> np.ndarray:
    """The hero's part of a picture of the screen."""
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), dtype=np.int16)
    x, y, width, height = (round(each) for each in box)
    return picture[y : y + height, x : x + width]


def _share(own: np.ndarray, other: np.ndarray) -> float:
    """The share of the pixels that differ visibly."""
    if own.shape != other.shape:
        return 1.0
    return float((np.abs(own - other).max(axis=2) > LEVELS).mean())
