"""What the model writes reaches the page as text and harmless elements, never as markup, script or requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel

RENDER = """
const box = document.createElement("div");
for (const block of gallery.markdown.splitBlocks(arguments[0])) box.append(gallery.markdown.renderBlock(block.token));
document.body.append(box);
const names = [...box.querySelectorAll("*")].map((element) => element.localName);
const attributes = [...box.querySelectorAll("*")].flatMap((element) => element.getAttributeNames());
return {html: box.innerHTML, text: box.textContent, names, attributes};
"""
SAFE_NAMES = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
OUR_NAMES = {"div", "span", "button"}
SAFE_ATTRIBUTES = {
    *("href", "target", "rel", "title", "align", "start", "class", "dir", "tabindex", "role", "aria-label", "type")
}

MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='https://example.org'></iframe>",
    "<style>* { display: none }</style>",
    "<form action='https://example.org'><input name=a></form>",
    "<a href='javascript:alert(1)' onclick='alert(2)'>x</a>",
    "<b>bold</b> and <br> and <!-- comment -->",
    "<math><mi xlink:href='data:x,alert(1)'></math>",
    "<div>\n\nblock\n\n</div>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "</textarea><base href='https://example.org'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


@pytest.fixture(autouse=True)
def fresh(panel: Panel) -> None:
    panel.show("conversation")
    panel.run(
        "window.alerts = 0; window.alert = () => alerts++; window.violations = [];"
        "addEventListener('securitypolicyviolation', (event) => violations.push(event.blockedURI))"
    )


def assert_harmless(panel: Panel, result: dict[str, Any]) -> None:
    assert set(result["names"]) <= SAFE_NAMES | OUR_NAMES
    assert set(result["attributes"]) <= SAFE_ATTRIBUTES
    panel.settle()
    assert panel.run("return [alerts, violations]") == [0, []]


@pytest.mark.parametrize("source", MARKUP)
def test_markup_is_shown_as_it_was_written(panel: Panel, source: str) -> None:
    result = panel.run(RENDER, source)
    assert_harmless(panel, result)
    shown = panel.run("const t = document.createElement('textarea'); t.innerHTML = arguments[0]; return t.value", source)
    written = shown if source.startswith("&") else source
    assert "".join(result["text"].split()) == "".join(written.split())


@pytest.mark.parametrize("source", MARKUP)
def test_markup_inside_lists_tables_and_quotes_is_text(panel: Panel, source: str) -> None:
    line = source.replace("\n", " ").replace("|", "")
    for text in (
        f"- {line}",
        f"> {line}",
        f"| a |\n|---|\n| {line} |",
        f"**{line}**",
        f"# {line}",
        f"[{line}](https://a.example)",
    ):
        assert_harmless(panel, panel.run(RENDER, text))


@pytest.mark.parametrize("source", [mark for mark in MARKUP if "<" in mark])
def test_the_sanitizer_alone_lets_no_markup_do_harm(panel: Panel, source: str) -> None:
    """Past the parser's guard: a token that the parser renders as raw HTML.

    The sanitizer reads it in an inert document, where Chrome reports handlers and styles as violations of the CSP though
    they never reach the page; so only the result counts here.
    """
    script = """
        const box = document.createElement("div");
        box.append(gallery.markdown.renderBlock({type: "html", raw: arguments[0], text: arguments[0], block: true, pre: false}));
        document.body.append(box);
        return {names: [...box.querySelectorAll("*")].map((element) => element.localName),
                attributes: [...box.querySelectorAll("*")].flatMap((element) => element.getAttributeNames())};
    """
    result = panel.run(script, source)
    assert set(result["names"]) <= SAFE_NAMES
    assert set(result["attributes"]) <= SAFE_ATTRIBUTES
    panel.settle()
    assert panel.run("return alerts") == 0


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "chrome://settings",
        "/x",
        "//e.org",
    ],
)
def test_links_go_to_the_web_or_to_mail_only(panel: Panel, address: str) -> None:
    result = panel.run(RENDER, f"[click me]({address})")
    assert result["text"].strip() == "click me"
    assert "a" not in result["names"]


@pytest.mark.parametrize("address", ["https://example.org/a?b=c", "http://example.org/", "mailto:me@example.org"])
def test_links_open_apart_and_show_where_they_lead(panel: Panel, address: str) -> None:
    panel.run(RENDER, f'[click me]({address} "another title")')
    link = panel.run("""
        const link = [...document.links].at(-1);
        return [link.getAttribute("href"), link.target, link.rel, link.title];
    """)
    assert link == [address, "_blank", "noopener noreferrer", address]


@pytest.mark.parametrize(
    "source",
    [
        "![chart](https://t.example/p.png?q=1)",
        "![chart][1]\n\n[1]: https://t.example/p.png?q=1",
        "[![chart](https://t.example/p.png?q=1)](https://a.example)",
    ],
)
def test_images_are_words_and_load_nothing(panel: Panel, source: str) -> None:
    panel.browser.execute_cdp_cmd("Network.enable", {})
    result = panel.run(RENDER, source)
    assert result["text"].strip() == "chart (https://t.example/p.png?q=1)"
    assert "img" not in result["names"]
    assert_harmless(panel, result)
    loaded = panel.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded and all(name.startswith(panel.address) for name in loaded)


def test_markdown_becomes_its_elements(panel: Panel) -> None:
    panel.show("markdown")
    count = "return [...arguments[0].split(' ')].map((name) => document.querySelectorAll('.prose ' + name).length)"
    assert panel.run(count, "h4 strong em del a ol ul pre table th blockquote hr") == [1, 1, 1, 1, 1, 1, 2, 1, 1, 4, 1, 1]
    aligned = panel.run("return [...document.querySelectorAll('th')].map((cell) => cell.align)")
    assert aligned == ["left", "right", "center", ""]


def test_headings_stay_below_the_panels_own(panel: Panel) -> None:
    assert panel.run(RENDER, "# one\n\n## two\n\n###### six")["names"] == ["h3", "h4", "h6"]


def test_an_ordered_list_keeps_its_first_number(panel: Panel) -> None:
    assert 'start="7"' in panel.run(RENDER, "7. seven\n8. eight")["html"]


def test_a_late_definition_makes_its_link(panel: Panel) -> None:
    panel.dispatch(
        {"type": "message", "message": {"id": "x", "role": "assistant", "state": "streaming", "text": "See [docs][1].\n\nMore."}},
        {"type": "delta", "id": "x", "text": "\n\n[1]: https://example.org/docs"},
    )
    assert panel.run("return document.querySelector('[data-id=x] a').href") == "https://example.org/docs"


def test_any_text_at_any_point_of_a_stream_is_harmless(panel: Panel) -> None:
    """Every prefix of a text with all of markdown's marks: nothing throws, nothing but safe elements."""
    source = "".join(MARKUP) + "\n# a\n- b\n  1. c\n> d\n```x\ne\n~~~\n| f |\n|-|\n| `g` |\n[h](<i>)![j](k)<l@m.n>**o*_p__~~q\\"
    result = panel.run(
        """
        const names = new Set(), attributes = new Set();
        for (let end = 1; end <= arguments[0].length; end++) {
          for (const block of gallery.markdown.splitBlocks(arguments[0].slice(0, end))) {
            const fragment = gallery.markdown.renderBlock(block.token);
            for (const element of fragment.querySelectorAll("*")) {
              names.add(element.localName);
              for (const name of element.getAttributeNames()) attributes.add(name);
            }
          }
        }
        return {names: [...names], attributes: [...attributes]};
        """,
        source,
    )
    assert_harmless(panel, result)


def test_users_text_is_never_markup(panel: Panel) -> None:
    text = "<b>x</b> **y** <script>alert(1)</script>\n[z](https://example.org)"
    panel.dispatch({"type": "message", "message": {"id": "u9", "role": "user", "state": "done", "text": text}})
    bubble = panel.run("return document.querySelector('[data-id=u9] [data-testid=message-text]').innerHTML")
    assert "<" not in bubble
    assert panel.run("return document.querySelector('[data-id=u9] [data-testid=message-text]').textContent") == text


def test_words_of_titles_notes_and_errors_are_text(panel: Panel) -> None:
    bad = "<img src=x onerror=alert(1)>"
    message = {
        "id": "x",
        "role": "assistant",
        "state": "error",
        "text": "",
        "notes": [bad],
        "error": {"title": bad, "detail": bad},
        "source": {"title": bad, "url": "javascript:alert(1)", "words": 3},
        "sections": [{"title": bad, "state": "streaming", "text": bad}],
    }
    panel.dispatch({"type": "message", "message": message}, {"type": "notice", "level": "error", "text": bad})
    assert panel.run("return document.querySelectorAll('img').length") == 0
    assert panel.run("return document.querySelectorAll('a[data-testid=source]').length") == 0
    assert panel.run("return document.body.innerText").count(bad) >= 6, json.dumps(message)
    assert panel.run("return [alerts, violations]") == [0, []]
