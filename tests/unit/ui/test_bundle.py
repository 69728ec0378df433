"""All modules in one file: in the order of their imports, with what they export; other forms are refused."""

from __future__ import annotations

import re

import pytest

from pages.ui.routes.files import assets, bundle

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
    made = bundle.bundled({"class/a.js": 'import { three } from "../three.js";\nthree();\n'}, loaded={"three.js"})
    assert re.findall(r'^modules\["([^"]+)"\] = ', made, re.MULTILINE) == ["class/a.js"]
    assert 'const { three } = modules["three.js"];' in made
    assert "const modules = window.__modules;" in made


def modules_of(name: str) -> list[str]:
    return re.findall(r'^modules\["([^"]+)"\] = ', assets._content(name).decode(), re.MULTILINE)


def test_entries_choose_the_modules_of_a_script_and_what_they_import_comes_with_them() -> None:
    made = bundle.bundled(SOURCES, entries=["parts/two.js"])
    assert re.findall(r'^modules\["([^"]+)"\] = ', made, re.MULTILINE) == ["three.js", "parts/two.js"]


def test_every_module_is_in_one_of_the_scripts_and_the_app_has_those_of_a_class_apart() -> None:
    names = {path.relative_to(assets.STATIC).as_posix() for path in assets.STATIC.rglob("*.js")}
    app, in_class, pages = (modules_of(name) for name in (assets.MODULES, assets.CLASSROOM, assets.CLASS_PAGES))
    assert set(app) == {name for name in names if not name.startswith("classroom/")}
    assert not set(app) & set(in_class)
    assert {name for name in names if name.startswith("classroom/")} <= {*in_class, *pages}
    assert len(pages) == len(set(pages))
