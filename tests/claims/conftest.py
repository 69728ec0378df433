"""The report of the claims at the end of a run: each sentence that was decided, what was measured, and the verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite(*(f"tests.claims.{path.stem}" for path in Path(__file__).parent.glob("[a-z]*.py")))

MEASURED = pytest.StashKey[list[str]]()  # what the assertions that held have compared
MAX_MEASURED = 120  # characters
NUMBER = re.compile(r"-?\d+\.\d{4,}(?:e[+-]?\d+)?|np\.\w+\((-?\d+(?:\.\d*)?(?:e[+-]?\d+)?)\)")
VERDICTS = {"passed": "true", "failed": "FALSE", "error": "FALSE", "skipped": "skipped"}


def pytest_assertion_pass(item: pytest.Item, lineno: int, orig: str, expl: str) -> None:
    """Note the numbers of an assertion; where it compares none that can be read, its text."""
    compared = NUMBER.sub(lambda found: f"{float(found[1] or found[0]):.4g}", expl.partition("\n")[0])
    readable = any(sign.isdigit() for sign in compared) and len(compared) <= MAX_MEASURED
    measured = item.stash.setdefault(MEASURED, [])
    if orig.endswith("is not None"):
        return
    if (note := compared if readable else " ".join(orig.partition("  #")[0].split())) not in measured:
        measured.append(note)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Send with the report of a rule the sentences that it decides, and what was measured."""
    rule = getattr(item, "callspec", None) and item.callspec.params.get("rule")  # type: ignore[attr-defined]
    if rule and call.when == "call":
        noted = "; ".join(item.stash.get(MEASURED, []))
        measured = noted if len(noted) <= MAX_MEASURED else f"{noted[: MAX_MEASURED - 1]}…"
        for text in rule.texts:
            item.user_properties.append(("claim", [rule.lesson, rule.experiment, text, rule.threads, measured]))
    return (yield)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table: lesson by lesson, in the order of its prose."""
    decided: dict[tuple[str, str, str], list[tuple[int, str, str]]] = {}
    for outcome, verdict in VERDICTS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            for name, claim in getattr(report, "user_properties", ()):
                if name == "claim":
                    lesson, experiment, text, threads, measured = claim
                    decided.setdefault((lesson, experiment, text), []).append((threads, verdict, measured))
    if not decided:
        return
    from tests.claims.claims import claimed, undecided
    from tests.claims.test_claims import CLAIMS

    write, count = terminalreporter.write_line, Counter[str]()
    terminalreporter.section("what the lessons say")
    for lesson in sorted({lesson for lesson, *_ in decided}, key=list(CLAIMS).index):
        claims = CLAIMS[lesson]
        reasons, ruled = undecided(lesson), {(rule.experiment, text) for rule in claims.rules for text in rule.texts}
        write(lesson)
        for each in claimed(lesson):
            experiment = each.place if any(each.place == rule.experiment for rule in claims.rules) else ""
            if (experiment, each.text) in ruled:
                for threads, verdict, measured in decided.get((lesson, experiment, each.text), [(0, "not run", "")]):
                    count[verdict] += 1
                    with_threads = f"{threads} threads: " if len(claims.threads) > 1 and threads else ""
                    write(f"  {verdict:7}  [{each.place}] {each.text}  |  {with_threads}{measured}")
            else:
                count[reasons.get(each.text, "question or invitation")] += 1
    write("In all: " + ", ".join(f"{number} {what}" for what, number in count.most_common()))
