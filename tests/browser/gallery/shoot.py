"""Screenshots of every state of the panel, light and dark, into build/gallery/.

Usage: python tests/browser/gallery/shoot.py [SCENE ...] [--width 360] [--height 720] [--forced-colors]
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from selenium import webdriver

sys.path.insert(0, str(Path(__file__).parent.parent))

from gallery.server import OUT, build, open_chromium, serve


def media(browser: webdriver.Chrome, scheme: str, forced_colors: bool) -> None:
    """Make the page believe in a colour scheme, and in high contrast if asked."""
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
        {"name": "forced-colors", "value": "active" if forced_colors else "none"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def shoot(browser: webdriver.Chrome, path: Path) -> None:
    """Write a PNG of what the window shows, once two frames have passed."""
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    path.write_bytes(base64.b64decode(picture))


def main() -> None:
    """Build the gallery, open each scene in each scheme, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--width", type=int, default=360)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--schemes", default="light,dark")
    parser.add_argument("--forced-colors", action="store_true")
    options = parser.parse_args()
    build()
    with serve() as address, open_chromium(options.width, options.height) as browser:
        browser.get(f"{address}/gallery.html")
        scenes = options.scenes or browser.execute_script("return window.gallery.scenes")
        for scene in scenes:
            for scheme in options.schemes.split(","):
                media(browser, scheme, options.forced_colors)
                browser.get(f"{address}/gallery.html?scene={scene}")
                contrast = "-contrast" if options.forced_colors else ""
                path = OUT / f"{scene}-{options.width}-{scheme}{contrast}.png"
                shoot(browser, path)
                print(path)


if __name__ == "__main__":
    main()
