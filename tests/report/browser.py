"""A real browser without a window, for tests and for the pictures in README.

    python tests/report/browser.py output/demo/report.html docs/images

takes docs/images/report-*.png of a page.
"""

import base64
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np


class NoBrowserError(Exception):
    """There is no browser, or nothing to drive it with."""


class Browser:
    """Chromium, driven by Selenium. Nothing is downloaded for it."""

    def __init__(self):
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        driver = shutil.which("chromedriver")
        if program is None or driver is None:
            raise NoBrowserError(
                "no chromium and chromedriver on this machine; apt-get install chromium chromium-driver"
            )
        try:
            from selenium import webdriver
        except ImportError as error:
            raise NoBrowserError("no selenium: pip install selenium") from error
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

    def open(self, page, width=1100, height=900, scheme="light", media="", script=True, scale=1):
        """Open a file or an address as a screen of that size, or a printer, shows it; return what the console says."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
        self.tell("Emulation.setDeviceMetricsOverride", **size)
        self.tell(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme},
                                                                {"name": "prefers-reduced-motion", "value": "reduce"}]
        )  # fmt: skip
        self.tell("Emulation.setScriptExecutionDisabled", value=not script)
        self.driver.get(page if str(page).startswith("http:") else Path(page).absolute().as_uri())
        return self.driver.get_log("browser")

    def tell(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def close(self):
        self.driver.quit()

    def load_images(self):
        """Wait until the images are decoded that are not on the screen, too."""
        self.driver.execute_async_script(
            "Promise.all([...document.images].map((i) => i.decode())).then(() => arguments[0]())"
        )

    def picture(self, first, last=None):
        """Return the page from the top of an element to that of another, or to the first one's end, as an image."""
        self.load_images()
        top, bottom = self.run(
            """const [first, last] = arguments;
            const box = (s) => document.querySelector(s).getBoundingClientRect();
            return [box(first).top + scrollY, (last ? box(last).top : box(first).bottom) + scrollY];""",
            first, last,
        )  # fmt: skip
        clip = {"x": 0, "y": top, "width": self.run("return innerWidth"), "height": bottom - top, "scale": 1}
        data = self.tell("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


PICTURES = {
    "answer": ("body", "#data", {}),
    "input": ("#feeding", "#learning", {}),
    "training": ("#learning", "#outcome", {"scheme": "dark"}),
    "pictures": ("form[data-table=uncertain]", "#uncertain tbody tr:nth-child(7)", {}),
}


def take_pictures(page, folder):
    """Write report-*.png of a page into a folder, in few colours: they are small files."""
    from PIL import Image

    browser = Browser()
    try:
        for name, (first, last, options) in PICTURES.items():
            browser.open(page, **({"width": 1000} | options))
            image = browser.picture(first, last)[:2200, :, ::-1]
            path = Path(folder) / f"report-{name}.png"
            Image.fromarray(np.ascontiguousarray(image)).quantize(256).save(path, optimize=True)
            print(f"wrote {path} ({path.stat().st_size / 1000:.0f} kB)")
    finally:
        browser.close()


if __name__ == "__main__":
    take_pictures(*sys.argv[1:3])
