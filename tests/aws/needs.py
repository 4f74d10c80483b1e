"""What this suite cannot do without."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "terraform"))
import harness  # noqa: E402


def missing():
    """One line with its remedy, or None."""
    try:
        harness.check_tools()
    except harness.Missing as lacking:
        return str(lacking)
    if shutil.which("aws") is None:
        return "no aws: pip install awscli"
    asked = subprocess.run(["python3", "-c", "import moto.moto_server.werkzeug_app, werkzeug"], capture_output=True, check=False)
    if asked.returncode != 0:
        return "python3 has no moto server: pip install 'moto[server,ecs,logs,cloudwatch,ecr,applicationautoscaling]'"
    if os.geteuid() != 0:
        return "not root: the stand-in's containers need memory cgroups of their own; sudo tests/aws/run"
    folder = Path(os.environ.get("OOMDRILL_BIN", ""))
    if not os.access(folder / "oomprobe", os.X_OK):
        return f"no oomprobe in {folder}: cmake --build --preset dev, or set OOMDRILL_BIN"
    return None
