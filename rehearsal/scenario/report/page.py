"""Render the findings as one self-contained HTML page; decides nothing."""

from __future__ import annotations

from pathlib import Path

import jinja2
import markupsafe

from rehearsal.scenario.report.findings import Findings, histogram, quantile

DELAY_BINS = 12


def render(findings: Findings) -> str:
    """The page, with nothing to load from elsewhere."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["tail"] = _tail
    environment.filters["breakable"] = lambda text: markupsafe.escape(text).replace("_", markupsafe.Markup("_<wbr>"))
    return environment.get_template("page.html.j2").render(
        findings=findings,
        delay_bins=histogram(findings.delays_s, bins=DELAY_BINS),
        delay={share: quantile(findings.delays_s, share) for share in (0.5, 0.95, 1.0)},
        sent=sum(line.sent for line in findings.account.lines),
        repeated=sum(line.repeated for line in findings.account.lines),
        real_s=sum(findings.phases.values()),
    )


def _tail(arn: str) -> str:
    """An ARN without what all ARNs of an account share."""
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn
