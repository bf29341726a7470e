"""The namespaces that a worker lives in, which were made for it: the zygote forks into them and its forks enter them.

Only a zygote has the power for that; a worker gives it up before it serves, and its keeper looks whether it has.
"""

import contextlib
import ctypes
import os

_PROCESS = 0x20000000
# As the order has them, behind the pid namespace: mounts, shared memory, network.
_OTHERS = (0x00020000, 0x08000000, 0x40000000)
COUNT = 1 + len(_OTHERS)

_libc = ctypes.CDLL(None, use_errno=True)
# _LINUX_CAPABILITY_VERSION_3, of this process; and none of 64 bits effective, permitted or inheritable.
_header = (ctypes.c_uint32 * 2)(0x20080522, 0)
_none = (ctypes.c_uint32 * 6)()


class Doorway:
    """Where the children of this process are born."""

    def __init__(self):
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def close(self):
        """In a fork, which forks as anybody does."""
        os.close(self._own)

    @contextlib.contextmanager
    def to(self, namespaces):
        """Children that are forked meanwhile are born into the first of the namespaces; without any, where they always are."""
        if not namespaces:
            yield
            return
        _enter(namespaces[0], _PROCESS)
        try:
            yield
        finally:
            _enter(self._own, _PROCESS)


def settle(namespaces):
    """In the fork: enters the others of its namespaces, and gives up the power to enter any."""
    if not namespaces:
        return
    folder = os.getcwd()
    for namespace, kind in zip(namespaces[1:], _OTHERS, strict=True):
        _enter(namespace, kind)
    _checked(_libc.capset(_header, _none))
    # Entering mounts has led to their root.
    os.chdir(folder)


def _enter(namespace, kind):
    _checked(_libc.setns(namespace, kind))


def _checked(result):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
