"""The settings under which a rehearsal runs Airflow: the environment's own, MWAA's, and where both are departed from.

Airflow, "Configuration reference". MWAA's are those of its public image (aws/amazon-mwaa-docker-images,
``python/mwaa/config/airflow.py``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.engine.mwaa.model import Departure

# What MWAA sets itself, as far as it shows here.
MWAA_OPTIONS = {
    "core.load_examples": "False",
    "core.sensitive_var_conn_names": "proxy,proxies",
    "scheduler.schedule_after_task_execution": "False",
    "scheduler.task_queued_timeout": "1800.0",
    "usage_data_collection.enabled": "False",
}
# They win over the environment's own. Waiting takes the machine's time, which a rehearsal has little of.
DEPARTURES = (
    Departure(option="core.executor", value="LocalExecutor", why="tasks run on this machine, not on Celery's workers"),
    Departure(option="core.parallelism", value="4", why="so many tasks at once; more would only slow one another down"),
    Departure(
        option="scheduler.use_job_schedule",
        value="False",
        why="runs are asked for with the rehearsal's windows; nobody waits for the clock",
    ),
    Departure(
        option="core.max_task_retry_delay",
        value="2",
        why="seconds; a delay that grows with each try ends here instead of after hours",
    ),
    Departure(
        option="scheduler.scheduler_idle_sleep_time",
        value="0.5",
        why="seconds; the next task begins sooner, at idle's cost",
    ),
    Departure(
        option="scheduler.orphaned_tasks_check_interval",
        value="10",
        why="seconds between looks for tasks of a scheduler that is gone",
    ),
    Departure(
        option="scheduler.task_instance_heartbeat_timeout",
        value="60",
        why="seconds after which a task whose process was killed has failed",
    ),
    Departure(option="dag_processor.min_file_process_interval", value="3600", why="a DAG's file does not change here"),
    Departure(option="dag_processor.refresh_interval", value="3600", why="no DAG's file is added while Airflow runs"),
    Departure(option="dag_processor.stale_dag_threshold", value="86400", why="files are read once"),
    Departure(
        option="core.auth_manager",
        value="airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        why="only this process asks, on loopback",
    ),
)


def environment(
    *, home: Path, port: int, options: Mapping[str, str], departures: Sequence[Departure], keys: Mapping[str, str]
) -> dict[str, str]:
    """The variables by which Airflow is configured.

    Args:
        home: Airflow's folder, which holds its database, logs and DAGs.
        port: loopback port of its server.
        options: ``section.name`` → value, as the environment declares them.
        departures: what is otherwise in a rehearsal; wins.
        keys: what `new_keys` gave; the same for every start with one database.
    """
    url = f"http://127.0.0.1:{port}"
    own = {
        "core.dags_folder": str(home / "dags"),
        "core.plugins_folder": str(home / "plugins"),
        "core.execution_api_server_url": f"{url}/execution/",
        # The default asks a name server.
        "core.hostname_callable": "socket.gethostname",
        "core.simple_auth_manager_all_admins": "True",
        # With its slash, which Airflow leaves out of links to logs.
        "api.base_url": f"{url}/",
        "api.workers": "1",
        "database.sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}",
        # The database was prepared by this very version.
        "database.check_migrations": "False",
        "logging.colored_console_log": "False",
        **keys,
    }
    changed = {departure.option: departure.value for departure in departures}
    return {_variable(name): value for name, value in {**MWAA_OPTIONS, **options, **changed, **own}.items()}


def new_keys() -> dict[str, str]:
    """Secrets of one Airflow, by option."""
    return {
        "core.fernet_key": "",
        "api.secret_key": secrets.token_hex(16),
        "api_auth.jwt_secret": secrets.token_hex(32),
    }


def _variable(option: str) -> str:
    section, _, name = option.partition(".")
    return f"AIRFLOW__{section.upper()}__{name.upper()}"
