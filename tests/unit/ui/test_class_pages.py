"""The pages of a class outside the app: what their HTML says, what a class can be sent, and its QR codes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette

from pages.ui.routes.classroom import class_pages
from pages.ui.routes.files import assets
from pages.ui.routes.files.page_script import PageScript
from playground import predictions
from playground.experiments import experiments
from playground.lesson import LabLesson
from playground.lessons import LESSONS

APP = Starlette(routes=class_pages.ROUTES)
ADDRESS = "https://play.school.edu/join?class=KFMTXR"


@dataclass(frozen=True)
class Answer:
    """What a browser gets."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """A browser's requests to the app with these routes."""

    def get(self, address: str, headers: Mapping[str, str] = {}) -> Answer:
        return self.ask("GET", address, headers, b"")

    def post(self, address: str, content: str) -> Answer:
        return self.ask("POST", address, {}, content.encode())

    def ask(self, method: str, address: str, headers: Mapping[str, str], content: bytes) -> Answer:
        path, _, query = address.partition("?")
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(PageScript(APP)(scope, receive, send))
        pairs = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        return Answer(sent[0]["status"], pairs, b"".join(each.get("body", b"") for each in sent[1:]))


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.mark.parametrize("name", class_pages.PAGES)
def test_a_page_has_its_own_script_alone_and_no_address_from_the_servers_root(client: Client, name: str) -> None:
    answer = client.get(f"/{name}?class=KFMTXR", headers={"accept": "text/html"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert f'data-page="{name}"' in answer.text
    scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert scripts == [""], "no inline script: the policy refuses them"
    assert assets.url(assets.MODULES) not in answer.text, "the app's scripts are not needed"
    links = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert links and all(link.startswith(("./", "data:")) for link in links)
    assert "KFMTXR" not in answer.text, "one page for all classes: nothing of an address is repeated"


@pytest.mark.parametrize("name", class_pages.PAGES)
def test_a_pages_sentences_stand_in_its_html(client: Client, name: str) -> None:
    found = re.search(r'data-words="([^"]*)"', client.get(f"/{name}").text)
    assert found is not None
    words = json.loads(unescape(found[1]))
    assert words.keys() >= {"every", *class_pages.PAGES[name][1]}


@pytest.mark.parametrize("most", ["", "offered", "numbers"])
def test_the_start_page_offers_the_names_that_the_server_allows(
    client: Client, most: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_CLASS_NAMES", most)
    class_pages._html.cache_clear()
    found = re.search(r'data-words="([^"]*)"', client.get("/class").text)
    assert found is not None
    allowed = {"": ["offered", "own", "numbers"], "offered": ["offered", "numbers"], "numbers": ["numbers"]}
    assert json.loads(unescape(found[1]))["allowed"] == allowed[most]
    monkeypatch.undo()
    class_pages._html.cache_clear()


def test_what_can_be_sent_are_all_lessons_labs_and_experiments(client: Client) -> None:
    found = {each["name"]: each for each in client.get("/class/lessons").json()}
    assert list(found) == list(LESSONS)
    for name, lesson in LESSONS.items():
        assert [each["id"] for each in found[name]["experiments"]] == [each.id for each in experiments(lesson)]
        asked = {each["id"] for each in found[name]["experiments"] if each["question"]}
        assert asked == {each.id for each in experiments(lesson)} & predictions.of(lesson).keys()
        labs = len(lesson.labs) if isinstance(lesson, LabLesson) else 0
        assert len(found[name]["labs"]) == labs
        assert all(label for _, label in found[name]["knobs"])


def test_a_preset_is_exactly_the_experiments_settings(client: Client) -> None:
    for each in client.get("/class/lessons").json():
        lesson = LESSONS[each["name"]]
        for experiment, sent in zip(experiments(lesson), each["experiments"], strict=True):
            texts = dict(parse_qsl(sent["settings"], keep_blank_values=True))
            texts.pop(f"{lesson.name}_lab", None)
            prefix = f"{experiment.bench.name}_"
            assert all(name.startswith(prefix) for name in texts)
            config, problems = experiment.bench.config.parse(
                {name.removeprefix(prefix): text for name, text in texts.items()}
            )
            assert (config, problems) == (experiment.config, [])
            assert re.fullmatch(r"[!-~]*", sent["settings"]), "as an address has it"


def test_the_list_tells_no_answer(client: Client) -> None:
    """What a teacher's page lists is on a screen that may be projected."""
    text = client.get("/class/lessons").text
    for lesson in LESSONS.values():
        for each in predictions.of(lesson).values():
            assert each.right == "" or json.dumps(each.right)[1:-1] not in text


def finder(cells: list[str], top: int, left: int) -> bool:
    """Whether one of a QR code's three large corner squares stands here."""
    square = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    return [row[left : left + 7] for row in cells[top : top + 7]] == square


def test_a_qr_code_has_its_corners_and_is_at_least_of_version_3(client: Client) -> None:
    for text in (ADDRESS, "http://a/"):
        found: dict[str, Any] = client.post("/class/qr", content=text).json()
        size = found["size"]
        assert size >= 29 and len(found["cells"]) == size**2
        rows = [found["cells"][at : at + size] for at in range(0, size**2, size)]
        assert finder(rows, 0, 0) and finder(rows, 0, size - 7) and finder(rows, size - 7, 0)
    assert client.post("/class/qr", content=ADDRESS).json()["size"] == 29


@pytest.mark.parametrize("text", ["", "KFMTXR", "javascript:alert(1)", "https://" + "x" * 300, "\x00", "ftp://a"])
def test_a_text_that_is_no_address_gets_a_sentence(client: Client, text: str) -> None:
    answer = client.post("/class/qr", content=text)
    assert answer.status_code == 400 and answer.json() == {"say": class_pages.NO_QR}


def test_pages_are_small_on_the_wire(client: Client) -> None:
    """Three hundred phones open /join within half a minute."""
    answer = client.get("/join", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 20_000
    assert len(assets._zipped(assets.CLASS_PAGES)) < 90_000
