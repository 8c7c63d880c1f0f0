"""A warehouse is asked about once, patiently, by the declaration that was meant; what is said of it is true."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from config import stage_named
from config.warehouse import Cluster, Warehouse
from operations import command_line, platform
from operations.platform import OperationsError, Platform
from operations.warehouse import DECLARATIONS, Told, ask, lines
from stacks.warehouse import CONFIGURATION_TIMEOUT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
ANSWER = {"cluster": "analytics", "result": "unchanged", "lines": [], "statements": [], "error": ""}


class Function:
    """The configuration function behind Lambda's API: it answers late, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.url, self.seconds, self.status = "", 0.0, 200
        self.answer: dict[str, Any] = {**ANSWER, "drift": 0, "open": 0, "changes": 0}

    @contextmanager
    def serving(self) -> Iterator[Function]:
        """Answers at ``url`` meanwhile."""
        function = self

        class Api(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                function.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                time.sleep(function.seconds)
                body = json.dumps(function.answer).encode()
                self.send_response(function.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            self.url = f"http://127.0.0.1:{server.server_port}"
            yield self
        finally:
            server.shutdown()
            serving.join()
            server.server_close()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with Function().serving() as played:
        yield played


def reached(function: Function, *declarations: tuple[str, str]) -> Platform:
    """A stage whose clusters have these declarations."""
    clusters = tuple(Cluster(name=name, declaration=of) for name, of in declarations or (("analytics", "standard"),))
    outputs = {
        "ClusterNames": ",".join(cluster.name for cluster in clusters),
        "ConfigurationFunctionName": "configure",
    }
    return Platform(
        stage=replace(stage_named("dev"), warehouse=Warehouse(clusters=clusters)),
        outputs={"Amp-dev-Warehouse": outputs},
        endpoint_url=function.url,
    )


def test_a_run_that_takes_longer_than_other_calls_may_is_asked_for_once(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "_CLIENTS", Config(retries={"total_max_attempts": 3}, read_timeout=0.2))
    function.seconds = 1.0
    assert ask(reached(function), action="apply", cluster="").well
    assert len(function.asked) == 1


def test_an_answer_is_waited_for_longer_than_the_function_may_take(function: Function) -> None:
    assert reached(function).invoking.meta.config.read_timeout > CONFIGURATION_TIMEOUT_SECONDS


def test_a_run_whose_call_fails_is_not_asked_for_again(function: Function) -> None:
    function.status, function.answer = 500, {"Message": "it broke", "Type": "Service"}
    with pytest.raises(ClientError):
        ask(reached(function), action="apply", cluster="")
    assert len(function.asked) == 1


def test_a_file_to_apply_is_refused_before_the_function_hears_of_it(function: Function) -> None:
    file = DECLARATIONS / "standard.toml"
    with pytest.raises(
        OperationsError, match=r"given: .*standard\.toml; allowed: a file for a plan alone; fix: deploy"
    ):
        ask(reached(function), action="apply", cluster="", declaration=file)
    with pytest.raises(OperationsError, match="given: that of the checkout"):
        ask(reached(function), action="apply", cluster="", checkout=True)
    assert function.asked == []


def test_a_plan_is_by_the_deployed_declaration_unless_a_file_is_meant(
    function: Function, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("operations.warehouse.DECLARATIONS", tmp_path)
    for name, schema in (("own", "mine"), ("other", "theirs")):
        (tmp_path / f"{name}.toml").write_text(f"format = 1\n[schemas.{schema}]\n")
    there = reached(function, ("analytics", "own"), ("science", "other"))
    ask(there, action="plan", cluster="science")
    ask(there, action="plan", cluster="science", checkout=True)
    ask(there, action="plan", cluster="science", checkout=True, declaration=tmp_path / "own.toml")
    assert [list(wish.get("items", ["the table"])) for wish in function.asked] == [
        ["the table"],
        ["schemas.theirs"],
        ["schemas.mine"],
    ]


def test_a_deployed_cluster_that_the_checkout_does_not_know_has_no_file_there(function: Function) -> None:
    there = reached(function)
    old = replace(there, outputs={"Amp-dev-Warehouse": {"ClusterNames": "old", "ConfigurationFunctionName": "f"}})
    with pytest.raises(
        OperationsError, match="given: old; allowed: analytics; fix: use the checkout that was deployed"
    ):
        ask(old, action="plan", cluster="old", checkout=True)


def test_make_plans_by_the_checkout_and_by_another_file_where_one_is_named() -> None:
    arguments = ("make", "--dry-run", "warehouse-plan", "STAGE=prod", "ARGS=--cluster a --declaration b.toml")
    shown = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    words = next(line for line in shown.splitlines() if "operations warehouse" in line).split()
    given = command_line._parser().parse_args(words[words.index("operations") + 1 :])
    assert (given.action, given.checkout, given.stage) == ("plan", True, "prod")
    assert (given.cluster, given.declaration) == ("a", Path("b.toml"))


def told(**given: Any) -> Told:
    return Told(**{**ANSWER, "drift": 0, "open": 0, "changes": 0, **given})


def test_a_warehouse_is_well_only_when_nothing_differs_and_no_row_policy_waits() -> None:
    assert told().well
    assert not any(told(**given).well for given in ({"drift": 1}, {"open": 1}, {"result": "failed"}))


@pytest.mark.parametrize(
    ("action", "answer", "said"),
    [
        ("plan", told(), ["analytics: it is as declared; there is nothing to do"]),
        (
            "plan",
            told(drift=1, lines=["! made by hand: user mallory"]),
            [
                "analytics: 1 difference made by hand would be left",
                "  ! made by hand: user mallory",
                "  `warehouse apply --repair` puts right what was done by hand.",
            ],
        ),
        (
            "apply",
            told(
                result="configured", drift=2, lines=["+ role a", "- role b", "! gone by hand: c", "! made by hand: d"]
            ),
            [
                "analytics: 2 changes were made; 2 differences made by hand were left",
                "  + role a",
                "  - role b",
                "  ! gone by hand: c",
                "  ! made by hand: d",
                "  `warehouse apply --repair` puts right what was done by hand.",
            ],
        ),
        (
            "plan",
            told(lines=["= kept, not declared any more: user noa", "… analyst waits for table reports.x"]),
            [
                "analytics: 1 thing not declared any more left in place; 1 thing declared for tables not there yet",
                "  = kept, not declared any more: user noa",
                "  … analyst waits for table reports.x",
            ],
        ),
        (
            "apply",
            told(open=1, lines=["… row policy own_team waits for table reports.x"]),
            [
                "analytics: 1 thing declared for tables not there yet",
                "  … row policy own_team waits for table reports.x",
                "  A row policy that waits hides nothing: make its table, or correct the name in the declaration.",
            ],
        ),
        (
            "plan",
            told(result="continued", error="the statement is still running"),
            [
                "analytics: continued",
                "  the statement is still running",
                "  It had not the time to end, and changed nothing; ask again in a minute.",
            ],
        ),
        (
            "apply",
            told(result="continued"),
            [
                "analytics: continued",
                "  It had not the time to end; another run goes on in a minute, as this one was asked to.",
            ],
        ),
    ],
)
def test_what_is_said_is_all_that_there_is_and_true(action: str, answer: Told, said: list[str]) -> None:
    assert list(lines(answer, action=action, with_sql=False)) == said
