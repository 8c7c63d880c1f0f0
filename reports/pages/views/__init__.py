"""What each report says of its rows, one module a report; writes no HTML. A new report goes into REPORTS."""

from __future__ import annotations

from reports.pages.parts import Report
from reports.pages.views import categories, creators, engagement, experiments, flash, health, review, trending

REPORTS: tuple[Report, ...] = (
    flash.REPORT,
    review.WEEK,
    review.MONTH,
    engagement.REPORT,
    trending.REPORT,
    experiments.REPORT,
    creators.REPORT,
    categories.REPORT,
    health.REPORT,
)
"""All reports, in the order in which pages lead to them; the first gives each day of the index its sentence."""
