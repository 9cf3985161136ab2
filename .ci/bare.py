"""Run a command as on a bare Linux machine: python .ci/bare.py COMMAND [ARGUMENT …]

Hides the libraries of windows and graphics (libGL, libgthread, X) from the loader: in
their place it finds empty files, first of all. A wheel that needs one of them fails
here as it does where none is installed. The command's exit status is passed on.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

hidden = (
    "libGL.so.1 libGLX.so.0 libOpenGL.so.0 libEGL.so.1 libgthread-2.0.so.0 "
    "libX11.so.6 libX11-xcb.so.1 libxcb.so.1 libXext.so.6 libXrender.so.1 libSM.so.6 "
    "libICE.so.6 libxkbcommon.so.0 libxkbcommon-x11.so.0"
).split()
load = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"


def hide(folder):
    "An environment in which the loader finds an empty file for each hidden library"
    for name in hidden:
        (folder / name).touch()
    before = os.environ.get("LD_LIBRARY_PATH")
    path = f"{folder}:{before}" if before else str(folder)
    return dict(os.environ, LD_LIBRARY_PATH=path)


def check(env):
    "Exit unless the loader fails on each of them, and finds others"
    for name in (*hidden, "libc.so.6"):
        command = [sys.executable, "-c", load, name]
        failed = subprocess.run(command, env=env, capture_output=True).returncode != 0
        if failed == (name == "libc.so.6"):
            sys.exit(f"error: {name} is not {'found' if failed else 'hidden'}.")


def main(command):
    if not command or sys.platform != "linux":
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        env = hide(Path(folder))
        check(env)
        return subprocess.run(command, env=env).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
