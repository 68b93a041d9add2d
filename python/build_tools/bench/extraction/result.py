"""What a reader made of a page, by the same parts as what the page was made from."""
# pyright: reportMissingImports=false, reportArgumentType=false

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import html

from .document import Part, row, squeezed

HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "nav", "ol", "p"),
        *("section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    )
)
SKIPPED = frozenset(("script", "style", "noscript", "template", "svg", "iframe", "select", "option", "textarea"))


def of_markdown(text: str) -> list[Part]:
    """Ours: Markdown of a few forms, in which a mark means nothing but at the beginning of a line."""
    parts: list[Part] = []
    code: list[str] | None = None
    fence = ""
    for line in text.split("\n"):
        bare = line.strip()
        if code is not None:
            if bare == fence:
                parts.append(Part("code", "\n".join(code)))
                code = None
            else:
                code.append(line)
        elif opened := re.match(r"\s*(?:- |\d+\. |> )*(`{3,})[\w+#-]*$", line):
            code, fence = [], opened[1]
        elif heading := re.match(r"(#{1,6}) (.*)", bare):
            parts.append(Part("heading", heading[2], len(heading[1])))
        elif bare.startswith("| ") or bare == "|":
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", bare)[1:-1]]
            if not all(re.fullmatch(r"-+", cell) for cell in cells):
                parts.append(row(*cells))
        elif bare:
            parts.append(Part("text", re.sub(r"^(?:- |\d+\. |> |\\)*", "", bare)))
    return [*parts, Part("code", "\n".join(code))] if code else parts


def of_html(content: str) -> list[Part]:
    """Readability's: what a browser would show as lines, rows, headings and code."""
    return list(_parts(html.fragment_fromstring(content, create_parent="div")))


def _parts(element: Any) -> Iterator[Part]:
    line = ""
    for piece in _pieces(element):
        if isinstance(piece, str):
            line += piece
            continue
        if squeezed(line):
            yield Part("text", squeezed(line))
        line = ""
        if isinstance(piece, Part):
            yield piece
    if squeezed(line):
        yield Part("text", squeezed(line))


def _pieces(element: Any) -> Iterator[str | Part | None]:
    """Texts of lines, whole parts, and None where a line ends."""
    yield element.text or ""
    for child in element:
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag in HEADINGS:
            yield Part("heading", squeezed(child.text_content()), HEADINGS[tag])
        elif tag == "pre":
            yield Part("code", _lines(child).strip("\n"))
        elif tag == "tr" and not child.xpath(".//tr"):
            yield row(*(squeezed(" ".join(part.text for part in _parts(cell))) for cell in child))
        elif tag == "br":
            yield None
        elif tag and tag not in SKIPPED:
            if tag in BLOCKS:
                yield None
            yield from _pieces(child)
            if tag in BLOCKS:
                yield None
        yield child.tail or ""


def _lines(pre: Any) -> str:
    for line in pre.iter("br"):
        line.tail = "\n" + (line.tail or "")
    return pre.text_content()
