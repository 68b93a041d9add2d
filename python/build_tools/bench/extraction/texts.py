"""The texts that pages are made from: our own, and from Debian's packages.

| package         | text                                                | licence                     |
| --------------- | --------------------------------------------------- | --------------------------- |
| python3.*-doc   | pages with the reStructuredText they are made from  | PSF License 2               |
| nodejs-doc      | pages with the Markdown they are made from          | MIT                         |
| debian-faq-*    | pages of each chapter, and the book as plain text   | free to copy and change     |
| gnome-user-docs | GNOME's help in many languages, in Mallard (XML)    | CC BY-SA 3.0                |
| yelp-xsl        | the stylesheets that make pages of Mallard          | LGPL-2.1+                   |
"""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from lxml import etree

from ..debian import python_documentation, unpacked
from .document import Document, Part, row, squeezed
from .environment import FOLDER
from .markdown import from_markdown

OWN = Path(__file__).with_name("texts")
VERSIONS: dict[str, str] = {}  # of the packages that were used


@cache
def package(name: str) -> Path:
    """Where a package's files lie."""
    folder, VERSIONS[name] = unpacked(name, FOLDER / "packages")
    return folder


def own(name: str, language: str = "en") -> Document:
    """A text written for this benchmark."""
    return from_markdown((OWN / f"{name}.md").read_text(encoding="utf-8"), language)


# ---- Node.js: Markdown


def node_folder() -> Path:
    """Node's documentation as Debian ships it."""
    return package("nodejs-doc") / "usr/share/doc/nodejs/api"


def node(name: str) -> Document:
    """One chapter of Node's documentation."""
    return from_markdown(gzip.decompress((node_folder() / f"{name}.md.gz").read_bytes()).decode())


# ---- Debian's FAQ: plain text


def faq_folder(language: str) -> Path:
    """The FAQ in a language as Debian ships it."""
    return package(f"debian-faq-{language}") / "usr/share/doc/debian/FAQ"


def faq(language: str, chapter: int) -> Document:
    """A chapter of the plain text: numbered headings, paragraphs, and what is indented, which is lists or code."""
    text = gzip.decompress(next(faq_folder(language).glob("*.txt.gz")).read_bytes()).decode()
    body = text[_faq_chapter(text, chapter) : _faq_chapter(text, chapter + 1)]
    blocks = [squeezed(_unwrapped(block)) for block in re.split(r"\n[ \t]*\n", body.strip("\n"))]
    title, *rest = [block for block in blocks if block and not re.fullmatch(r"[-━─\s]+", block)]
    parts = [_faq_part(re.sub(r" ?\(https?:[^)]*\)", "", block)) for block in rest]
    return Document(re.sub(r"^(?:第\s?\d+\s?章|Глава \d+\.|\d+\.)\s+", "", title), tuple(parts), language)


def _faq_chapter(text: str, number: int) -> int:
    """Where a chapter begins: the last line that begins with its number, the first being in the contents."""
    found = list(re.finditer(rf"^(?:第\s?{number}\s?章|Глава {number}\.|{number}\.)\s.*$", text, re.MULTILINE))
    return found[-1].start()


def _unwrapped(block: str) -> str:
    """Lines of Chinese and Japanese are joined without a space."""
    return re.sub(r"(?<=[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef])\n\s*(?=[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef])", "", block)


def _faq_part(block: str) -> Part:
    numbered = re.match(r"(\d+(?:\.\d+)+)\.? ", block)
    if numbered:
        return Part("heading", block[numbered.end() :], level=numbered[1].count(".") + 1)
    return Part("text", re.sub(r"^(?:[•*-]|\d+\.) ", "", block))


# ---- GNOME's help: Mallard


def mallard_file(language: str, name: str) -> Path:
    """A page's source."""
    return package("gnome-user-docs") / f"usr/share/help/{language}/gnome-help/{name}.page"


def mallard(language: str, name: str) -> Document:
    """A page of GNOME's help."""
    root = etree.parse(str(mallard_file(language, name)), etree.XMLParser(remove_comments=True)).getroot()
    for element in list(root.iter()):
        _drop_unshown(element)
    for key in root.iterfind(".//{*}keyseq/*"):
        key.tail = "+" if key.getnext() is not None else key.tail
    for step in root.iterfind(".//{*}guiseq/*"):
        step.tail = " "
    title = next(child for child in root if _name(child) == "title")
    parts = [part for child in root if _name(child) not in ("info", "title") for part in _mallard_parts(child, 2, "text")]
    return Document(_said(title), tuple(parts), language)


def _drop_unshown(element: Any) -> None:
    """Lists of links that are made from other pages, pictures, and the variants for other desktops than GNOME."""
    if element.getparent() is None:
        return
    if element.get("{http://projectmallard.org/ui/1.0/}expanded") == "false":  # folded until someone unfolds it
        for each in [each for each in element if _name(each) != "title"]:
            _remove(each)
    elif _name(element) == "choose":
        fitting = next((each for each in element if _name(each) == "when" and _is_met(each)), None)
        for each in list(element):
            if each is not fitting and (fitting is not None or _name(each) == "when"):
                _remove(each)
    elif _name(element) in ("links", "media", "desc", "info", "comment") or not _is_met(element):
        _remove(element)


def _is_met(element: Any) -> bool:
    """Whether the element's test, if it has one, holds for pages by the stylesheets alone; commas are "or", spaces "and"."""
    own = element.get("test") if _name(element) in ("when", "if") else None
    test = own or element.get("{http://projectmallard.org/if/1.0/}test") or "!"
    choices = [choice.split() for choice in test.split(",")]
    return any(all(term.startswith(("!", "target:html")) for term in choice) for choice in choices)


def _remove(element: Any) -> None:
    """Without what follows it."""
    parent, before = element.getparent(), element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)


def _name(element: Any) -> str:
    return etree.QName(element).localname


def _said(element: Any) -> str:
    return squeezed("".join(element.itertext()))


def _mallard_parts(element: Any, level: int, kind: Any) -> Iterator[Part]:
    name = _name(element)
    if name == "p":
        links = tuple(_said(link) for link in element.iter("{*}link") if _said(link))
        if _said(element):
            yield Part(kind, _said(element), links=links)
    elif name == "title":
        yield (
            Part("heading", _said(element), level=level - 1)
            if _name(element.getparent()) == "section"
            else Part("text", _said(element))
        )
    elif name in ("screen", "code"):
        yield Part("code", "".join(element.itertext()).strip("\n"))
    elif name == "tr":
        links = tuple(_said(link) for link in element.iter("{*}link") if _said(link))
        cells = tuple(_said(cell) for cell in element)
        if any(cells):
            yield Part("row", " ".join(cells), cells=cells, links=links)
    else:
        inner = "item" if name == "item" else kind
        for child in element:
            yield from _mallard_parts(child, level + (name == "section"), inner)


# ---- Python's documentation: reStructuredText


@cache
def python_folder() -> Path:
    """Python's documentation as Debian ships it."""
    name = python_documentation()
    return package(name) / f"usr/share/doc/{name.removesuffix('-doc')}/html"


def python(name: str) -> Document:
    """A page of Python's documentation, as "library/heapq"."""
    _register()
    source = (python_folder() / f"_sources/{name}.rst.txt").read_text(encoding="utf-8")
    settings = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False}
    tree = publish_doctree(source, settings_overrides=settings)
    title = next(tree.findall(nodes.title))
    parts = [part for part in _rst_parts(tree, 1) if part.text != title.astext()]
    return Document(squeezed(title.astext()), tuple(parts))


class _Described(Directive):
    """A function, class or the like: its signature, then what it does."""

    optional_arguments, final_argument_whitespace, has_content = 1, True, True
    option_spec = None

    def run(self) -> list[Any]:
        body = nodes.container()
        options = re.match(r"(?:[ \t]*:[\w-]+:.*\n?)*", "\n".join(self.content))
        skipped = options[0].count("\n") + bool(options[0] and not options[0].endswith("\n")) if options else 0
        self.state.nested_parse(self.content[skipped:], self.content_offset + skipped, body)
        signatures = [nodes.paragraph("", line.strip()) for line in self._signatures()]
        return [*signatures, *body.children]

    def _signatures(self) -> list[str]:
        text = self.arguments[0] if self.arguments else ""
        return re.sub(r"\\(.)", r"\1", text).split("\n") if self.name not in ("note", "seealso", "warning", "topic") else []


class _Versioned(_Described):
    """Since when something is so: the label is the site's, what follows the number the author's."""

    def _signatures(self) -> list[str]:
        words = self.arguments[0].split("\n", 1)[0].split(None, 1) if self.arguments else []
        return words[1:]


class _Code(Directive):
    optional_arguments, final_argument_whitespace, has_content = 1, True, True

    def run(self) -> list[Any]:
        lines = [line for line in self.content if not re.match(r":[\w-]+:", line)]
        return [nodes.literal_block("", "\n".join(lines).strip("\n"))]


class _Nothing(Directive):
    optional_arguments, final_argument_whitespace, has_content = 1, True, True

    def run(self) -> list[Any]:
        return []


@cache
def _register() -> None:
    """Sphinx's directives and roles, as far as their text is shown."""
    for name in ("function", "class", "method", "classmethod", "staticmethod", "attribute", "data", "exception", "decorator"):
        directives.register_directive(name, _Described)
    for name in ("seealso", "impl-detail", "decoratormethod", "describe", "note", "warning", "topic"):
        directives.register_directive(name, _Described)
    for name in ("versionadded", "versionchanged", "deprecated"):
        directives.register_directive(name, _Versioned)
    for name in ("doctest", "code-block", "testcode", "sourcecode"):
        directives.register_directive(name, _Code)
    for name in (
        "index",
        "module",
        "moduleauthor",
        "sectionauthor",
        "testsetup",
        "currentmodule",
        "highlight",
        "toctree",
        "only",
    ):
        directives.register_directive(name, _Nothing)
    for name in (
        *("attr", "class", "command", "const", "data", "dfn", "exc", "func", "keyword", "meth", "mod", "ref", "rfc", "source"),
        *("term", "option", "envvar", "file", "program", "pep", "samp", "doc", "issue", "kbd", "c:func", "c:type", "opcode"),
    ):
        roles.register_local_role(name, _role)


def _role(_name: str, _raw: str, text: str, *_rest: Any, **_options: Any) -> tuple[list[Any], list[Any]]:
    titled = re.fullmatch(r"(.*?)\s*<[^>]+>", text, re.DOTALL)
    shown = titled[1] if titled else text.rsplit(".", 1)[-1] if text.startswith("~") else text.lstrip("!")
    return [nodes.literal("", squeezed(shown))], []


def _rst_parts(node: Any, level: int) -> Iterator[Part]:
    if isinstance(node, (nodes.comment, nodes.system_message, nodes.target, nodes.substitution_definition)):
        return
    if isinstance(node, nodes.title):
        yield Part("heading", squeezed(node.astext()), level=level)
    elif isinstance(node, (nodes.literal_block, nodes.doctest_block)):
        yield Part("code", node.astext())
    elif isinstance(node, nodes.row):
        cells = [squeezed(" ".join(child.astext() for child in entry.children)) for entry in node.children]
        yield row(*cells)
    elif isinstance(node, (nodes.paragraph, nodes.term)):
        inside = isinstance(node.parent, nodes.list_item)
        yield Part("item" if inside else "text", squeezed(node.astext()), links=_references(node))
    else:
        for child in node.children:
            yield from _rst_parts(child, level + isinstance(node, nodes.section))


def _references(node: Any) -> tuple[str, ...]:
    return tuple(squeezed(link.astext()) for link in node.findall(nodes.reference) if squeezed(link.astext()))
