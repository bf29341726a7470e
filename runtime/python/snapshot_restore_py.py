"""The hooks of Lambda SnapStart, under the name that code written for it imports.

A bundle that brings its own copy of the package is served by that copy: only these four names are used.
"""

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    """Runs `func` once the handler is imported, before any worker is forked; also a decorator. Last registered, first run."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Runs `func` in each new worker, before its first call; also a decorator. First registered, first run."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    """What was registered: a list of (func, args, kwargs)."""
    return _before_snapshot


def get_after_restore():
    """What was registered: a list of (func, args, kwargs)."""
    return _after_restore
