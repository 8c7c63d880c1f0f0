"""Pages: they hold the rows' numbers, escape what came from outside, load nothing, and say what is not known."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date, timedelta
from itertools import pairwise

import pytest

pytest.importorskip("jinja2", reason="pages are templates, for which requirements-dev.txt brings jinja2")

from reports.pages import charts, page
from reports.pages.parts import Day
from reports.pages.views import REPORTS
from tests.reports.pages import examples, reading
from tests.reports.pages.examples import DAY

NAMES = [one.name for one in REPORTS]
EMPTY: examples.Rows = {}


@pytest.fixture(scope="module")
def rows() -> examples.Rows:
    """Rows of every table, for the whole module."""
    return examples.rows()


@pytest.fixture(scope="module")
def pages(rows: examples.Rows) -> dict[str, str]:
    """Every page, by its report; and the index."""
    made = {name: page.render(name, DAY, rows) for name in NAMES}
    made["index"] = page.render_index(
        [Day(day=DAY - timedelta(days=back), reports=NAMES, answer=examples.UGLY) for back in range(40)]
    )
    return made


def _nulls(rows: examples.Rows) -> examples.Rows:
    """The same rows, all of whose values but keys are null."""
    kept = {"day", "cohort_day", "first_day", "as_of", "show_id", "compared_with", "dimension", "category"}
    return {
        name: [{column: value if column in kept else None for column, value in row.items()} for row in of_table]
        for name, of_table in rows.items()
    }


def _all(rows: examples.Rows, pages: dict[str, str]) -> dict[str, str]:
    nulls = _nulls(rows)
    return (
        pages
        | {f"{name}, empty": page.render(name, DAY, EMPTY) for name in NAMES}
        | {f"{name}, null": page.render(name, DAY, nulls) for name in NAMES}
        | {"index, empty": page.render_index([])}
    )


def test_pages_are_well_formed_and_built_for_everybody(rows: examples.Rows, pages: dict[str, str]) -> None:
    for name, html in _all(rows, pages).items():
        read = reading.read(html)
        assert read.wrong == [], name
        assert html.startswith("<!doctype html>"), name
        assert read.all("html") == [{"lang": "en"}], name
        assert [len(read.all(landmark)) for landmark in ("header", "main", "footer")] == [1, 1, 1], name
        ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), name
        for _, attributes in read.elements:
            assert set(attributes.get("aria-labelledby", "").split()) <= set(ids), name
        levels = [level for level, _ in read.headings]
        assert levels.count(1) == 1, name
        assert levels[0] == 1, name
        assert all(deeper <= level + 1 for level, deeper in pairwise(levels)), (name, levels)
        assert all(said.strip() for _, said in read.headings), name


def test_pages_load_nothing_from_anywhere(rows: examples.Rows, pages: dict[str, str]) -> None:
    for name, html in _all(rows, pages).items():
        # What markup and styles say, not what titles say: those are text.
        read = reading.read(html)
        assert {"script", "link", "img", "iframe", "object", "base", "form"}.isdisjoint(
            element for element, _ in read.elements
        ), name
        for element, attributes in read.elements:
            assert {"src", "srcset", "action", "xlink:href", "background"}.isdisjoint(attributes), name
            assert not [attribute for attribute in attributes if attribute.startswith("on")], name
            if "href" in attributes:
                assert element == "a", name
                assert re.fullmatch(r"#[\w-]+|(\.\./)?[\w-]+\.html|\d{4}-\d\d-\d\d/\w+\.html", attributes["href"]), name
        assert not re.search(r"url\(|@import", html), name
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        assert {"http-equiv": "Content-Security-Policy", "content": policy} in read.all("meta"), name


def test_links_between_the_pages_of_a_day_and_the_index_lead_somewhere(pages: dict[str, str]) -> None:
    for name in NAMES:
        links = {link["href"] for link in reading.read(pages[name]).all("a")}
        assert links == {"#report", "../index.html", *(f"{other}.html" for other in NAMES)}
    days = {link["href"] for link in reading.read(pages["index"]).all("a")} - {"#days"}
    assert days == {page.path(DAY - timedelta(days=back), name) for back in range(40) for name in NAMES}


@pytest.mark.parametrize(
    "title", [examples.UGLY, "</title><img src=x onerror=alert(1)>", '" onmouseover="alert(1)', "{{ 7 * 7 }}", "a&b;"]
)
def test_a_title_from_outside_is_text_wherever_it_stands(title: str, rows: examples.Rows) -> None:
    ugly = {
        name: [
            {column: title if isinstance(value, str) and _is_free(column) else value for column, value in row.items()}
            for row in of_table
        ]
        for name, of_table in rows.items()
    }
    for name in NAMES:
        html = page.render(name, DAY, ugly)
        read = reading.read(html)
        assert read.wrong == [], name
        assert title not in html or title == "{{ 7 * 7 }}", name
        elements = {element for element, _ in read.elements}
        assert not elements & {"script", "img"}, name
        assert not [a for _, attributes in read.elements for a in attributes if a.startswith("on")], name
        # The week, the month and engagement show no name from outside but of kinds of notifications.
        assert title.replace("_", " ") in read.text or name in ("week", "month", "creators"), name


def _is_free(column: str) -> bool:
    return column not in {
        "day", "cohort_day", "first_day", "data_begin_on", "as_of", "changed_at", "compared_with", "dimension",
        "minutes_listened", "minutes_listened_before", "verdict", "outcome", "creator_key",
    }  # fmt: skip


def test_long_and_right_to_left_titles_are_whole_and_keep_their_direction(pages: dict[str, str]) -> None:
    html = pages["flash"]
    assert f"<bdi>{examples.RIGHT_TO_LEFT}</bdi>" in html
    assert f'<bdi class="long" title="{examples.LONG[:300]}">{examples.LONG[:300]}</bdi>' in html
    assert examples.EMOJI.replace("&", "&amp;") in html
    # In a sentence, marks around the title keep its direction from the words beside it.
    assert charts.apart(examples.RIGHT_TO_LEFT) in html


def test_the_same_rows_give_the_same_page_in_whatever_order_days_come(rows: examples.Rows) -> None:
    turned = {name: [row for row in of_table if row["day"] != str(DAY)] for name, of_table in rows.items()}
    for name, of_table in rows.items():
        turned[name] = [row for row in of_table if row["day"] == str(DAY)] + turned[name]
    for name in NAMES:
        assert page.render(name, DAY, rows) == page.render(name, DAY, turned)


def test_a_page_knows_no_later_day(rows: examples.Rows) -> None:
    before = DAY - timedelta(days=2)
    for name in NAMES:
        past = {table: [row for row in of_table if str(row["day"]) <= str(before)] for table, of_table in rows.items()}
        assert page.render(name, before, rows) == page.render(name, before, past)


@pytest.mark.parametrize("name", NAMES)
def test_a_day_without_rows_says_so_and_names_the_last_day_with_any(name: str, rows: examples.Rows) -> None:
    empty = reading.read(page.render(name, DAY, EMPTY)).text
    assert "There is nothing to report for this day yet." in empty
    assert "No earlier day has any either." in empty
    later = DAY + timedelta(days=1)
    following = reading.read(page.render(name, later, rows)).text
    assert "There is nothing to report for this day yet." in following
    assert "The last day with rows is Saturday 21 November 2026." in following
    assert "no rows of this day , due 23 Nov 2026" in following


def test_nulls_are_not_known_and_never_0(rows: examples.Rows) -> None:
    nulls = _nulls(rows)
    for name in NAMES:
        read = reading.read(page.render(name, DAY, nulls))
        assert "not known yet" in read.text, name
        assert "None" not in read.text.replace("None of", ""), name
        assert "nan" not in read.text.split(), name
        assert not re.search(r"\b0(\.0)? (%|points)", read.text), name


def test_a_table_without_rows_beside_one_with_rows_says_so(rows: examples.Rows) -> None:
    text = reading.read(page.render("flash", DAY, {"flash_report": rows["flash_report"]})).text
    assert "3,300 listeners heard" in text
    assert "Shows by time heard: nothing was heard on this day." in text
    assert "flash_top_shows : no rows of this day , due 22 Nov 2026, 04:00 UTC." in text


def test_what_a_column_lacks_is_listed_with_how_many_rows_do(pages: dict[str, str]) -> None:
    # Of 29 first days, day 28 is known of the oldest one.
    assert "day_28_share : 28 of 29 rows" in reading.read(pages["engagement"]).text


# The numbers of tests/reports/pages/examples.py, as a person reads them.
FACTS = {
    "flash": [
        # 141,230 minutes are 2,353.8 h; the day before had 1.08 times as many, the week before 0.97, the mean 1.02.
        "3,300 listeners heard 2,354 h, 7.4 % less than the day before.",
        "New users 184 ▼ 7.5 % less than the day before ▲ 3.4 % more than a week before",
        "moved by −70 h 30 min against the day before; most moved by",
        "Morning Coffee with Dana 150 h → 196 h ▲ +45 h 50 min 6.9 %",
        "Late night 🎙️🔥 & friends ▲ from place 7 173 h 7.4 % ▼ 7.4 % 500 151 +1",
        "10 changes: 3 added, 4 changed, 3 withdrawn.",
        # 40,000 over 1 to 7: 40,000 + 20,000 + 13,333 + 10,000 + 8,000 + 6,666 + 5,714.
        "The lake holds 103,713 events of this day",
        "like 13,333 80",
    ],
    "week": [
        "Monday 16 November 2026 to Saturday 21 November 2026",
        # 5 × 141,230 minutes against 4.8 ×: 1 / 0.96 is 1.0417.
        "16,500 listeners heard 11,769 h in this week so far, 4.2 % more than the same days of the week before.",
        "The week so far: 6 days.",
        "Not compared with the year before: the data begin on 2026-10-12.",
        "Heard by each listener 1 h 41 min ▲ 5.6 % more than the week before",
        "Votes in polls 6,020 5,779 ▲ 4.2 %",
    ],
    "month": ["Sunday 1 November 2026 to Saturday 21 November 2026", "The month so far: 21 days."],
    "engagement": [
        "4,200 people were active, 8.1 % less than the day before; 78.6 % of them listened.",
        # 4,200 of 12,800.
        "Stickiness (day of month) 32.8 %",
        "Opened the app 4,000 – … and then listened 3,000 75.0 % … and then followed 200 6.7 %",
        "Of all who opened the app, 5.0 % followed.",
        "Back on day 28 10.6 % of 180 new people, in 1 first day",
        "weekly digest email 1,480 6.5 % 32.3 % 2.1 %",
        "reminder push 12 0 % not known yet 0 %",
    ],
    "trending": [
        "4 shows are trending as of 21 Nov 2026, 20:00 UTC; first is \N{FIRST STRONG ISOLATE}show-00"
        "\N{POP DIRECTIONAL ISOLATE}, 4.9 times its usual.",
        "show-03 2.2 times 180 64 h 12 min",
        # The fourth show rises from 15:00 to 21:00: 5.2 − 2.7 − 0.15 × |hour − 18| is 2 or more.
        "show-03 7 15:00 21:00 2.5 times",
    ],
    "experiments": [
        "3 of 5 comparisons found a difference.",
        # 1,742 / 4,978 − 1,503 / 5,012 = 0.34994 − 0.29988.
        "home_ranking_v2: of those who had popularity, more heard something than of the control (+5.0 points",
        "quiet_onboarding short: heard something not reported too little data",
        "Promotion autumn_banner: of those who were shown it, more played the show",
        "Left out, having met more than one variant: 17 people.",
    ],
    "creators": [
        # 90,000 − 3,300 × place, for places 0 to 27, is 1,272,600 minutes; 30 quarters of one make 7.5 more.
        # Of some creators the 28 days before are not known: the whole is compared with nothing.
        "30 creators were heard in 28 days, for 21,210 h in all.",
        "01c0ffee0000… 2 shows, 1 live 1,445 h ▲ 6.4 % 2,310 675 43.0 % 27 233 +27",
        "29c0ffee0000… 3 shows, 1 live 15 s not known yet 0 0 not known yet",
    ],
    "categories": [
        "First topic: \N{FIRST STRONG ISOLATE}music\N{POP DIRECTIONAL ISOLATE}, with 34.4 % of the time heard.",
        "Busiest hour: from 01:00 UTC.",
        "true crime 12.2 % = the same 288 h 660 20.0 % 11",
    ],
    "health": [
        "5 things ask for a closer look.",
        "poll vote: 900 rows where 5,771 are usual.",
        "show impression: its newest row is 30 h 28 min old.",
        "follow: its schema moved from version 2 to 3.",
        "like: 1.5 % were rejected.",
        "Job events: 1 run failed, 0 refused.",
        "Quarantined on arrival 48 records",
        "playback metric wrong type 41",
        "show statistics daily ✓ well 4,444 ▼ 1.0 % 55 min – – –",
    ],
}


def test_there_are_facts_of_every_report() -> None:
    assert set(FACTS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_holds_the_numbers_of_its_rows(name: str, pages: dict[str, str]) -> None:
    text = reading.read(pages[name]).text
    assert [fact for fact in FACTS[name] if fact not in text] == []
    assert "Saturday 21 November 2026" in text
    assert "UTC" in text


def test_well_data_ask_for_no_look(rows: examples.Rows) -> None:
    well = {
        "data_health": [row for row in rows["data_health"] if row["table_name"] in ("app_opened", "sessions")],
        "health_jobs": [row for row in rows["health_jobs"] if not row["runs_failed"]],
    }
    text = reading.read(page.render("health", DAY, well)).text
    assert "All tables are fresh, whole and in time, and every job did what it should." in text


def test_only_the_first_rows_of_a_long_table_are_open(pages: dict[str, str]) -> None:
    text = reading.read(pages["creators"]).text
    assert "20 more rows" in text
    assert text.index("09c0ffee") < text.index("20 more rows") < text.index("10c0ffee")


def test_the_index_lists_days_newest_first_by_month_with_their_answer(pages: dict[str, str]) -> None:
    headings = [said for level, said in reading.read(pages["index"]).headings if level > 1]
    assert headings[:2] == ["November 2026", "Saturday 21 November 2026"]
    assert headings[22:24] == ["October 2026", "Saturday 31 October 2026"]
    assert reading.read(pages["index"]).text.count(examples.UGLY) == 40


def test_the_index_names_only_reports_that_a_day_has() -> None:
    links = reading.read(page.render_index([Day(day=DAY, reports=["health"])])).all("a")
    assert [link["href"] for link in links if not link["href"].startswith("#")] == ["2026-11-21/health.html"]


def test_a_report_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(page.UnknownReportError, match="given: 'flahs'; allowed: flash, week"):
        page.render("flahs", date(2026, 11, 21), EMPTY)


def test_pages_need_jinja2_and_contracts_and_nothing_else() -> None:
    """A function that renders pages holds no engine, no client of AWS and no dbt."""
    script = (
        "import sys, json; before = set(sys.modules); import reports.pages.page; "
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    loaded = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    foreign = set(json.loads(loaded.stdout)) - set(sys.stdlib_module_names)
    assert foreign <= {"contracts", "jinja2", "markupsafe", "reports"}
