"""Airflow's own REST API, as far as a rehearsal asks it; decides nothing.

Airflow, "Airflow public API reference" (version 2 of the API, Airflow 3.0).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rehearsal.engine.mwaa.model import AirflowFailed, DagRun, TaskTry

_TIMEOUT_S = 60.0
_PAGE = 100
_LAST = datetime.max.replace(tzinfo=UTC)
HEALTHY_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class AirflowApi:
    """Requests of an administrator to one Airflow.

    Args:
        base_url: such as ``http://127.0.0.1:8080``.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = ""
        # Proxies of the machine are not for loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    # --- Airflow itself -------------------------------------------------------------------------------

    def unhealthy(self) -> list[str]:
        """The components without a recent heartbeat; all of them as long as the server does not answer."""
        try:
            health = self._call("GET", "/api/v2/monitor/health", attempts=1)
        except OSError:
            return ["api-server", *HEALTHY_PARTS]
        return [part for part in HEALTHY_PARTS if (health.get(part) or {}).get("status") != "healthy"]

    def import_errors(self) -> dict[str, str]:
        """What kept DAG files from being read: file → traceback."""
        errors = self._pages("/api/v2/importErrors", "import_errors")
        return {str(error["filename"]): str(error["stack_trace"]) for error in errors}

    # --- DAGs and runs --------------------------------------------------------------------------------

    def dags(self) -> dict[str, bool]:
        """The DAGs that Airflow has read, and whether each is paused."""
        return {str(dag["dag_id"]): bool(dag["is_paused"]) for dag in self._pages("/api/v2/dags", "dags")}

    def pause(self, dag: str, *, paused: bool) -> None:
        """Pause a DAG, or let its runs go on.

        Raises:
            AirflowFailed: there is no such DAG.
        """
        self._call("PATCH", f"/api/v2/dags/{_part(dag)}", {"is_paused": paused})

    def trigger(
        self,
        dag: str,
        *,
        interval: tuple[datetime, datetime] | None = None,
        conf: Mapping[str, object] | None = None,
        run_id: str | None = None,
    ) -> str:
        """Start a run and give its id.

        Args:
            dag: the DAG's id.
            interval: the data interval. Its start is the logical date as well, unless it lies ahead of the machine's
                time: Airflow has such runs wait, so that they get the present moment as their logical date.
            conf: the run's parameters.
            run_id: its id; made of the interval's start when absent, so that no interval has two runs by accident.

        Raises:
            AirflowFailed: Airflow refuses, as it does a second run with one id or logical date.
        """
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf or {})}
        if interval is not None:
            start, end = interval
            logical = min(start, self._now())
            body |= {"logical_date": logical.isoformat(), "dag_run_id": f"manual__{start.isoformat()}"}
            body |= {"data_interval_start": start.isoformat(), "data_interval_end": end.isoformat()}
        if run_id is not None:
            body["dag_run_id"] = run_id
        return str(self._call("POST", f"/api/v2/dags/{_part(dag)}/dagRuns", body)["dag_run_id"])

    def _now(self) -> datetime:
        """A recent moment on Airflow's clock, which is the machine's; this process's may be another."""
        health = self._call("GET", "/api/v2/monitor/health")
        return datetime.fromisoformat(health["scheduler"]["latest_scheduler_heartbeat"])

    def run(self, dag: str, run_id: str) -> DagRun:
        """A run as it is now, without its tries.

        Raises:
            AirflowFailed: there is none.
        """
        return _run(self._call("GET", f"/api/v2/dags/{_part(dag)}/dagRuns/{_part(run_id)}"))

    def runs(self, dag: str | None = None) -> list[DagRun]:
        """The runs of a DAG, or of all, in the order in which they were asked for, without their tries."""
        found = [_run(row) for row in self._pages(f"/api/v2/dags/{_part(dag or '~')}/dagRuns", "dag_runs")]
        return sorted(found, key=lambda run: (run.queued or run.started or _LAST, run.run_id))

    def told(self, run: DagRun, *, logs: bool = False) -> DagRun:
        """The run with the tries of its tasks, and with ``logs`` with what each wrote."""
        path = f"/api/v2/dags/{_part(run.dag)}/dagRuns/{_part(run.run_id)}/taskInstances"
        tries: list[TaskTry] = []
        for instance in self._pages(path, "task_instances"):
            index = int(instance.get("map_index", -1))
            place = f"{path}/{_part(instance['task_id'])}" + (f"/{index}" if index >= 0 else "")
            found = self._call("GET", f"{place}/tries")["task_instances"] if instance["try_number"] else [instance]
            for one in map(_try, found):
                tries.append(replace(one, log=self.log(run, one)) if logs and one.started else one)
        return replace(run, tries=sorted(tries, key=lambda t: (t.started or _LAST, t.task, t.map_index, t.number)))

    def log(self, run: DagRun, one: TaskTry) -> str:
        """What a try wrote, a line an event."""
        place = f"/api/v2/dags/{_part(run.dag)}/dagRuns/{_part(run.run_id)}/taskInstances/{_part(one.task)}"
        query = urllib.parse.urlencode({"full_content": "true", "map_index": one.map_index})
        content = self._call("GET", f"{place}/logs/{one.number}?{query}").get("content", [])
        return "\n".join(_line(event) for event in content) if isinstance(content, list) else str(content)

    def clear(self, dag: str, run_id: str, *, tasks: Sequence[str] | None = None) -> None:
        """Have a run's tasks run again, all or those named with what follows them.

        Raises:
            AirflowFailed: there is no such run.
        """
        body: dict[str, Any] = {
            "dag_run_id": run_id,
            "dry_run": False,
            "only_failed": False,
            "reset_dag_runs": True,
            "include_downstream": tasks is not None,
        }
        if tasks is not None:
            body["task_ids"] = list(tasks)
        self._call("POST", f"/api/v2/dags/{_part(dag)}/clearTaskInstances", body)

    def end_run(self, dag: str, run_id: str, *, state: str = "failed") -> None:
        """Mark a run ``success`` or ``failed``, as a person does in the web server; running tasks are ended.

        Raises:
            AirflowFailed: there is no such run.
        """
        self._call("PATCH", f"/api/v2/dags/{_part(dag)}/dagRuns/{_part(run_id)}", {"state": state})

    # --- the wire -------------------------------------------------------------------------------------

    def _pages(self, path: str, key: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", f"{path}?limit={_PAGE}&offset={len(rows)}")
            rows.extend(page[key])
            if len(rows) >= page["total_entries"] or not page[key]:
                return rows

    def _call(self, method: str, path: str, body: object = None, *, attempts: int = 2) -> dict[str, Any]:
        """Ask, with a new token when the last one is refused.

        Raises:
            AirflowFailed: Airflow refuses.
            OSError: it does not answer.
        """
        for left in reversed(range(attempts)):
            headers = {"Accept": "application/json", "Content-Type": "application/json"}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(self.base_url + path, method=method, data=data, headers=headers)  # noqa: S310
            try:
                with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                    answered: dict[str, Any] = json.loads(answer.read() or b"{}")
                    return answered
            except urllib.error.HTTPError as error:
                said = error.read().decode("utf-8", "replace")[:2000]
                if error.code == 401 and left:
                    self._token = ""
                    self._token = str(self._call("GET", "/auth/token", attempts=1)["access_token"])
                    continue
                raise AirflowFailed(f"Airflow refused {method} {path} with status {error.code}: {said}") from None
        raise AssertionError("unreachable")


def _part(name: str) -> str:
    return urllib.parse.quote(name, safe="~")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _run(row: Mapping[str, Any]) -> DagRun:
    return DagRun(
        dag=row["dag_id"],
        run_id=row["dag_run_id"],
        state=row["state"],
        kind=row["run_type"],
        interval_start=_moment(row["data_interval_start"]),
        interval_end=_moment(row["data_interval_end"]),
        queued=_moment(row["queued_at"]),
        started=_moment(row["start_date"]),
        ended=_moment(row["end_date"]),
        conf=row.get("conf") or {},
    )


def _try(row: Mapping[str, Any]) -> TaskTry:
    return TaskTry(
        task=row["task_id"],
        number=row["try_number"],
        state=row["state"] or "none",
        queued=_moment(row["queued_when"]),
        started=_moment(row["start_date"]),
        ended=_moment(row["end_date"]),
        map_index=row["map_index"],
    )


def _line(event: Mapping[str, Any] | str) -> str:
    """One event of a structured log as a line: time, level, what was said, and what goes with it."""
    if isinstance(event, str):
        return event
    rest = {name: value for name, value in event.items() if name not in _SHOWN}
    head = " ".join(str(event[name]) for name in ("timestamp", "level") if event.get(name))
    lines = [" ".join(part for part in (head, str(event.get("event", ""))) if part)]
    lines += [f"    {name}: {value}" for name, value in rest.items() if name != "error_detail"]
    for error in event.get("error_detail") or ():
        lines += [f'    File "{f["filename"]}", line {f["lineno"]}, in {f["name"]}' for f in error.get("frames") or ()]
        lines.append(f"    {error.get('exc_type')}: {error.get('exc_value')}")
    return "\n".join(lines)


_SHOWN = frozenset({"timestamp", "level", "event", "logger", "chan"})
