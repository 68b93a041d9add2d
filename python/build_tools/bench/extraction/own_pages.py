"""What the pages of our own templates, and those that are filled with our own data, should give."""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lxml import etree, html

from ...paths import ROOT
from .document import Document, Part, row, squeezed
from .texts import OWN

TEST_PAGES = ROOT / "tests" / "pages"
Told = dict[str, Any]


def told(name: str) -> Any:
    """The data that a page is filled with."""
    return json.loads((OWN / f"{name}.json").read_text(encoding="utf-8"))


# ---- shops


def product(name: str, with_questions: bool = True) -> Document:
    """A product in one of our two shops, the second of which gives the questions no heading."""
    p = told(name)
    words = told("shop-words")[p["language"]]
    parts = [Part("text", p["price"]), Part("text", p["stock"]), *(Part("item", point) for point in p["points"])]
    parts += [Part("heading", words["about"], 2), *(Part("text", text) for text in p["description"])]
    parts += [Part("heading", words["facts"], 2), *(row(*cells) for cells in p["specifications"])]
    parts += [Part("heading", words["questions"], 2)] if with_questions else []
    parts += [Part("text", text) for text in p["question"]]
    parts += [Part("heading", words["voices"], 2), *(Part("text", text) for _, text in p["reviews"])]
    return Document(p["name"], tuple(parts), p["language"], (p["maker"], *(who for who, _ in p["reviews"])))


def oscar_product() -> Document:
    """A product in django-oscar, which prints price and stock in its own words, and has no questions."""
    p = told("backpack")
    parts = [Part("text", p["price"]), *(Part("text", text) for text in p["description"])]
    parts += [*(Part("item", point) for point in p["points"]), *(row(*cells) for cells in p["specifications"])]
    parts += [Part("text", text) for _, text in p["reviews"]]
    labels = ("Product Description", "Product Information", "Customer Reviews", "In stock (9 available)", "Number of reviews 2")
    prices = ("Price (excl. tax) £129.00", "Price (incl. tax) £129.00", "Tax £0.00", "Product Type Outdoor", "Availability")
    names = [text for who, _ in p["reviews"] for text in (who, f"Reviewed by {who} on 21 Jun 2025")]
    return Document(p["name"], tuple(parts), allowed=(*labels, *prices, *names))


# ---- forums


def thread() -> Document:
    """All posts of a thread; who wrote them, when, and with how many votes may be left out."""
    t = told("compost")
    parts: list[Part] = []
    for post in t["posts"]:
        parts += [Part("text", text) for text in post["text"]] + [Part("item", text) for text in post["items"]]
        parts += [Part("code", post["code"])] if post["code"] else []
    labels = [str(post[name]) for post in t["posts"] for name in ("author", "when", "votes")]
    return Document(t["title"], tuple(parts), allowed=tuple(labels))


def answers() -> list[Told]:
    """The posts that answer the first, each with all that was said below it as its comments."""
    found: list[Told] = []
    for post in told("compost")["posts"][1:]:
        if post["parent"] == 0:
            found.append({**post, "comments": []})
        else:
            found[-1]["comments"].append(post)
    return found


# ---- apps


def dashboard() -> Document:
    """Figures, a table and a list of what happened."""
    d = told("depot")
    parts = [Part("text", text) for figure in d["figures"] for text in figure]
    parts += [Part("heading", "Orders of today", 2), row(*d["columns"]), *(row(*cells) for cells in d["rows"])]
    parts += [Part("heading", "What happened", 2), *(Part("item", text) for line in d["feed"] for text in line)]
    return Document(d["title"], tuple(parts))


def kanban() -> Document:
    """Columns of cards."""
    parts: list[Part] = []
    for name, cards in told("depot")["cards"].items():
        parts.append(Part("heading", name, 2))
        for title, text in cards:
            parts += [Part("heading", title, 3), Part("text", text)]
    return Document("Board of the morning shift", tuple(parts))


API_WORDS = (
    *(
        "GET",
        "POST",
        "Parameters",
        "Responses",
        "Name Description",
        "Code Description",
        "string",
        "(query)",
        "(path)",
        "required",
    ),
    *("Crossings", "Harbours", "200", "201", "404", "409", "REQUEST", "RESPONSE", "QUERY-STRING PARAMETERS", "PATH PARAMETERS"),
    *("required", "2.1.0", "OAS 3.0", "No links", "Links"),
)


def api(responses: int = 9) -> Document:
    """What a reference of an API has to say of it; how it says it differs too much to count headings. `responses`: how many it
    shows until one asks for the rest."""
    told_of = told("ferry-api")
    parts = [Part("text", told_of["info"]["description"])]
    for path, methods in told_of["paths"].items():
        for operation in methods.values():
            parts += [Part("text", text) for text in (path, operation["summary"], operation["description"])]
            for each in operation.get("parameters", []):
                parts += [Part("text", each["name"]), Part("text", each["description"])]
            parts += [Part("text", each["description"]) for each in [*operation["responses"].values()][:responses]]
    return Document(told_of["info"]["title"], tuple(parts), allowed=API_WORDS)


# ---- tables


def lakes() -> Document:
    """The table alone, as Datasette shows it beside numbers of its own."""
    w = told("lakes")
    table = [row(*w["columns"]), *(row(*cells) for cells in w["rows"])]
    numbers = [f"{at} {at}" for at in range(1, len(table))]
    return Document("lakes", tuple(table), allowed=(*numbers, "Link", "rowid"))


def lakes_grid() -> Document:
    """The table below a paragraph."""
    w = told("lakes")
    return Document(w["title"], (Part("text", w["lead"]), row(*w["columns"]), *(row(*cells) for cells in w["rows"])))


def lakes_wiki() -> Document:
    """An article of a wiki with a box and a table."""
    w = told("lakes")
    parts = [*(row(*cells) for cells in w["box"]), Part("text", w["lead"])]
    for name, text in w["sections"]:
        parts += [Part("heading", name, 2), Part("text", text)]
    parts += [Part("heading", "Table", 2), Part("text", "Lakes by their area"), row(*w["columns"])]
    parts += [replace(row(*cells), links=(cells[0],)) for cells in w["rows"]]
    return Document(w["title"], tuple(parts), allowed=("From the Highland Wiki, written by its readers",))


# ---- the pages of our tests


def test_page(name: str, inside: str) -> Document:
    """What stands in the elements (an XPath) that the page's author put the text into."""
    root = html.fromstring((TEST_PAGES / f"{name}.html").read_bytes())
    etree.strip_elements(root, "sup", with_tail=False)  # marks of footnotes
    titles = root.xpath("//h1")
    found = [part for element in root.xpath(inside) for part in _parts_of(element)]
    title = _shown(titles[0]) if titles else ""
    return Document(title, tuple(found), root.get("lang") or "en", tuple(root.xpath("//img/@alt")))


def _parts_of(element: Any) -> list[Part]:
    parts: list[Part] = []
    for each in element.iter("h2", "h3", "p", "li", "pre", "tr", "blockquote", "figcaption", "caption"):
        if each.tag == "pre":
            parts.append(Part("code", "\n".join(each.itertext()) if each.xpath(".//br") else each.text_content()))
        elif each.tag == "tr" and not each.xpath("ancestor::table[@role = 'presentation']"):
            parts.append(row(*(_shown(cell) for cell in each.iterchildren("td", "th"))))
        elif each.tag in ("h2", "h3"):
            parts.append(Part("heading", _shown(each), int(each.tag[1])))
        elif not each.xpath("ancestor::tr | ancestor::pre | descendant::p"):
            links = tuple(_shown(link) for link in each.iter("a") if _shown(link))
            parts.append(Part("item" if each.xpath("ancestor-or-self::li") else "text", _shown(each), links=links))
    return [part for part in parts if part.text.strip()]


def _shown(element: Any) -> str:
    """What is shown of an element, a word for each line of it; of an item, without the items in it."""
    if element.tag == "li":
        return squeezed(" ".join(element.xpath("./text() | ./*[not(self::ul or self::ol)]//text()")))
    return squeezed(" ".join(element.itertext()) if element.xpath(".//br | .//p | .//li | .//div") else element.text_content())
