"""Pages by templates of our own, as packages hold them, and by what runs in this process."""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader
from lxml import etree
from markupsafe import Markup

from . import texts
from .document import Document, Part
from .environment import NPM
from .generators import RIGHT_TO_LEFT
from .own_pages import told

Make = Callable[[Path, Document], str]
"""Writes a site into `site` below a folder, and returns the page's address in it."""


def template(name: str, packages: dict[str, str] | None = None, **values: Any) -> Make:
    """A page of our own, filled with `values`; beside it folders with what is in npm packages, by their names there."""

    def make(folder: Path, document: Document) -> str:
        site = folder / "site"
        site.mkdir(parents=True)
        environment = Environment(loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True)
        filled = environment.get_template(f"{name}.html.jinja").render(document=document, **values)
        (site / "index.html").write_text(filled, encoding="utf-8")
        for target, package in (packages or {}).items():
            shutil.copytree(NPM / "node_modules" / package, site / target)
        return "index.html"

    return make


def shop(name: str, data: str) -> Make:
    """A product in one of our shops."""
    p = told(data)
    return template(name, p=p, ui=told("shop-words")[p["language"]])


def magazine(folder: Path, document: Document) -> str:
    """An article in our newspaper."""
    direction = "rtl" if document.language in RIGHT_TO_LEFT else "ltr"
    words = told("magazine")[document.language]
    return template("magazine", ui=words, direction=direction, blocks=_html_blocks(document))(folder, document)


def _html_blocks(document: Document) -> list[Markup]:
    """The text as HTML, with tables and lists whole."""
    blocks: list[tuple[str, str]] = []
    for part in document.parts:
        kind = part.kind if part.kind in ("row", "item") else ""
        if kind and blocks and blocks[-1][0] == kind:
            blocks[-1] = (kind, blocks[-1][1] + _html(part))
        else:
            blocks.append((kind, _html(part)))
    around = {"row": "<table>{}</table>", "item": "<ul>{}</ul>", "": "{}"}
    return [Markup(around[kind].format(block)) for kind, block in blocks]


def _html(part: Part) -> str:
    if part.kind == "row":
        return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in part.cells) + "</tr>"
    shown = escape(part.text)
    for link in part.links:
        shown = shown.replace(escape(link), f'<a href="#">{escape(link)}</a>', 1)
    name = {"heading": f"h{part.level}", "text": "p", "item": "li", "code": "pre"}[part.kind]
    return f"<{name}>{shown}</{name}>"


def shipped(source: Callable[[], Path], address: str) -> Make:
    """A page as its package holds it."""

    def make(folder: Path, _document: Document) -> str:
        folder.mkdir(parents=True)
        (folder / "site").symlink_to(source())
        return address

    return make


def mallard(language: str, name: str) -> Make:
    """A page by Yelp's stylesheets, which write the file themselves."""

    def make(folder: Path, _document: Document) -> str:
        site = folder / "site"
        site.mkdir(parents=True)
        styles = texts.package("yelp-xsl") / "usr/share/yelp-xsl/xslt/mallard/html/mal2xhtml.xsl"
        transform = etree.XSLT(etree.parse(str(styles)))
        tree = etree.parse(str(texts.mallard_file(language, name)))
        tree.xinclude()
        with contextlib.chdir(site):  # where they write
            transform(tree)
        return f"{name}.xhtml"

    return make


def datasette(folder: Path, document: Document) -> str:
    """Datasette's page of a table in SQLite."""
    site = folder / "site"
    (site / "-/static").mkdir(parents=True)
    columns, *rows = [part.cells for part in document.parts]
    with sqlite3.connect(folder / "atlas.db") as database:
        database.execute("create table lakes (" + ", ".join(f'"{name}" text' for name in columns) + ")")
        database.executemany(f"insert into lakes values ({', '.join('?' * len(columns))})", rows)
    asyncio.run(_fetch(folder / "atlas.db", site))
    return "index.html"


async def _fetch(database: Path, site: Path) -> None:
    from datasette.app import Datasette

    client = cast(Any, Datasette)([str(database)], settings={"num_sql_threads": 1}).client
    (site / "index.html").write_text((await client.get("/atlas/lakes")).text)
    for name in ("app.css", "table.js", "datasette-manager.js", "mobile-column-actions.js"):
        (site / "-/static" / name).write_text((await client.get(f"/-/static/{name}")).text)
