"""Sets the project up on a bare machine and runs it, or its tests. Needs Python 3.11 and nothing else.

    python3 packaging/bootstrap.py run [FILE]    set up; open the window, or without a display run the example
    python3 packaging/bootstrap.py test [ARGS]   set up; run the checks and the tests (ARGS go to pytest)

What it does: makes the environment ``.venv``, installs the locked dependencies and the project into it, and adds Qt's
system libraries with apt where they are missing and it may (as root, or by ``sudo`` without a password). Where it may
not, it says which command to type. Variables: ``ETL_STUDIO_VENV`` (folder of the environment),
``ETL_STUDIO_NO_APT=1`` (never call apt).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "packaging" / "requirements.lock"
WINDOWS = os.name == "nt"

QT_OFFSCREEN = [
    "libgl1", "libegl1", "libxkbcommon0", "libdbus-1-3", "libfontconfig1", "libglib2.0-0", "libgssapi-krb5-2",
    "fonts-dejavu-core",
]  # fmt: skip
QT_X11 = [
    "libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-image0", "libxcb-render-util0", "libxcb-randr0",
    "libxcb-shape0", "libxcb-xkb1", "libxkbcommon-x11-0",
]  # fmt: skip
PYTHON = ["python3-venv", "ca-certificates"]
TESTS = ["xvfb"]


def main(arguments: list[str]) -> int:
    """Run one of the two commands; returns the exit code."""
    if not arguments or arguments[0] not in ("run", "test"):
        print(__doc__)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036 - it runs before anything could have checked
        print(f"ETL Studio needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 2
    command, rest = arguments[0], arguments[1:]
    python = make_environment(with_tests=command == "test")
    qt_problem = add_qt_libraries(python, with_tests=command == "test")
    if command == "test":
        if qt_problem:
            print(qt_problem)
            return 1
        return call([str(python), str(ROOT / "packaging" / "check.py"), *rest])
    return run(python, rest, qt_problem)


def run(python: Path, files: list[str], qt_problem: str | None) -> int:
    """Open the window; without a display, or without Qt's libraries, run the main job on the terminal."""
    studio = [str(python), "-m", "etl_studio"]
    display = WINDOWS or sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display and not qt_problem:
        return call([*studio, *files])
    print(qt_problem if display else "There is no display.", flush=True)
    print("Running without the window.", flush=True)
    if files:
        return call([*studio, "run", *files])
    # A copy, so that what the run writes does not lie among the examples.
    place = ROOT / ".etl_studio" / "airports"
    shutil.copytree(ROOT / "resources" / "examples" / "airports", place, dirs_exist_ok=True)
    status = call([*studio, "run", str(place / "airports.etl.yaml")])
    if status == 0:
        result = place / "airports_by_zone.csv"
        print(f"\n{result}:\n{result.read_text(encoding='utf-8')}", flush=True)
        print(f"Rows that broke a rule, each with its reason: {place / 'airports_rejected.csv'}", flush=True)
    return status


def make_environment(*, with_tests: bool) -> Path:
    """Make or renew the environment; returns its python."""
    folder = Path(os.environ.get("ETL_STUDIO_VENV", ROOT / ".venv"))
    python = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
    stamp = folder / "etl-studio.stamp"
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    wanted += " test" if with_tests else ""
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") in (wanted, wanted + " test"):
        return python
    print(f"Setting up {folder} ...", flush=True)
    extra = "[test]" if with_tests else ""
    uv = shutil.which("uv")
    if uv:
        must([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        if not venv_works():
            everything = [*PYTHON, *qt_packages(with_tests)]  # so that nobody has to come back for the next line
            apt(PYTHON) or stop(f"Python's venv module is missing. Type: {apt_line(everything)}")
        must([sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Half an environment must not pass for a whole one.
    stamp.unlink(missing_ok=True)
    if subprocess.run([*install, "-c", str(LOCK), "-e", f"{ROOT}{extra}"], check=False).returncode != 0:
        if not Path("/etc/ssl/certs/ca-certificates.crt").exists() and apt(["ca-certificates"]):
            must([*install, "-c", str(LOCK), "-e", f"{ROOT}{extra}"])
        else:
            stop("The dependencies could not be installed; the lines above say why.")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def venv_works() -> bool:
    """Whether this Python can make environments (Debian ships that apart)."""
    probe = [sys.executable, "-c", "import venv, ensurepip"]
    certificates = WINDOWS or sys.platform == "darwin" or Path("/etc/ssl/certs").is_dir()
    return certificates and subprocess.run(probe, capture_output=True, check=False).returncode == 0


def add_qt_libraries(python: Path, *, with_tests: bool) -> str | None:
    """Add what Qt needs from the system; returns what is still missing, as a sentence, or None."""
    if not sys.platform.startswith("linux"):
        return None
    qt, x11, xvfb = missing_qt_library(python), missing_x11_library(python), with_tests and not shutil.which("Xvfb")
    if not (qt or x11 or xvfb):
        return None
    if apt([*(QT_OFFSCREEN if qt else []), *(QT_X11 if x11 or xvfb else []), *(TESTS if xvfb else [])]):
        qt, x11, xvfb = missing_qt_library(python), missing_x11_library(python), False
    on_x11 = with_tests or bool(os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"))
    missing = qt or (on_x11 and x11)
    if missing or xvfb:
        who = f"Qt needs the system library {missing}." if missing else "The tests need the X server Xvfb."
        return f"{who} Type: {apt_line(qt_packages(with_tests))}"
    return None


def qt_packages(with_tests: bool) -> list[str]:  # noqa: FBT001
    """Every Debian package that the window needs, and its tests."""
    return [*QT_OFFSCREEN, *QT_X11, *(TESTS if with_tests else [])]


def missing_qt_library(python: Path) -> str | None:
    """The first shared library that Qt's widgets lack, or None."""
    probe = "import PySide6.QtWidgets, PySide6.QtSvg, PySide6.QtNetwork"
    result = subprocess.run([str(python), "-c", probe], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    found = re.search(r"(lib[\w.+-]+\.so[\w.]*)", result.stderr)
    return found[1] if found else (result.stderr.strip().splitlines() or ["PySide6"])[-1]


def missing_x11_library(python: Path) -> str | None:
    """The first shared library that Qt's X11 plug-in lacks, or None."""
    names = ("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1", "libxkbcommon-x11.so.0")
    probe = f"import ctypes\nfor name in {names!r}:\n  print(name)\n  ctypes.CDLL(name)"
    result = subprocess.run([str(python), "-c", probe], capture_output=True, text=True, check=False)
    return result.stdout.split()[-1] if result.returncode else None


def apt(packages: list[str]) -> bool:
    """Install Debian packages where that is possible without asking; returns whether it worked."""
    if not shutil.which("apt-get") or os.environ.get("ETL_STUDIO_NO_APT"):
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if not sudo or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode != 0:
            return False
        prefix = [sudo, "-n"]
    print(f"Installing {' '.join(packages)} ...", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    null = subprocess.DEVNULL
    if subprocess.run(install, env=environment, stdout=null, stderr=null, check=False).returncode == 0:
        return True
    subprocess.run([*prefix, "apt-get", "update", "-qq"], env=environment, stdout=null, check=False)
    return subprocess.run(install, env=environment, stdout=null, check=False).returncode == 0


def apt_line(packages: list[str]) -> str:
    """The command for a person to type; a new machine has no lists of packages yet."""
    install = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return install
    if shutil.which("sudo"):
        return f"sudo sh -c '{install}'"
    return f"su -c '{install}'"


def call(command: list[str]) -> int:
    """Run a command in the foreground; Ctrl-C reaches it."""
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 130


def must(command: list[str]) -> None:
    """Run a command that has to work."""
    if subprocess.run(command, check=False).returncode != 0:
        stop(f"This failed: {' '.join(command)}")


def stop(message: str) -> None:
    """End with a message."""
    raise SystemExit(message)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
