"""Finds the function that `handler:` names."""

import glob
import importlib
import os
import sys

from .failures import Fault


def extend_path(runtime_root):
    """Puts the author's code first, then layers, then this runtime: the order of Lambda."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = f"/opt/python/lib/{version}/site-packages"
    # Layers are often made with a newer Python than the node's; what of them is Python alone runs here too.
    others = sorted(glob.glob("/opt/python/lib/python3.*/site-packages"), reverse=True)
    ahead = [
        os.environ.get("LAMBDA_TASK_ROOT", os.getcwd()),
        own,
        *(path for path in others if path != own),
        "/opt/python",
        runtime_root,
    ]
    sys.path[:] = ahead + [path for path in sys.path if path not in ahead]


def find(handler):
    """The function of `module.function`; raises `Fault`, or what the module raised.

    Names and words of the faults are those of Lambda's own runtime, since people search for them.
    """
    module_name, dot, function_name = handler.rpartition(".")
    if not dot or not module_name or not function_name:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': it should be module.function")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").rstrip()}'
        raise Fault(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", [place]
        ) from error
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from None
