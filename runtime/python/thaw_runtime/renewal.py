"""What must not be the same in two forks of one process.

Python itself re-seeds the functions of `random`, and OpenSSL its generator; `os.urandom`, `secrets` and `uuid4` ask the
kernel. Left alone are generators that a module made for itself at import (`random.Random()`, `numpy.random.default_rng()`):
nobody can tell those from the ones that were seeded on purpose. Make them in a hook that runs after the restore.
"""

import os
import sys

from . import loops


def renew():
    """Makes this process, a fresh fork, differ from its siblings; modules that are not loaded stay so."""
    _with("random", lambda random: random.seed())
    # Sixteen words of the kernel: without them numpy would take its legacy generator's state from the zygote.
    _with("numpy.random", lambda random: random.seed(list(memoryview(os.urandom(64)).cast("I"))))
    _with("uuid", _forget_node)
    _with("tempfile", _forget_names)
    _with("multiprocessing.process", _renew_key)
    loops.renew()


def _with(name, act):
    module = sys.modules.get(name)
    if module is None:
        return
    try:
        act(module)
    except Exception as error:
        # A module of the author's by the same name, or one of another version: its state is what it is.
        print(f"thaw: the state of {name} could not be renewed: {error}", file=sys.stderr)


def _forget_node(uuid):
    """uuid1() takes the machine's address, or a random one, once."""
    uuid._node = None
    uuid._last_timestamp = None


def _forget_names(tempfile):
    """The directory is looked for again, and names are drawn anew."""
    tempfile.tempdir = None
    tempfile._name_sequence = None


def _renew_key(process):
    """The secret that its connections prove, and the folder of their sockets."""
    process.current_process().authkey = os.urandom(32)
    process.current_process()._config.pop("tempdir", None)
