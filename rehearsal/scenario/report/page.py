"""Render the findings as self-contained HTML pages; decides nothing."""

from __future__ import annotations

from pathlib import Path

import jinja2
import markupsafe

from rehearsal.scenario.report.findings import Findings, histogram, quantile
from reports.pages.page import INDEX

DELAY_BINS = 12


def tables_page(name: str) -> str:
    """The name of the page about tables beside the first page, `name`."""
    return _beside(name, "tables")


def warehouse_page(name: str) -> str:
    """The name of the page about the warehouse beside the first page, `name`."""
    return _beside(name, "warehouse")


def orchestration_page(name: str) -> str:
    """The name of the page about DAG runs beside the first page, `name`."""
    return _beside(name, "orchestration")


def reports_folder(name: str) -> str:
    """The name of the folder with the reports' pages beside the first page, `name`."""
    return _beside(name, "reports").removesuffix(".html")


def logs_folder(name: str) -> str:
    """The name of the folder with the logs of DAG runs beside the first page, `name`."""
    return orchestration_page(name).removesuffix(".html") + "-logs"


def _beside(name: str, part: str) -> str:
    stem = name.removesuffix(".html")
    return f"{part}.html" if stem == "index" else f"{stem}-{part}.html"


def render(findings: Findings, *, name: str = "index.html") -> dict[str, str]:
    """The pages by the name of their file, with nothing to load from elsewhere; `name` is that of the first.

    The logs that the page about DAG runs leads to are among them, and the reports, in a folder each.
    """
    tables, warehouse, orchestration = tables_page(name), warehouse_page(name), orchestration_page(name)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["bytes"] = _bytes
    environment.filters["tail"] = _tail
    environment.filters["breakable"] = lambda text: markupsafe.escape(text).replace("_", markupsafe.Markup("_<wbr>"))
    pages = {
        name: environment.get_template("page.html.j2").render(
            findings=findings,
            tables_page=tables,
            warehouse_page=warehouse,
            orchestration_page=orchestration,
            reports_page=f"{reports_folder(name)}/{INDEX}",
            delay_bins=histogram(findings.delays_s, bins=DELAY_BINS),
            delay={share: quantile(findings.delays_s, share) for share in (0.5, 0.95, 1.0)},
            sent=sum(line.sent for line in findings.account.lines),
            repeated=sum(line.repeated for line in findings.account.lines),
            real_s=sum(findings.phases.values()),
        )
    }
    if findings.tables is not None:
        pages[tables] = environment.get_template("tables.html.j2").render(findings=findings, first_page=name)
    if findings.warehouse is not None:
        pages[warehouse] = environment.get_template("warehouse.html.j2").render(
            findings=findings, first_page=name, tables_page=tables
        )
    if findings.orchestration is not None:
        folder = logs_folder(name)
        pages[orchestration] = environment.get_template("orchestration.html.j2").render(
            findings=findings, first_page=name, tables_page=tables, logs_folder=folder
        )
        pages |= {f"{folder}/{file}": text for file, text in findings.orchestration.logs.items()}
    if findings.reports is not None:
        pages |= {f"{reports_folder(name)}/{file}": text for file, text in findings.reports.pages.items()}
    return pages


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" or count >= 100 else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _tail(arn: str) -> str:
    """An ARN without what all ARNs of an account share."""
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn
