"""Draw icons/icon-{16,32,48,128}.png from icons/icon.svg with Chromium; run after changing the SVG."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gallery.server import ROOT, open_chromium


def main() -> None:
    """Open the SVG at each size and save what is seen, with a transparent ground."""
    source = ROOT / "icons" / "icon.svg"
    with open_chromium() as browser:
        browser.execute_cdp_cmd("Emulation.setDefaultBackgroundColorOverride", {"color": {"r": 0, "g": 0, "b": 0, "a": 0}})
        for size in (16, 32, 48, 128):
            shape = {"width": size, "height": size, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
            browser.get(source.as_uri())
            picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
            source.with_name(f"icon-{size}.png").write_bytes(base64.b64decode(picture))


if __name__ == "__main__":
    main()
