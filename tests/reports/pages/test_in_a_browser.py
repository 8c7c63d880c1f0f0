"""Pages in a real browser: axe finds nothing, at the width of a phone and of a desk, in light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="pages are templates, for which requirements-dev.txt brings jinja2")

from reports.pages import page
from reports.pages.parts import Day
from reports.pages.views import REPORTS
from tests.reports.pages import browser as browsers
from tests.reports.pages import examples
from tests.reports.pages.examples import DAY

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
# What is asked for is what WCAG 2.2 AA asks for, and axe's own best practices (landmarks, heading order).
_JUDGE = """
(async () => {
  const found = await axe.run(document, {
    resultTypes: ["violations"],
    preload: false,
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return {
    violations: found.violations.map(one => one.id + ": " + one.nodes.map(node => node.html.slice(0, 160)).join(" | ")),
    judged: found.passes.length,
    wider: document.documentElement.scrollWidth - innerWidth,
    background: getComputedStyle(document.body).backgroundColor,
  };
})()
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of every page, of a page without rows, and of the index."""
    folder, rows = tmp_path_factory.mktemp("pages"), examples.rows()
    html = {one.name: page.render(one.name, DAY, rows) for one in REPORTS}
    html["empty"] = page.render("flash", DAY, {})
    html["index"] = page.render_index([Day(day=DAY, reports=list(html), answer="An answer.")])
    files = {name: folder / f"{name}.html" for name in html}
    for name, file in files.items():
        file.write_text(html[name], encoding="utf-8")
    return files


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsers.Browser]:
    """One browser for all pages."""
    if browsers.executable() is None:
        pytest.skip(f"no browser on PATH: one of {', '.join(browsers.NAMES)}")
    if not AXE.exists():
        pytest.skip("node_modules has no axe-core: make node_modules/.ready installs what package.json pins")
    with browsers.browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def test_the_judge_is_the_one_that_is_pinned() -> None:
    if not AXE.exists():
        pytest.skip("node_modules has no axe-core: make node_modules/.ready installs what package.json pins")
    pinned = json.loads((AXE.parents[2] / "package.json").read_text())["devDependencies"]["axe-core"]
    assert json.loads((AXE.parent / "package.json").read_text())["version"] == pinned


def test_the_judge_finds_what_is_wrong(browser: browsers.Browser, tmp_path: Path) -> None:
    """A page with faults is found out, so that silence about ours means something."""
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<!doctype html><html><body><img src=x><p style='color:#ccc;background:#fff'>faint</p>")
    browser.open(wrong, width=390, dark=False)
    browser.evaluate(f"{AXE.read_text(encoding='utf-8')};0")
    found = {violation.split(":")[0] for violation in browser.evaluate(_JUDGE)["violations"]}
    assert {"image-alt", "html-has-lang", "color-contrast", "document-title"} <= found


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1440, True)], ids=["phone-light", "desk-dark"])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    width: int, dark: bool, browser: browsers.Browser, pages: dict[str, Path]
) -> None:
    """Colours do not depend on the width, nor places on the colours: two of four ways see every rule."""
    # The month is the week's view over more days.
    some = {name: file for name, file in pages.items() if name != "month"}
    _judge(browser, some, width=width, dark=dark, unfolded=False)


@pytest.mark.campaign
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_in_what_unfolds_either(
    width: int, dark: bool, browser: browsers.Browser, pages: dict[str, Path]
) -> None:
    _judge(browser, pages, width=width, dark=dark, unfolded=True)


def _judge(browser: browsers.Browser, pages: dict[str, Path], *, width: int, dark: bool, unfolded: bool) -> None:
    axe = AXE.read_text(encoding="utf-8")
    wrong = {}
    for name, page_file in pages.items():
        browser.open(page_file, width=width, dark=dark)
        browser.evaluate(f"document.querySelectorAll('details').forEach(one => one.open = {str(unfolded).lower()})")
        browser.evaluate(f"{axe};0")
        found = browser.evaluate(_JUDGE)
        assert found["judged"] > 15, name
        red, green, blue = map(int, re.findall(r"\d+", found["background"])[:3])
        assert (red + green + blue < 150) == dark, name
        if found["violations"] or found["wider"] > 0:
            wrong[name] = (found["violations"], found["wider"])
    assert wrong == {}


def test_a_page_is_read_without_a_pointer(browser: browsers.Browser, pages: dict[str, Path]) -> None:
    """The first key leads to the way past the menu, and what has the focus can be seen to have it."""
    browser.open(pages["flash"], width=1440, dark=False)
    for kind in ("rawKeyDown", "keyUp"):
        browser.command("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    focused = browser.evaluate(
        "(() => { const one = document.activeElement, style = getComputedStyle(one); "
        "return [one.getAttribute('href'), style.outlineStyle, parseInt(style.outlineWidth), one.offsetWidth > 9]; })()"
    )
    assert focused == ["#report", "solid", 3, True]
