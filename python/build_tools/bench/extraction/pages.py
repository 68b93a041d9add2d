"""The pages that are read: of which kind, made by what of which text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ...steps import fingerprint
from . import generators, makers, texts
from .document import Document, from_json
from .makers import Make, magazine, mallard, shipped, shop, template
from .own_pages import (
    TEST_PAGES,
    answers,
    api,
    dashboard,
    kanban,
    lakes,
    lakes_grid,
    lakes_wiki,
    oscar_product,
    product,
    test_page,
    thread,
    told,
)
from .texts import FOLDER, faq, faq_folder, node, node_folder, own, python, python_folder
from .texts import mallard as gnome

PAGES = FOLDER / "pages"
HERE = Path(__file__).parent
READING = ("measure.py", "tables.py", "reading.py", "readability_alone.js", "result.py", "score.py", "__pycache__")


@dataclass(frozen=True)
class Page:
    """`document` is what the page should give; `allowed` are labels of its theme that it may give besides. `ready`: a selector
    that tells when a page that is made in the browser is there."""

    name: str
    kind: str
    made_by: str
    licence: str
    document: Callable[[], Document]
    make: Make
    allowed: tuple[str, ...] = ()
    ready: str = "body"


@dataclass(frozen=True)
class Made:
    """A page on the disk, and what it should give."""

    page: Page
    site: Path
    address: str
    document: Document


def make_all(only: Sequence[str] = ()) -> list[Made]:
    """Makes the pages that are not there yet, or those of some names; all anew when what makes them has changed."""
    now = fingerprint([*(path for path in HERE.iterdir() if path.name not in READING), TEST_PAGES])
    stamp = PAGES / "made-from"
    if not stamp.exists() or stamp.read_text() != now:
        shutil.rmtree(PAGES, ignore_errors=True)
        PAGES.mkdir(parents=True)
        stamp.write_text(now)
    pages = (*NEWS, *DOCS, *FORUM, *TABLE, *PRODUCT, *APP, *NON_LATIN, *RIGHT_TO_LEFT)
    return [_made(page) for page in pages if not only or page.name in only]


def _made(page: Page) -> Made:
    folder = PAGES / page.name
    note = folder / "made.json"
    if not note.exists():
        print(f"- {page.name}: {page.made_by} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        document = page.document()
        document = replace(document, allowed=(*document.allowed, *page.allowed))
        address = page.make(folder, document)
        note.write_text(json.dumps({"address": address, "document": document.to_json(), "packages": texts.VERSIONS}))
    kept = json.loads(note.read_text())
    texts.VERSIONS.update(kept["packages"])
    return Made(page, folder / "site", kept["address"], from_json(kept["document"]))


# ---- where the texts are from, and what themes add to them

OURS = "ours (MIT)"
NODE = "nodejs-doc (MIT)"
PYTHON = "python3.*-doc (PSF License 2)"
FAQ = "debian-faq-* (free to copy and change)"
GNOME = "gnome-user-docs (CC BY-SA 3.0)"

SPHINX = (
    "Note",
    "See also",
    "New in version 3.",
    "Changed in version 3.",
    "Deprecated since version 3.",
    "Warning",
    "¶",
    "Footnotes",
)
NODE_OWN = ("Copy", "js", "History", "text", "#", "Permalink to this heading", "Stability: 2 - Stable")
BLOG = ("By A. Writer", "2025-06-21", "Sat 21 June 2025", "June 21, 2025", "Posted on", "Posted in", "In", "news")
COURIER = ("By Henrike Maas, city desk", "21 June 2025, 08:00", "मीरा देशमुख", "२१ जून २०२५", "بقلم هناء المازني", "٢١ يونيو ٢٠٢٥")
MACHINA = ("By: ", "on June 21, 2025, 8 a.m.")
BAKERS = ("rye_and_shine 12 posts", "rye_and_shine 13 posts", "old_miller 2,310 posts", "crumb.dev 87 posts")


def sphinx(theme: str) -> Make:
    return partial(generators.sphinx, theme=theme)


def mkdocs(theme: str) -> Make:
    return partial(generators.mkdocs, theme=theme)


def pelican(theme: str) -> Make:
    return partial(generators.pelican, theme=theme)


def hexo(theme: str) -> Make:
    return partial(generators.hexo, theme=theme)


def django(script: str, data: str) -> Make:
    return partial(generators.django_site, script=script, data=texts.OWN / f"{data}.json")


def text(name: str, language: str = "en") -> Callable[[], Document]:
    return partial(own, name, language)


def tested(name: str, kind: str, inside: str, allowed: tuple[str, ...] = ()) -> Page:
    """One of the pages that the tests of the page reader have, too."""
    make = shipped(lambda: TEST_PAGES, f"{name}.html")
    return Page(name, kind, "page of our tests", OURS, partial(test_page, name, inside), make, allowed)


# ---- the pages

NEWS = (
    Page("hexo-landscape", "news", "Hexo, theme Landscape", OURS, text("harbour-trams"), hexo("landscape"), BLOG),
    Page("hexo-next", "news", "Hexo, theme NexT", OURS, text("seed-library"), hexo("next"), BLOG),
    Page("pelican-notmyidea", "news", "Pelican, theme notmyidea", OURS, text("glacier-survey"), pelican("notmyidea"), BLOG),
    Page("pelican-reflex", "news", "Pelican, theme Reflex", OURS, text("harbour-trams"), pelican("reflex"), BLOG),
    Page("magazine", "news", "our template", OURS, text("glacier-survey"), magazine, COURIER),
    tested("sample-article", "news", "//article", ("Wildlife",)),
    tested("long-article", "news", "//article"),
)
HEAPQ, SORTING = "library/heapq", "howto/sorting"
DEBIAN_SPHINX = "Sphinx, as Debian ships it"
HEAPQ_PAGE, SORTING_PAGE = shipped(python_folder, f"{HEAPQ}.html"), shipped(python_folder, f"{SORTING}.html")
PATH_PAGE = shipped(node_folder, "path.html")
DOCS = (
    Page("python-heapq", "docs", DEBIAN_SPHINX, PYTHON, partial(python, HEAPQ), HEAPQ_PAGE, SPHINX),
    Page(
        "python-sorting",
        "docs",
        DEBIAN_SPHINX,
        PYTHON,
        partial(python, SORTING),
        shipped(python_folder, f"{SORTING}.html"),
        SPHINX,
    ),
    Page(
        "node-path",
        "docs",
        "Node's own, as Debian ships it",
        NODE,
        partial(node, "path"),
        shipped(node_folder, "path.html"),
        NODE_OWN,
    ),
    Page("sphinx-furo", "docs", "Sphinx, theme Furo", NODE, partial(node, "timers"), sphinx("furo")),
    Page("sphinx-rtd", "docs", "Sphinx, theme Read the Docs", NODE, partial(node, "tty"), sphinx("sphinx_rtd_theme")),
    Page("sphinx-pydata", "docs", "Sphinx, theme PyData", NODE, partial(node, "querystring"), sphinx("pydata_sphinx_theme")),
    Page("mkdocs-material", "docs", "MkDocs, theme Material", NODE, partial(node, "os"), mkdocs("material")),
    Page("mkdocs-bootstrap", "docs", "MkDocs, own theme", NODE, partial(node, "debugger"), mkdocs("mkdocs")),
    Page("vitepress", "docs", "VitePress", NODE, partial(node, "tracing"), generators.vitepress, ("Copy", "text")),
    Page("docsify", "docs", "Docsify, in the browser", NODE, partial(node, "inspector"), generators.docsify, ready="#main h1"),
    Page("notebook", "docs", "Jupyter's nbconvert", NODE, partial(node, "intl"), generators.notebook),
)
QUESTIONS = template("qa", t=told("compost"), answers=answers())
FORUM = (
    Page("machina", "forum", "django-machina", OURS, thread, django("django_forum", "compost"), MACHINA),
    Page("question-site", "forum", "our template", OURS, thread, QUESTIONS),
    Page("nested-board", "forum", "our template", OURS, thread, template("board", t=told("compost"))),
    tested("forum", "forum", "//*[@class = 'post']/*[@class = 'body']", BAKERS),
)
GRID = template("grid", {"tabulator": "tabulator-tables/dist"}, w=told("lakes"))
YELP = "Yelp's stylesheets"
MATERIAL = "MkDocs, theme Material"
INTRODUCTION = "shell-introduction"
SHORTCUTS = "shell-keyboard-shortcuts"
TABLE = (
    Page("datasette", "table", "Datasette", OURS, lakes, makers.datasette),
    Page("wiki-table", "table", "our template", OURS, lakes_wiki, template("wiki", w=told("lakes"))),
    Page("tabulator", "table", "Tabulator, in the browser", OURS, lakes_grid, GRID, ready="[data-ready]"),
    Page("gnome-shortcuts", "table", YELP, GNOME, partial(gnome, "C", SHORTCUTS), mallard("C", SHORTCUTS)),
    tested("table", "table", "//main"),
)
IN_COMPONENTS = partial(product, "backpack", with_questions=False)
COMPONENTS = shop("components", "backpack")
PRODUCT = (
    Page("oscar", "product", "django-oscar", OURS, oscar_product, django("django_shop", "backpack")),
    Page("shop", "product", "our template", OURS, partial(product, "kettle"), shop("shop", "kettle")),
    Page(
        "shop-components",
        "product",
        "our template, shadow DOM",
        OURS,
        IN_COMPONENTS,
        COMPONENTS,
        ready="[data-ready]",
    ),
)
SWAGGER = template("swagger", {"swagger": "swagger-ui-dist"}, api=told("ferry-api"))
RAPIDOC = template("rapidoc", {"rapidoc": "rapidoc/dist"}, api=told("ferry-api"))
APP = (
    Page("swagger", "app", "Swagger UI, in the browser", OURS, api, SWAGGER, ready=".opblock-description"),
    Page("rapidoc", "app", "RapiDoc, shadow DOM", OURS, partial(api, responses=1), RAPIDOC, ready="[data-ready]"),
    Page("dashboard", "app", "our template", OURS, dashboard, template("dashboard", d=told("depot"))),
    Page("kanban", "app", "our template", OURS, kanban, template("kanban", d=told("depot"))),
)
DOCBOOK = "DocBook, as Debian ships it"
JAPANESE = shipped(lambda: faq_folder("ja") / "ja", "software.ja.html")
CHINESE = shipped(lambda: faq_folder("zh-cn") / "zh-cn", "software.zh-cn.html")
CONNECT = "nautilus-connect"
NON_LATIN = (
    Page("faq-ja", "non-Latin", DOCBOOK, FAQ, partial(faq, "ja", 5), JAPANESE),
    Page("faq-zh-cn", "non-Latin", DOCBOOK, FAQ, partial(faq, "zh-cn", 5), CHINESE),
    Page("gnome-ru", "non-Latin", YELP, GNOME, partial(gnome, "ru", CONNECT), mallard("ru", CONNECT)),
    Page("mkdocs-ko", "non-Latin", MATERIAL, GNOME, partial(gnome, "ko", INTRODUCTION), mkdocs("material")),
    Page("sphinx-ta", "non-Latin", "Sphinx, theme Furo", GNOME, partial(gnome, "ta", "keyboard-nav"), sphinx("furo")),
    Page("hexo-el", "non-Latin", "Hexo, theme NexT", GNOME, partial(gnome, "el", "color-whatisspace"), hexo("next"), BLOG),
    Page("magazine-hi", "non-Latin", "our template", OURS, text("lighthouse-hi", "hi"), magazine, COURIER),
    tested("cjk", "non-Latin", "//article"),
)
ICONS = "status-icons"
RIGHT_TO_LEFT = (
    Page("gnome-fa", "right-to-left", YELP, GNOME, partial(gnome, "fa", ICONS), mallard("fa", ICONS)),
    Page(
        "mkdocs-fa",
        "right-to-left",
        "MkDocs, theme Material",
        GNOME,
        partial(gnome, "fa", INTRODUCTION),
        mkdocs("material"),
    ),
    Page("vitepress-fa", "right-to-left", "VitePress", GNOME, partial(gnome, "fa", "shell-exit"), generators.vitepress),
    Page("magazine-ar", "right-to-left", "our template", OURS, text("water-ar", "ar"), magazine, COURIER),
    Page("pelican-he", "right-to-left", "Pelican, theme smallweb", OURS, text("bakery-he", "he"), pelican("smallweb"), BLOG),
    Page("shop-ar", "right-to-left", "our template", OURS, partial(product, "lantern-ar"), shop("shop", "lantern-ar")),
    tested("rtl", "right-to-left", "//article"),
)
