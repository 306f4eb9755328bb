"""A web browser without a window, driven by Playwright: Debian's Chromium, not one that Playwright downloads."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")


@pytest.fixture(scope="session")
def chromium():
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} is installed (scripts/setup.sh test installs the first)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


class Watched:
    """A page, and whatever a console or a network would show of it."""

    def __init__(self, context):
        self.page = context.new_page()
        self.problems, self.requests = [], []
        self.page.on("console", lambda said: self.problems.append(said.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, report):
        self.page.goto(report.as_uri())
        return self

    def loaded(self, planes):
        """Waits until so many planes are decoded."""
        self.page.wait_for_selector(f'#browser[data-planes="{planes}"]', timeout=60_000)
        self.drawn()
        return self

    def drawn(self):
        """Waits for the next two frames: what was asked for is drawn then."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def part(self, name):
        return self.page.locator(f'#browser [data-part="{name}"]')

    def reading(self):
        self.drawn()
        return self.part("reading").inner_text()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self.reading()

    def pixels(self, screen):
        """What a picture shows: red, green and blue of each pixel, as height x width x 4 numbers."""
        self.drawn()
        return self.page.evaluate(
            """(name) => {
              const canvas = document.querySelector(`[data-part="${name}"] canvas`);
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              return { width: canvas.width, height: canvas.height, data: [...data] };
            }""",
            screen,
        )


@pytest.fixture
def watched(chromium):
    """Opens reports: a function of a file, and of the context's options."""
    contexts = []

    def open_report(report, planes=None, **options):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = Watched(context).open(report)
        return page if planes is None else page.loaded(planes)

    yield open_report
    for context in contexts:
        context.close()
