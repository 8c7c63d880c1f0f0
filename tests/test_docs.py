"""What the documents promise: every runbook that an alarm names exists, every link in them leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from building_blocks.alarms import Runbook

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("runbook", Runbook, ids=lambda runbook: runbook.value)
def test_a_runbook_that_an_alarm_names_is_there_and_listed(runbook: Runbook) -> None:
    assert (ROOT / "docs" / "runbooks" / runbook.value).is_file()
    assert runbook.value in (ROOT / "docs" / "runbooks" / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_decision_is_listed_under_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = [line for line in (folder / "README.md").read_text().splitlines() if line.startswith("- ")]
    titles = {file: file.read_text().splitlines()[0].removeprefix("# ") for file in sorted(folder.glob("[0-9]*.md"))}
    assert listed == [f"- {title.replace('. ', ': [', 1)}]({file.name})" for file, title in titles.items()]
