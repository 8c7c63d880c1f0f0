"""docs/map.md tells the stacks as they are."""

import json
from pathlib import Path

from tests.stacks.assembly import Assembly

MAP = Path(__file__).resolve().parents[2] / "docs" / "map.md"


def _rows() -> dict[str, tuple[str, set[str]]]:
    """Stack → what for, depends on; from the table whose head starts with `Stack`."""
    lines = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in MAP.read_text().splitlines()]
    start = next(i for i, cells in enumerate(lines) if cells[0] == "Stack")
    rows = {}
    for cells in lines[start + 2 :]:
        if len(cells) != 3:
            break
        name = cells[0].split("]")[0].strip("[`")
        rows[name] = (cells[1], {each.strip(" `") for each in cells[2].split(",")} - {"—"})
    return rows


def test_the_map_has_one_row_per_stack_with_what_it_depends_on(assemblies: dict[str, Assembly]) -> None:
    manifest = json.loads((assemblies["prod"].folder / "manifest.json").read_text())["artifacts"]
    stacks = {id for id, artifact in manifest.items() if artifact["type"] == "aws:cloudformation:stack"}
    graph = {id: {need for need in manifest[id].get("dependencies", []) if need in stacks} for id in stacks}
    assert {name: needs for name, (_, needs) in _rows().items()} == graph


def _page(stack: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in stack).lstrip("-") + ".md"


def test_every_stack_has_a_page_and_the_map_links_it(assemblies: dict[str, Assembly]) -> None:
    text = MAP.read_text()
    for stack in assemblies["prod"].templates:
        page = _page(stack)
        assert (MAP.parent / "stacks" / page).is_file(), page
        assert f"(stacks/{page})" in text


def test_a_page_names_every_alarm_of_its_stack(assemblies: dict[str, Assembly]) -> None:
    for alarm in assemblies["prod"].resources("AWS::CloudWatch::Alarm"):
        page = _page(alarm.stack)
        runbook = alarm.properties["AlarmDescription"].partition("docs/runbooks/")[2]
        names = [
            each["MetricStat"]["Metric"]["MetricName"]
            for each in alarm.properties.get("Metrics", [])
            if "MetricStat" in each
        ]
        text = (MAP.parent / "stacks" / page).read_text()
        for name in names or [alarm.properties["MetricName"]]:
            row = [line for line in text.splitlines() if f"`{name}`" in line and runbook in line]
            assert row, f"{page} has no row for {name} with {runbook}"


def test_a_runbook_names_every_alarm_that_opens_it(assemblies: dict[str, Assembly]) -> None:
    silent = set()
    for alarm in assemblies["prod"].resources("AWS::CloudWatch::Alarm"):
        runbook = alarm.properties["AlarmDescription"].partition("docs/runbooks/")[2]
        text = (MAP.parent / "runbooks" / runbook).read_text()
        metrics = [each["MetricStat"]["Metric"] for each in alarm.properties.get("Metrics", []) if "MetricStat" in each]
        names = [metric["MetricName"] for metric in metrics] or [alarm.properties["MetricName"]]
        if not any(name in text for name in names):
            silent.add((runbook, *names))
    assert silent == set()
