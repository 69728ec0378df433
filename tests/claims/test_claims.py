"""What the lessons say happens, does: each sentence has a rule, or a reason why no run decides it."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from playground import mnist
from playground.lessons import LESSONS
from tests.claims.claims import Claims, Rule, Sentence, claimed, sentences, undecided

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
READY = list(LESSONS)
LONG_SECONDS = 600  # for a rule that is not quick
LESSON_FILES, PAGE_FILES, SHARED = ROOT / "playground/lessons", ROOT / "pages/ui", ROOT / "playground/training"
NO_NAMES = {"the tutorial", "Nearly the same"}  # in quotes for another reason
CLAIMS: dict[str, Claims] = {name: importlib.import_module(f"tests.claims.{name}").CLAIMS for name in READY}


def cases() -> list[Any]:
    found: list[Any] = []
    for lesson, claims in CLAIMS.items():
        for at, rule in enumerate(claims.rules):
            name = f"{lesson}-{rule.experiment or 'text'}-{at}" + f"-{rule.threads}-threads" * (rule.threads > 1)
            marks = [pytest.mark.timeout(LONG_SECONDS)] if rule.is_long else [pytest.mark.in_ci]
            marks += [pytest.mark.many_threads] * (rule.threads > 1)
            found.append(pytest.param(rule, id=name, marks=marks))
    return found


@pytest.fixture(autouse=True)
def same_threads() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("rule", cases())
def test_what_the_lesson_says_is_true(rule: Rule, request: pytest.FixtureRequest) -> None:
    if rule.lesson in ("cnn", "convolution") and not mnist.load().real:
        pytest.skip("needs the real MNIST")
    torch.set_num_threads(rule.threads)
    rule.holds()


@pytest.mark.in_ci
@pytest.mark.parametrize("lesson", READY)
def test_every_sentence_has_a_rule_or_a_reason(lesson: str) -> None:
    ruled = {(rule.experiment, text) for rule in CLAIMS[lesson].rules for text in rule.texts}
    reasons = undecided(lesson)
    sections = LESSONS[lesson].prose.keys()
    said = {("" if each.place in sections else each.place, each.text): each for each in claimed(lesson)}
    new = [f"[{place}] {text}" for (place, text), each in said.items()
           if (place, text) not in ruled and text not in reasons and not each.asks]  # fmt: skip
    assert not new, "sentences without a rule: write one, or say in undecided/ why no run decides it"
    assert not ruled - said.keys(), "rules of sentences that are gone"
    texts = {text for _, text in said}
    assert not reasons.keys() - texts, "reasons for sentences that are gone"
    assert not {text for _, text in ruled} & reasons.keys(), "sentences with a rule and a reason"


@pytest.mark.in_ci
@pytest.mark.parametrize("lesson", READY)
def test_no_rule_has_lost_its_sentences(lesson: str) -> None:
    tree = ast.parse((FOLDER / f"{lesson}.py").read_text(encoding="utf-8"))
    rules = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "_"]
    assert [each.lineno for each in rules if not each.decorator_list] == []


@pytest.mark.in_ci
@pytest.mark.parametrize("lesson", READY)
def test_what_a_sentence_names_in_quotes_is_on_the_page(lesson: str) -> None:
    files = [*LESSON_FILES.glob("*.py"), *(LESSON_FILES / lesson).rglob("*.py"), *SHARED.glob("*.py"),
             *PAGE_FILES.rglob("*.py"), *PAGE_FILES.rglob("*.js")]  # fmt: skip
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    named = {name for each in claimed(lesson) for name in re.findall("“([^”]+)”", each.text)}
    assert sorted(name for name in named - NO_NAMES if name not in code) == []


@pytest.mark.in_ci
def test_a_sentence_that_is_no_longer_true_is_named() -> None:
    def is_three() -> None:
        assert 2 == 3

    with pytest.raises(AssertionError) as failed:
        Rule("regression", "", ("It is 3.",), is_three, is_long=False).holds()
    assert failed.value.__notes__ == ["No longer true in the lesson regression: “It is 3.”"]


@pytest.mark.in_ci
def test_a_rule_gets_the_settings_of_its_experiment() -> None:
    found: list[Any] = []
    Rule("regression", "small-steps", ("The learning rate is 0.001.",), found.append, is_long=False).holds()
    assert [config.lr for config in found] == [0.001]


@dataclass(eq=False)
class Collected:
    """What pytest's hook reads of a test."""

    name: str
    marks: set[str]
    path: Path = FOLDER / "test_claims.py"
    fixturenames: tuple[str, ...] = ()

    def add_marker(self, name: str) -> None:
        self.marks.add(name)

    def get_closest_marker(self, name: str) -> bool | None:
        return name in self.marks or None


@pytest.mark.in_ci
def test_in_ten_days_a_run_of_everything_takes_each_long_claim_once(request: pytest.FixtureRequest) -> None:
    choose = request.config.pluginmanager.hook.pytest_collection_modifyitems
    (hook,) = [each for each in choose.get_hookimpls() if each.plugin_name.endswith("tests/conftest.py")]
    taken: Counter[str] = Counter()
    for tenth in range(10):
        items: list[Any] = [Collected("short", {"in_ci"}), *(Collected(f"long {at}", set()) for at in range(25))]
        config = SimpleNamespace(
            args=["tests"], invocation_params=SimpleNamespace(dir=FOLDER.parent.parent),
            option=SimpleNamespace(tenth=tenth), hook=SimpleNamespace(pytest_deselected=lambda items: None),
        )  # fmt: skip
        hook.function(config=config, items=items)
        taken.update(item.name for item in items)
    assert taken == {"short": 10, **{f"long {at}": 1 for at in range(25)}}


@pytest.mark.in_ci
def test_sentences_are_told_apart() -> None:
    text = (
        "It is 0.5 wide. **Never**:\ntry `x**2 * x**3` (twice.) Is it? Yes. It is 1. `x` is what? “So it is.” √2 is it!"
    )
    assert sentences(text) == [
        *("It is 0.5 wide.", "Never: try `x**2 * x**3` (twice.)", "Is it?", "Yes. It is 1.", "`x` is what?"),
        *("“So it is.”", "√2 is it!"),
    ]


@pytest.mark.in_ci
@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Try other seeds.", True),
        ("Then set the activation to ReLU.", True),
        ("Which is best?", True),
        ("Set it to ReLU: curves become corners.", False),
        ("Set it to ReLU, and it fails.", False),
        ("The loss falls.", False),
    ],
)
def test_only_what_claims_nothing_needs_no_rule(text: str, asks: bool) -> None:
    assert Sentence("Idea", text).asks is asks
