"""All modules in one file: in the order of their imports, with what they export; other forms are refused."""

from __future__ import annotations

import re

import pytest

from pages.ui.routes import assets, bundle

ONE = 'import "./effect.js";\nimport { a, b as c } from "./parts/two.js";\n\nexport default function (x) {}\n'
TWO = 'import { three } from "../three.js";\nexport const a = 1;\nexport async function b() {}\nexport class D {}\n'
SOURCES = {
    "one.js": ONE,
    "effect.js": "window.x = 1;\n",
    "parts/two.js": TWO,
    "three.js": "export function three() {}\n",
}


def test_modules_stand_after_what_they_import_and_once() -> None:
    made = bundle.bundled(SOURCES)
    order = re.findall(r'^modules\["([^"]+)"\] = ', made, re.MULTILINE)
    assert order == ["effect.js", "three.js", "parts/two.js", "one.js"]
    assert made.startswith('"use strict";\n')


def test_names_come_from_the_table_and_go_into_it() -> None:
    made = bundle.bundled(SOURCES)
    assert 'const { a, b: c } = modules["parts/two.js"];' in made
    assert 'const { three } = modules["three.js"];' in made
    assert "return { default: asDefault };" in made
    assert "return { a, b, D };" in made
    assert "function asDefault(x) {" in made
    assert not re.findall(r"^(?:import|export)\b.*", made, re.MULTILINE)


@pytest.mark.parametrize(
    "source",
    ['import all from "./three.js";', 'import * as all from "./three.js";', "export let x = 1;", "export { x };",
     'export * from "./three.js";', 'import { a } from "./three.js"'],
)  # fmt: skip
def test_a_form_that_is_not_known_is_an_error_and_not_a_broken_file(source: str) -> None:
    with pytest.raises(ValueError, match=r"one\.js"):
        bundle.bundled({"one.js": f"{source}\n", "three.js": ""})


def test_a_circle_is_an_error_that_names_it() -> None:
    circle = {"a.js": 'import "./b.js";\n', "b.js": 'import "./a.js";\n'}
    with pytest.raises(ValueError, match=r"a\.js, b\.js, a\.js"):
        bundle.bundled(circle)


def test_a_script_after_another_one_uses_what_that_has_and_repeats_nothing() -> None:
    sources = SOURCES | {"class/a.js": 'import { three } from "../three.js";\nthree();\n'}
    made = bundle.bundled(sources, {"three.js"}, ["class/a.js"])
    assert re.findall(r'^modules\["([^"]+)"\] = ', made, re.MULTILINE) == ["class/a.js"]
    assert 'const { three } = modules["three.js"];' in made
    assert "const modules = window.__modules;" in made


def modules_of(name: str) -> list[str]:
    return re.findall(r'^modules\["([^"]+)"\] = ', assets._content(name).decode(), re.MULTILINE)


def test_the_apps_file_has_every_module_but_those_of_a_class() -> None:
    names = {path.relative_to(assets.STATIC).as_posix() for path in assets.STATIC.rglob("*.js")}
    assert set(modules_of(assets.MODULES)) == {name for name in names if not name.startswith("classroom/")}


def test_a_page_in_a_class_gets_the_bar_apart_from_what_it_has() -> None:
    found = modules_of(assets.CLASSROOM)
    assert found[-1] == "classroom/bar.js" and all(name.startswith("classroom/") for name in found)
