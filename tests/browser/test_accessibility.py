"""axe-core over every state of the panel, light and dark: nothing serious or critical."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from gallery.server import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Colours are all that differ between the schemes, so the dark one is asked about them alone.
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"], ...arguments[0] }).then(
  ({ violations }) => done(violations.map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.map((node) => ({ html: node.html.slice(0, 160), why: node.failureSummary })),
  }))),
  (error) => done(String(error)),
);
"""


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        panel.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": AXE.read_text("utf-8")})
        yield panel


def paint(panel: Panel, scheme: str) -> None:
    """Make the page believe in a colour scheme, without transitions that axe would measure halfway."""
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    panel.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    panel.settle()


def barriers(panel: Panel, scheme: str) -> list[dict[str, Any]]:
    """What axe finds on the screen that is serious or critical: each {id, impact, nodes: [{html, why}]}."""
    paint(panel, scheme)
    found = panel.browser.execute_async_script(RUN_AXE, RULES[scheme])
    assert isinstance(found, list), found
    return [one for one in found if one["impact"] in ("serious", "critical")]


def test_no_state_of_the_panel_has_a_serious_barrier(panel: Panel) -> None:
    panel.show()
    found: dict[str, list[dict[str, Any]]] = {}
    for scene in panel.run("return gallery.scenes"):
        panel.show(scene)
        for scheme in RULES:
            if what := barriers(panel, scheme):
                found[f"{scene}, {scheme}"] = what
    assert not found, report(found)


@pytest.mark.parametrize(
    ("style", "markup", "rule"),
    [
        ("light-dark(#eee, #222)", "Words", "color-contrast"),
        ("inherit", "<button></button>", "button-name"),
    ],
)
def test_the_check_sees_a_barrier(panel: Panel, style: str, markup: str, rule: str) -> None:
    panel.show("empty")
    panel.run(
        "const box = document.createElement('p'); box.style.color = arguments[0]; box.innerHTML = arguments[1];"
        "document.getElementById('app').prepend(box)",
        style,
        markup,
    )
    assert [one["id"] for one in barriers(panel, "light")] == [rule]


def test_the_check_sees_colours_that_are_only_dark(panel: Panel) -> None:
    panel.show("empty")
    panel.run(
        "const box = document.createElement('p'); box.style.color = 'light-dark(#000, #222)'; box.textContent = 'Words';"
        "document.getElementById('app').prepend(box)"
    )
    assert barriers(panel, "light") == []
    assert [one["id"] for one in barriers(panel, "dark")] == ["color-contrast"]


def report(found: dict[str, list[dict[str, Any]]]) -> str:
    """The findings as lines, scene by scene."""
    lines = [
        f"{where}: {one['impact']} {one['id']}\n    {node['html']}\n    {node['why']}"
        for where, what in found.items()
        for one in what
        for node in one["nodes"]
    ]
    return "\n".join(lines)
