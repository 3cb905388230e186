"""The set-up script picks an interpreter by running it."""

import subprocess
import sys
from pathlib import Path

from launcher.folders import checkout


def pick(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script = checkout() / "scripts" / "python.sh"
    return subprocess.run([str(script)], env={"PATH": str(folder), **environment}, capture_output=True, text=True, check=False)


def a_command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_shim_that_answers_command_not_found_is_passed_over(tmp_path: Path) -> None:
    a_command(tmp_path, "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    (tmp_path / "python3.11").symlink_to(sys.executable)
    assert pick(tmp_path).returncode == 0


def test_an_old_python_alone_is_refused_in_one_sentence(tmp_path: Path) -> None:
    a_command(tmp_path, "python3", "echo 3.9; exit 1")
    refused = pick(tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("No Python >= 3.11 was found")
    assert len(refused.stderr.splitlines()) == 1


def test_a_python_without_venv_is_refused_with_the_package_to_install(tmp_path: Path) -> None:
    a_command(tmp_path, "python3.12", 'case "$2" in *ensurepip*) exit 1 ;; *) echo 3.12 ;; esac')
    refused = pick(tmp_path)
    assert refused.returncode == 1
    assert "apt-get install python3.12-venv" in refused.stderr


def test_a_named_python_is_the_only_one_looked_at(tmp_path: Path) -> None:
    (tmp_path / "python3.11").symlink_to(sys.executable)
    refused = pick(tmp_path, PYTHON="/nowhere/python3")
    assert refused.returncode == 1
    assert "/nowhere/python3" in refused.stderr
