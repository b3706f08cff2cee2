"""The viewer's modules as one script, which a page can hold."""

from __future__ import annotations

import base64
import re
import zlib
from functools import lru_cache
from importlib.resources import files

from denobench.files import digest_bytes

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function|async function|class|let) )", re.MULTILINE)


@lru_cache(maxsize=1)
def script() -> str:
    """Return all modules, each after those that it imports, in one scope.

    A page that opens from a disk can import nothing. So names at the top of the modules differ.
    """
    folder = files("denobench.report.page") / "viewer"
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        parts[name] = ""
        text = (folder / name).read_text("utf-8")
        for imported in _IMPORT.findall(text):
            add(imported)
        del parts[name]  # behind those that it imports
        parts[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    add("main.js")
    whole = "\n".join(parts.values()).replace("</", "<\\/")
    return f'"use strict";\n(() => {{\n{whole}\n}})();\n'


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """Return the page's style."""
    return (files("denobench.report.page") / "page.css").read_text("utf-8")


@lru_cache(maxsize=1)
def plotly() -> tuple[str, str]:
    """Return the plotting library deflated, in base64, and how a policy names it."""
    from plotly.offline import get_plotlyjs

    code = get_plotlyjs()
    packed = base64.b64encode(zlib.compress(code.encode(), 9)).decode()
    return packed, source_of(code)


def source_of(text: str) -> str:
    """Return how a content security policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(bytes.fromhex(digest_bytes(text.encode()))).decode()}'"
