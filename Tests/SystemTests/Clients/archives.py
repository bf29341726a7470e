"""Writes archives as package indexes have them: `archives.py KIND FOLDER`.

wheel: greeting-1.0. hostile:PORT: a source archive whose build tries what it should not be able to, PORT being the node's, and
makes a package that says how each try ended. endless: one whose build does not end.
"""

import io
import os
import sys
import tarfile
import zipfile

kind, folder = sys.argv[1:3]


def wheel(name, source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return out.getvalue()


def source(name, backend):
    """A source archive that is its own build backend, so that nothing else is asked for."""
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": backend,
    }
    with tarfile.open(os.path.join(folder, f"{name}-1.0.tar.gz"), "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-1.0/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


HOSTILE = '''
import os, socket, zipfile

def tried(act):
    try:
        act()
        return "done"
    except Exception as error:
        return type(error).__name__ if type(error).__name__.endswith("Error") else "OSError"

def connect(*address):
    socket.create_connection(address, timeout=2).close()

def build_wheel(folder, settings=None, metadata=None):
    found = {
        "read": tried(lambda: open("/etc/shadow").read()),
        "write": tried(lambda: open("/usr/hostile", "w")),
        "runtime": tried(lambda: open("/var/runtime/python/packages.py", "a")),
        "node": tried(lambda: connect("127.0.0.1", PORT)),
        "mount": tried(lambda: os.chroot("/tmp")),
        "kill": tried(lambda: os.kill(-1, 0) or os.listdir("/home")),
    }
    name = "hostile-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("hostile.py", f"FOUND = {found!r}")
        archive.writestr("hostile-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: hostile\\nVersion: 1.0\\n")
        archive.writestr("hostile-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("hostile-1.0.dist-info/RECORD", "")
    return name
'''

if kind == "wheel":
    with open(os.path.join(folder, "greeting-1.0-py3-none-any.whl"), "wb") as file:
        file.write(wheel("greeting", "WORD = 'from a wheel'"))
elif kind == "endless":
    source("endless", "def build_wheel(folder, settings=None, metadata=None):\n    while True:\n        pass\n")
else:
    source("hostile", HOSTILE.replace("PORT", kind.split(":")[1]))
