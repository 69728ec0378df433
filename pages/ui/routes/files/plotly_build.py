"""A smaller build of plotly.js: the package's file without the modules that no chart of this app needs.

The package has one file with every kind of trace, maps and 3D among them: 4.8 MB, which a browser evaluates for a
second. The file is a list of modules, each in a function that runs when another module first calls it:

    var <name>=W((exports,module)=>{... <other name>() ...});  ...  <core>.register([<bar>(),<heatmap>(), ...])

So a build begins at the last module, with fewer traces to register, and keeps what can be reached from there. A file of
another form stays whole.
"""

from __future__ import annotations

import logging
import re

TRACES = frozenset({"bar", "heatmap"})  # and scatter, which is in the core
MAX_REEXPORTS = 4
_MODULE = re.compile(r"\bvar ([\w$]+)=W\(")
_DEFINED = re.compile(r"(?<![\w$.])([\w$]+)=(?:W|Ea)\(")  # `Ea` wraps the modules that were ES modules
_CALLED = re.compile(r"(?<![\w$.])([\w$]+)\(\)")
_REGISTER = re.compile(r"[\w$]+\.register\(\[((?:[\w$]+\(\),?)+)\]\)")
_TRACE = re.compile(r'moduleType:"trace",name:"(\w+)"')
_REEXPORT = re.compile(r"\.exports=([\w$]+)\(\)")
_END = "return "  # of the last module's value, after all definitions

log = logging.getLogger(__name__)


def smaller(source: str) -> str:
    """plotly.js with the traces of this app only; the source itself, and a warning, where its form is another."""
    try:
        return _cut(source)
    except (IndexError, KeyError, TypeError, ValueError):
        log.warning("This version of plotly.js is built in another way: browsers get all of it.")
        return source


def _cut(source: str) -> str:
    starts = [found.start() for found in _MODULE.finditer(source)]
    end = source.index(_END, source.rindex(".exports="))
    head, tail = source[: starts[0]], source[end:]
    parts = [source[start:stop] for start, stop in zip(starts, [*starts[1:], end], strict=True)]
    at = {name: index for index, part in enumerate(parts) for name in _DEFINED.findall(part)}

    def trace(name: str) -> str:
        """The kind of trace that a module registers; "" for other modules."""
        for _ in range(MAX_REEXPORTS):
            part = parts[at[name]]
            if found := _TRACE.search(part):
                return found[1]
            if not (further := _REEXPORT.search(part)):
                break
            name = further[1]
        return ""

    registered = _REGISTER.search(parts[-1])[1]  # type: ignore[index]
    wanted = [name for name in _CALLED.findall(registered) if trace(name) in TRACES]
    if len(wanted) != len(TRACES):
        raise ValueError(wanted)
    parts[-1] = parts[-1].replace(registered, ",".join(f"{name}()" for name in wanted))
    kept: set[int] = set()
    ahead = [len(parts) - 1]
    while ahead:
        index = ahead.pop()
        if index not in kept:
            kept.add(index)
            ahead += [at[name] for name in set(_CALLED.findall(parts[index])) if name in at]
    return head + "".join(parts[index] for index in sorted(kept)) + tail
