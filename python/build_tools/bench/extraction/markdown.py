"""Texts from Markdown and to it, for generators that want it."""
# pyright: reportMissingImports=false

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .document import Document, Kind, Part, squeezed


def from_markdown(text: str, language: str = "en") -> Document:
    """By CommonMark with tables, the first heading of level 1 being the title. Front matter and comments are no text."""
    text = re.sub(r"\A---\n.*?\n---\n|<!--.*?-->", "", text, flags=re.DOTALL)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    title, parts, allowed = "", list[Part](), list[str]()
    kinds: list[Kind] = []
    for at, token in enumerate(tokens):
        if token.type in ("list_item_open", "list_item_close"):
            kinds = [*kinds, "item"] if token.nesting == 1 else kinds[:-1]
        elif token.type == "fence" or token.type == "code_block":
            parts.append(Part("code", token.content.strip("\n")))
        elif token.type == "tr_open":
            parts.append(_row(tokens[at:]))
        elif token.type == "inline" and tokens[at - 1].type not in ("th_open", "td_open"):
            allowed += [child.content for child in token.children or [] if child.type == "image"]
            level = int(tokens[at - 1].tag[1]) if tokens[at - 1].type == "heading_open" else 0
            shown, links = _inline(token)
            if level == 1 and not title:
                title = shown
            elif shown:
                kind: Kind = "heading" if level else kinds[-1] if kinds else "text"
                parts.append(Part(kind, shown, level, links=links))
    return Document(title, tuple(parts), language, tuple(allowed))


def _row(tokens: list[Token]) -> Part:
    cells: list[str] = []
    links: list[str] = []
    for token in tokens:
        if token.type == "tr_close":
            break
        if token.type == "inline":
            shown, linked = _inline(token)
            cells.append(shown)
            links += linked
    return Part("row", " ".join(cells), cells=tuple(cells), links=tuple(links))


def _inline(token: Token) -> tuple[str, tuple[str, ...]]:
    """What is shown of a line, and the texts of its links."""
    shown, links = "", list[str]()
    start = 0
    for child in token.children or []:
        if child.type == "link_open":
            start = len(shown)
        elif child.type == "link_close":
            links.append(squeezed(shown[start:]))
        elif child.type in ("softbreak", "hardbreak"):
            shown += " "
        elif child.type not in ("image", "html_inline"):
            shown += child.content
    return squeezed(shown), tuple(link for link in links if link)


def to_markdown(document: Document) -> str:
    """Markdown for generators that want it; links lead to places that are not there."""
    blocks = [f"# {document.title}"]
    last: Part | None = None
    for part in document.parts:
        line = _markdown(part)
        if last and last.kind == part.kind and part.kind in ("row", "item"):
            blocks[-1] += f"\n{line}"
        elif part.kind == "row":
            blocks.append(f"{line}\n|{' --- |' * len(part.cells)}")
        else:
            blocks.append(line)
        last = part
    return "\n\n".join(blocks) + "\n"


def _markdown(part: Part) -> str:
    if part.kind == "code":
        return f"```text\n{part.text}\n```"
    if part.kind == "row":
        return "| " + " | ".join(_linked(cell, part.links).replace("|", "\\|") for cell in part.cells) + " |"
    marks = {"heading": "#" * part.level + " ", "item": "- ", "text": ""}
    return marks[part.kind] + _linked(part.text, part.links)


def _linked(text: str, links: tuple[str, ...]) -> str:
    escaped = re.sub(r"([\\`*_<\[\]{}])", r"\\\1", text)
    for at, link in enumerate(links):
        words = re.sub(r"([\\`*_<\[\]{}])", r"\\\1", link)
        escaped = escaped.replace(words, f"[{words}](page-{at}.html)", 1)
    return escaped
