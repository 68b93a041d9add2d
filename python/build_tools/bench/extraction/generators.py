"""Pages by the generators that sites are made with: each function writes a site below a folder and returns the page's address."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ...paths import PYTHON
from ...steps import BuildError
from .document import Document
from .environment import NPM
from .markdown import to_markdown

DATE = "2025-06-21"
OTHERS = ("Getting started", "Frequently asked questions", "Glossary", "Release notes", "About this site")
RIGHT_TO_LEFT = ("ar", "fa", "he")


def sphinx(folder: Path, document: Document, theme: str) -> str:
    """Sphinx with a theme, of Markdown through MyST."""
    source = folder / "source"
    names = _write_pages(source, document)
    contents = "\n".join(["# Contents", "", "```{toctree}", *names, "```", ""])
    (source / "index.md").write_text(contents, encoding="utf-8")
    (source / "conf.py").write_text(
        f"project = 'Handbook'\nextensions = ['myst_parser']\nhtml_theme = {theme!r}\nlanguage = {document.language!r}\n"
        "suppress_warnings = ['myst.header', 'myst.xref_missing']\n"
    )
    _python("sphinx", "-q", "-b", "html", source, folder / "site")
    return "page.html"


def mkdocs(folder: Path, document: Document, theme: str) -> str:
    """MkDocs with a theme."""
    names = _write_pages(folder / "source", document, home="index")
    theme_options: dict[str, Any] = {"name": theme}
    if theme == "material":
        theme_options |= {"language": document.language, "features": ["navigation.tabs", "navigation.footer", "toc.follow"]}
        theme_options |= {"direction": "rtl"} if document.language in RIGHT_TO_LEFT else {}
    settings = {
        "site_name": "Handbook",
        "site_url": "",
        "docs_dir": str(folder / "source"),
        "theme": theme_options,
        "repo_url": "https://example.org/handbook",
        "copyright": "© The authors of the handbook",
        "nav": [{_label(name): f"{name}.md"} for name in ["index", *names]],
    }
    (folder / "mkdocs.yml").write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    _python("mkdocs", "build", "-q", "-f", folder / "mkdocs.yml", "-d", folder / "site", env={"NO_MKDOCS_2_WARNING": "1"})
    return "page/"


def pelican(folder: Path, document: Document, theme: str) -> str:
    """Pelican, a blog, with a theme."""
    source = folder / "source"
    source.mkdir(parents=True)
    common = "Category: News\nTags: harbour, garden\nAuthor: A. Writer\n"
    for at, name in enumerate(OTHERS):
        header = f"Title: {name}\nDate: 2025-05-{10 + at}\n{common}Slug: other-{at}\n\n"
        (source / f"other-{at}.md").write_text(header + _filler(name), encoding="utf-8")
    header = f"Title: {document.title}\nDate: {DATE}\n{common}Slug: page\n\n"
    (source / "page.md").write_text(header + _without_title(document), encoding="utf-8")
    settings: dict[str, Any] = {
        "SITENAME": "The Morning Tide",
        "SITEURL": "",
        "TIMEZONE": "UTC",
        "DEFAULT_LANG": document.language,
        "FEED_ALL_ATOM": None,
        "CC_LICENSE": None,
        "LINKS": (("Weather", "#"), ("Tides", "#")),
        "SOCIAL": (("Mastodon", "#"), ("Feed", "#")),
        "DEFAULT_PAGINATION": 10,
        "THEME": _pelican_theme(theme),
        "MARKDOWN": {"extensions": ["extra"]},
    }
    (folder / "settings.py").write_text("\n".join(f"{name} = {value!r}" for name, value in settings.items()), encoding="utf-8")
    _python("pelican", source, "-o", folder / "site", "-s", folder / "settings.py", "-q")
    return "page.html"


def _pelican_theme(name: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", f"import pelican.themes.{name} as theme; print(theme.path())"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or name


def hexo(folder: Path, document: Document, theme: str) -> str:
    """Hexo, a blog, with a theme from npm."""
    posts = folder / "source" / "_posts"
    posts.mkdir(parents=True)
    common = "tags: [harbour, garden]\ncategories: [news]\n---\n"
    for at, name in enumerate(OTHERS):
        front = f"---\ntitle: {name}\ndate: 2025-05-{10 + at} 08:00:00\n{common}"
        (posts / f"other-{at}.md").write_text(front + _filler(name), encoding="utf-8")
    front = f"---\ntitle: {json.dumps(document.title, ensure_ascii=False)}\ndate: {DATE} 08:00:00\n{common}"
    (posts / "page.md").write_text(front + _without_title(document), encoding="utf-8")
    settings = {
        "title": "The Morning Tide",
        "author": "A. Writer",
        "language": document.language,
        "timezone": "UTC",
        "url": "http://example.org",
        "permalink": ":title/",
        "theme": theme,
    }
    (folder / "_config.yml").write_text(json.dumps(settings), encoding="utf-8")
    packages = json.loads((NPM / "package.json").read_text())
    (folder / "package.json").write_text(json.dumps({**packages, "hexo": {"version": packages["dependencies"]["hexo"]}}))
    (folder / "node_modules").symlink_to(NPM / "node_modules")
    _run(["node", NPM / "node_modules/hexo/bin/hexo", "generate", "--silent"], folder)
    shutil.move(folder / "public", folder / "site")
    return "page/"


def vitepress(folder: Path, document: Document) -> str:
    """VitePress with its own theme."""
    names = _write_pages(folder / "source", document, home="index")
    (folder / "source/.vitepress").mkdir()
    items = [{"text": _label(name), "link": f"/{name}"} for name in names]
    settings = {
        "title": "Handbook",
        "lang": document.language,
        "dir": "rtl" if document.language in RIGHT_TO_LEFT else "ltr",
        "ignoreDeadLinks": True,
        "outDir": str(folder / "site"),
        "themeConfig": {
            "nav": items[:3],
            "sidebar": [{"text": "All pages", "items": items}],
            "footer": {"message": "Released freely."},
        },
    }
    (folder / "source/.vitepress/config.mjs").write_text(f"export default {json.dumps(settings)};", encoding="utf-8")
    (folder / "node_modules").symlink_to(NPM / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    _run(["node", NPM / "node_modules/vitepress/bin/vitepress.js", "build", "source"], folder)
    return "page.html"


def docsify(folder: Path, document: Document) -> str:
    """Docsify, which makes the page in the browser."""
    names = _write_pages(folder / "site", document, home="README")
    (folder / "site/_sidebar.md").write_text("\n".join(f"- [{_label(name)}]({name}.md)" for name in names))
    shutil.copytree(NPM / "node_modules/docsify", folder / "site/docsify")
    script = "window.$docsify = { name: 'Handbook', loadSidebar: true, repo: 'https://example.org', subMaxLevel: 2 };"
    (folder / "site/index.html").write_text(
        f'<!doctype html><html lang="{document.language}"><head><meta charset="utf-8"><title>{document.title}</title>'
        f'<link rel="stylesheet" href="docsify/lib/themes/vue.css"></head><body><div id="app"></div><script>{script}</script>'
        '<script src="docsify/lib/docsify.min.js"></script></body></html>'
    )
    return "index.html#/page"


def notebook(folder: Path, document: Document) -> str:
    """Jupyter's nbconvert: text in Markdown cells, code in cells of its own."""
    cells: list[dict[str, Any]] = []
    text: list[Any] = []
    for part in [*document.parts, None]:
        if part is None or part.kind == "code":
            source = to_markdown(Document(document.title, tuple(text)))
            source = source if not cells else source.split("\n\n", 1)[-1]
            cells.append({"cell_type": "markdown", "id": f"m{len(cells)}", "metadata": {}, "source": source})
            text = []
        if part and part.kind == "code":
            cell = {"cell_type": "code", "id": f"c{len(cells)}", "metadata": {}, "execution_count": len(cells), "outputs": []}
            cells.append({**cell, "source": part.text})
        elif part:
            text.append(part)
    folder.mkdir(parents=True)
    kernel = {"kernelspec": {"name": "javascript", "display_name": "JavaScript"}, "language_info": {"name": "javascript"}}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (folder / "page.ipynb").write_text(json.dumps(book, ensure_ascii=False), encoding="utf-8")
    _python(
        *("nbconvert", "--to", "html", "--output-dir", folder / "site", folder / "page.ipynb"),
        env={"JUPYTER_PLATFORM_DIRS": "1"},
    )
    return "page.html"


def django_site(folder: Path, _document: Document, script: str, data: Path) -> str:
    """A page of a Django application: of the forum or of the shop, see django_forum.py and django_shop.py."""
    (folder / "site").mkdir(parents=True)
    _python(f"build_tools.bench.extraction.{script}", folder / "site", data)
    return "index.html"


def _write_pages(folder: Path, document: Document, home: str = "") -> list[str]:
    """The page and a few beside it, which fill menus; returns their names without ending."""
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for name in OTHERS:
        names.append(name.lower().replace(" ", "-"))
        (folder / f"{names[-1]}.md").write_text(f"# {name}\n\n{_filler(name)}\n\n## More of it\n\n{_filler(name)}")
    if home:
        (folder / f"{home}.md").write_text(f"# Handbook\n\n{_filler('The handbook')}")
    (folder / "page.md").write_text(to_markdown(document), encoding="utf-8")
    return [*names[:2], "page", *names[2:]]


def _label(name: str) -> str:
    return name.replace("-", " ").title()


def _filler(name: str) -> str:
    return f"{name} is another page of this site, which stands here so that menus, lists and links have something to show."


def _without_title(document: Document) -> str:
    return to_markdown(document).split("\n\n", 1)[1]


def _python(module: str, *arguments: str | Path, env: dict[str, str] | None = None) -> None:
    _run([sys.executable, "-m", module, *arguments], None, env)


def _run(command: list[str | Path], folder: Path | None, env: dict[str, str] | None = None) -> None:
    words = [str(word) for word in command]
    environment = {
        **os.environ,
        "PYTHONPATH": str(PYTHON),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "1750464000",
        **(env or {}),
    }
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(words)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
