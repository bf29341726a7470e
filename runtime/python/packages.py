"""Installs what a bundle's requirements.txt names, in a jail of its own.

usage: packages.py ZIP FOLDER; the bundle, a tar, is descriptor 3, and the result, a tar of regular files, goes to 4

ZIP is the zip file in the bundle that holds the code, FOLDER the folder of it; either may be empty. What is said goes to the log,
of which the author reads the end.
"""

import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile

INPUT = "/tmp/bundle"
OUTPUT = "/tmp/packages"
FILES_MAX = 16_000
BYTES_MAX = 2 << 30


def is_input(path):
    """requirements.txt, what it may include, and archives that it may name."""
    return path.endswith((".txt", ".whl", ".tar.gz", ".in"))


def members(archive_name):
    """Paths and contents of the regular files that pip may ask for."""
    with tarfile.open(fileobj=os.fdopen(3, "rb"), mode="r:") as bundle:
        if archive_name:
            with zipfile.ZipFile(io.BytesIO(bundle.extractfile(archive_name).read())) as archive:
                for name in archive.namelist():
                    if is_input(name):
                        yield name, archive.read(name)
            return
        for member in bundle:
            if member.isfile() and is_input(member.name):
                yield os.path.normpath(member.name), bundle.extractfile(member).read()


def unpack(archive_name, folder):
    for name, contents in members(archive_name):
        path = os.path.relpath(name, folder) if folder else name
        if path.startswith(("..", "/")):
            continue
        place = os.path.join(INPUT, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(contents)


def install():
    os.makedirs(OUTPUT)
    return subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--target", OUTPUT, "--requirement", "requirements.txt", "--no-input",
            "--disable-pip-version-check", "--no-cache-dir", "--no-compile", "--progress-bar", "off",
            "--no-warn-script-location",
        ],
        cwd=INPUT, stdin=subprocess.DEVNULL, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
    ).returncode


def pack():
    """Equal files give equal bytes, whenever they were installed."""
    count, total = 0, 0
    with tarfile.open(fileobj=os.fdopen(4, "wb"), mode="w:", format=tarfile.PAX_FORMAT) as result:
        for folder, folders, names in os.walk(OUTPUT):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                path = os.path.join(folder, name)
                facts = os.stat(path)
                if not stat.S_ISREG(facts.st_mode) or os.path.islink(path):
                    continue
                count, total = count + 1, total + facts.st_size
                if count > FILES_MAX or total > BYTES_MAX:
                    sys.exit(f"the packages have more than {FILES_MAX} files or {BYTES_MAX} bytes")
                member = tarfile.TarInfo(os.path.relpath(path, OUTPUT))
                member.size = facts.st_size
                member.mode = 0o755 if facts.st_mode & 0o100 else 0o644
                with open(path, "rb") as file:
                    result.addfile(member, file)


if __name__ == "__main__":
    unpack(*sys.argv[1:3])
    status = install()
    if status == 0:
        pack()
    sys.exit(status)
