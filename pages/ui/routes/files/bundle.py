"""All our JavaScript modules as one script: a browser asks for one file instead of fifty, and runs it at once.

A module becomes a function that is called once, after the modules that it imports; what it exports is kept under its
name, as in `window.__modules["chart/chart.js"].Chart`. The script is none of type "module": those wait for each other,
and a page has a hundred of Streamlit's.

Our modules import by name (or for the effect alone), only from each other, not in circles, and export declarations.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from posixpath import dirname, join, normpath

_IMPORT = re.compile(r'^import\s+(?:\{([^}]*)\}\s+from\s+)?"([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (default )?(async function|function|class|const)\b ?([\w$]*)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
DEFAULT = "asDefault"  # the name of a function without one that a module exports by default


def bundled(sources: Mapping[str, str], loaded: Collection[str] = (), entries: Iterable[str] | None = None) -> str:
    """One script from the texts of modules, by name. Raises ValueError for a form that is not known here.

    It has the modules `entries` (all of them, if None) and what they import. `loaded` names modules of another script,
    which the page has run before this one.
    """
    done: dict[str, str] = dict.fromkeys(loaded, "")

    def add(name: str, importers: tuple[str, ...] = ()) -> None:
        if name in importers:
            raise ValueError(f"Modules import each other in a circle: {', '.join((*importers, name))}.")
        if name not in done:
            for _, address in _IMPORT.findall(sources[name]):
                add(_target(name, address), (*importers, name))
            done[name] = _as_function(name, sources[name])

    for name in sources if entries is None else entries:
        add(name)
    table = "window.__modules" if loaded else "(window.__modules = {})"
    return f'"use strict";\n(() => {{\nconst modules = {table};\n{"".join(done.values())}}})();\n'


def _target(name: str, address: str) -> str:
    """The name of the module that a module imports from this relative address."""
    return normpath(join(dirname(name), address))


def _as_function(name: str, source: str) -> str:
    exported: list[str] = []

    def use(found: re.Match[str]) -> str:
        names, target = found[1], _target(name, found[2])
        if names is None:
            return "\n"
        return f'const {{{names.replace(" as ", ": ")}}} = modules["{target}"];\n'

    def declare(found: re.Match[str]) -> str:
        default, kind, own = found.groups()
        exported.append(f"default: {own or DEFAULT}" if default else own)
        return f"{kind} {own or DEFAULT}"

    body = _EXPORT.sub(declare, _IMPORT.sub(use, source))
    if other := _OTHER.search(body):
        raise ValueError(f"{name}: this form is not known here: {other[0]}")
    return f'modules["{name}"] = (() => {{ // {name}\n{body}return {{ {", ".join(exported)} }};\n}})();\n'
