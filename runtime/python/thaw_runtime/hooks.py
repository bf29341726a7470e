"""Runs what a handler registered for before the snapshot and after the restore."""

import sys


def run_before_snapshot():
    """Last registered, first run, as with SnapStart; raises what a hook raises."""
    registry = _registry("get_before_snapshot")
    while registry:
        function, arguments, keywords = registry.pop()
        function(*arguments, **keywords)


def run_after_restore():
    """First registered, first run; raises what a hook raises."""
    for function, arguments, keywords in _registry("get_after_restore"):
        function(*arguments, **keywords)


def _registry(name):
    # The module that the handler imported: ours, or the copy in its bundle. Without it there are no hooks.
    module = sys.modules.get("snapshot_restore_py")
    return getattr(module, name)() if module else []
