"""What a page says and how it is built, read by the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "br", "link", "img", "input", "hr"}
_SKIPPED = {"style", "title"}


@dataclass
class Page:
    """The page's elements as (name, attributes), its text, its headings as (level, text), and what is wrong with it."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    headings: list[tuple[int, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def all(self, name: str) -> list[dict[str, str]]:
        """The attributes of all elements called `name`."""
        return [attributes for found, attributes in self.elements if found == name]


def read(html: str) -> Page:
    """Read a page; no-break spaces come out as spaces, and white space as one of them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    page = reader.page
    page.wrong += [f"<{name}> is not closed" for name in reader.open]
    page.text = " ".join(page.text.replace("\N{NO-BREAK SPACE}", " ").split())
    return page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.page.wrong.append(f"<{tag}> repeats an attribute: {names}")
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.page.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.page.wrong.append(f"</{tag}> closes {self.open[-1:] or 'nothing'}")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in _SKIPPED:
            self.page.text += f" {data}"
        if self.page.headings and any(len(tag) == 2 and tag[0] == "h" for tag in self.open if tag != "th"):
            level, said = self.page.headings[-1]
            self.page.headings[-1] = (level, said + data)
