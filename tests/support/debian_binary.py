"""Programs out of Debian packages that are not to be installed: installing them would start a daemon."""

import os
import pathlib
import shutil
import subprocess
import tempfile


def debian_binary(package, path):
    """The program: the machine's own, or unpacked once below OOMDRILL_CACHE. RuntimeError: it cannot be had."""
    found = shutil.which(pathlib.Path(path).name)
    if found:
        return found
    cache = pathlib.Path(os.environ.get("OOMDRILL_CACHE", pathlib.Path.home() / ".cache/oomdrill")) / "debian" / package
    program = cache / path.lstrip("/")
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)  # apt downloads as a user of its own
            script = 'apt-get -q download "$1" && dpkg-deb -x "$1"_*.deb "$2"'
            done = subprocess.run(["sh", "-c", script, "sh", package, cache], cwd=folder, capture_output=True,
                                  text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{package} cannot be had: {done.stderr.strip()[-300:]}")
    return str(program)
