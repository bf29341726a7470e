"""Imports the handler once, then forks a worker for each order.

Descriptor 3 is a socket of packets (SOCK_SEQPACKET) to the template.

    to it     R                                the handler is imported, and what it registered for before the snapshot has run
              E  {errorMessage, …}             it cannot be imported; the zygote ends with status 1
              X  u32le token, i32le status     the worker of that order has ended, with this status of waitpid()
    from it   F  u32le token, u8 count         fork a worker, with descriptors: its call socket (SOCK_STREAM), the pipe of its
                                               log, so many namespaces that it enters (see cells.py), and files of tasks of
                                               the groups that it joins
    end                                        the zygote ends

A worker introduces itself on its call socket, see frames.py; its keeper knows its pid from the kernel.
"""

import faulthandler
import gc
import os
import select
import socket
import sys
import threading
import time

from . import cells, failures, frames, handlers, hooks, logs, loops, renewal
from .context import Context
from .worker import KeeperGone, Worker

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ORDERS = 3
_ORDER_BYTES = 6
# A call socket, a log, namespaces, and one group for each thing that is counted.
_DESCRIPTORS_MAX = 4 + cells.COUNT
_WORKER_OPTION = "--worker"


def main(arguments):
    """`HANDLER`: the zygote. `HANDLER --worker DESCRIPTOR`: one worker that imports for itself."""
    handler_name = arguments[0]
    logs.prepare_streams()
    logs.prepare_logging()
    faulthandler.enable()
    handlers.extend_path(_ROOT)
    if arguments[1:2] == [_WORKER_OPTION]:
        return _run_alone(handler_name, socket.socket(fileno=int(arguments[2])))
    orders = socket.socket(fileno=_ORDERS)
    orders.set_inheritable(False)
    try:
        handler = handlers.find(handler_name)
        hooks.run_before_snapshot()
    except BaseException as error:
        document = failures.describe(error)
        failures.log(document)
        orders.send(b"E" + failures.encode(document))
        return 1
    return Zygote(orders, handler).run()


class Zygote:
    """A process with the handler in memory that obeys a template."""

    def __init__(self, orders, handler):
        self._orders = orders
        self._handler = handler
        # (pid, token) by pidfd: what happens to a fork is an event like an order, and no signal handler of ours is needed.
        self._workers = {}
        self._poll = select.poll()
        self._poll.register(orders, select.POLLIN)
        self._imports_anew = _has_threads()
        self._doorway = cells.Doorway()

    def run(self):
        loops.find()
        # What the import left is neither garbage nor touched by collections in the forks, so their pages stay shared.
        gc.collect()
        gc.freeze()
        logs.flush()
        self._orders.send(b"R")
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor != self._orders.fileno():
                    self._bury(descriptor)
                elif not self._obey():
                    return 0

    def _obey(self):
        """Carries out one order; False at the end of orders."""
        order, descriptors, _, _ = socket.recv_fds(self._orders, 64, _DESCRIPTORS_MAX, socket.MSG_CMSG_CLOEXEC)
        if not order:
            return False
        if order[:1] != b"F" or len(order) != _ORDER_BYTES or len(descriptors) < 2 + order[5] or order[5] not in (0, cells.COUNT):
            raise ValueError(f"an order of {len(order)} bytes with {len(descriptors)} descriptors is none that is known")
        try:
            namespaces, groups = descriptors[2 : 2 + order[5]], descriptors[2 + order[5] :]
            self._fork(order[1:5], descriptors[:2], namespaces, groups)
        except OSError as error:
            # The keeper sees its call socket close, and the reason is in the log.
            print(f"thaw: no worker could be forked: {error}", file=sys.stderr)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _fork(self, token, lines, namespaces, groups):
        logs.flush()
        with self._doorway.to(namespaces):
            pid = os.fork()
            if pid == 0:
                _end_with(self._become_worker, lines, namespaces, groups)
        watch = os.pidfd_open(pid)
        self._workers[watch] = (pid, token)
        self._poll.register(watch, select.POLLIN)

    def _bury(self, watch):
        pid, token = self._workers.pop(watch)
        self._poll.unregister(watch)
        os.close(watch)
        try:
            _, status = os.waitpid(pid, 0)
        except ChildProcessError:
            # The author's code ignores SIGCHLD, so the kernel has buried it.
            return
        self._orders.send(b"X" + token + status.to_bytes(4, "little", signed=True))

    def _become_worker(self, lines, namespaces, groups):
        """In the fork: joins its groups before it touches memory, lets go of the zygote's things, and serves."""
        calls, log = lines
        for group in groups:
            os.write(group, b"0")
        cells.settle(namespaces)
        for descriptor in [*namespaces, *groups]:
            os.close(descriptor)
        self._orders.close()
        self._doorway.close()
        for watch in self._workers:
            os.close(watch)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        if self._imports_anew:
            os.set_inheritable(calls, True)
            os.execv(sys.executable, [*sys.orig_argv, _WORKER_OPTION, str(calls)])
        connection = socket.socket(fileno=calls)
        try:
            renewal.renew()
            _name_log_stream()
            hooks.run_after_restore()
        except (Exception, SystemExit) as error:
            return _refuse(error, connection)
        return _serve(self._handler, connection)


def _has_threads():
    """Whether the import left threads running, which no fork would have: then each worker imports for itself."""
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if names:
        print(
            f"thaw: importing the handler left threads running ({', '.join(names)}), so each worker imports it anew, which is"
            " slow; end them in a hook before the snapshot, or start them in the first call",
            file=sys.stderr,
        )
    return bool(names)


def _run_alone(handler_name, connection):
    """A worker of a handler that cannot be forked. All hooks run all the same: a handler may count on what they make."""
    connection.set_inheritable(False)
    _name_log_stream()
    try:
        handler = handlers.find(handler_name)
        hooks.run_before_snapshot()
        hooks.run_after_restore()
    except (Exception, SystemExit) as error:
        return _refuse(error, connection)
    # Threads of the author's must not keep a process alive that has nobody left to serve.
    _end_with(_serve, handler, connection)


def _serve(handler, connection):
    Context.read_environment()
    Worker(handler, connection).run()
    return 0


def _refuse(error, connection):
    """An ERROR instead of the HELLO: this worker will serve no call."""
    document = failures.describe(error)
    failures.log(document)
    connection.sendall(frames.frame(frames.ERROR, failures.encode(document)))
    return 1


def _end_with(body, *arguments):
    """Ends this process with the status that `body` returns or exits with; its caller's stack is the zygote's."""
    status = os.EX_SOFTWARE
    try:
        status = body(*arguments)
    except SystemExit as error:
        status = failures.exit_status(error)
    except KeeperGone:
        status = 0
    except BaseException as error:
        failures.print_unraisable(error)
    finally:
        logs.flush()
        os._exit(status)


def _name_log_stream():
    """Each worker has a log stream of its own, as an environment of Lambda does."""
    version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    day = time.strftime("%Y/%m/%d", time.gmtime())
    os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] = f"{day}/[{version}]{os.urandom(16).hex()}"
