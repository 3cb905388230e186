"""
Ends what a rig has started when the rig itself ends, however it ends: `python -m torture.rig.guard RUN_FOLDER [MOUNT …]`.

Its standard input is a pipe from the rig, which the kernel closes with it; where a forked child still holds that pipe, the guard sees
that its parent has changed. After an orderly stop nothing is left to be done.
"""

import os
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launcher.processes import Register, stop

_ENDING = ".pid.json"
_LOOK_S = 1.0


def begin_guard(run: Path, mounts: Sequence[Path] = ()) -> subprocess.Popen[bytes]:
    """Start a guard for this process and a run folder; closing its standard input sends it away."""
    command = [sys.executable, "-m", "torture.rig.guard", str(run), *map(str, mounts)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def main() -> None:
    """Wait for the end of the rig, then kill and unmount."""
    rig = os.getppid()
    while os.getppid() == rig and not select.select([sys.stdin], [], [], _LOOK_S)[0]:
        pass
    run, *mounts = (Path(told) for told in sys.argv[1:])
    end_all(run)
    for mount in mounts:
        if mount.is_mount():
            subprocess.run(["umount", "--lazy", str(mount)], check=False, capture_output=True)


def end_all(run: Path) -> None:
    """Kill every process that is written down in a run folder, then the children that outlive it: stopped ones do not see it die."""
    register = Register(run)
    names = [path.name.removesuffix(_ENDING) for path in run.glob(f"*{_ENDING}")]
    while left := [identity for name in names if (identity := register.find(name))]:
        stop(left, patience_seconds=0)


if __name__ == "__main__":
    main()
