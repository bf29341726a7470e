"""Imports, hooks, forks and ends."""

import os
import signal
import tempfile
import unittest

from keeper import Ended, RuntimeCase


class Imports(RuntimeCase):
    def refusal(self, app, **options):
        return self.template(app, **options).refusal()

    def test_a_module_that_is_not_there_is_named(self):
        refusal = self.refusal("", handler="other.handler")
        self.assertEqual(refusal["errorType"], "Runtime.ImportModuleError")
        self.assertEqual(refusal["errorMessage"], "Unable to import module 'other': No module named 'other'")
        self.assertEqual(refusal["stackTrace"], [])
        self.assertEqual(self.refusal("import nothing_like_it")["errorType"], "Runtime.ImportModuleError")

    def test_a_handler_that_is_not_there_is_named(self):
        refusal = self.refusal("def other(): pass")
        self.assertEqual(refusal["errorType"], "Runtime.HandlerNotFound")
        self.assertEqual(refusal["errorMessage"], "Handler 'handler' missing on module 'app'")
        self.assertEqual(self.refusal("", handler="app")["errorType"], "Runtime.MalformedHandlerName")
        self.assertEqual(self.refusal("", handler="sys.exit")["errorType"], "Runtime.BuiltInModuleConflict")

    def test_a_syntax_error_is_shown_with_its_line(self):
        refusal = self.refusal("x = 1\ndef handler(:\n")
        self.assertEqual(refusal["errorType"], "Runtime.UserCodeSyntaxError")
        self.assertTrue(refusal["errorMessage"].startswith("Syntax error in module 'app': invalid syntax"))
        self.assertIn("app.py\" Line 2\n    def handler(:", refusal["stackTrace"][0])

    def test_an_error_of_the_import_keeps_its_name_and_trace(self):
        refusal = self.refusal("def f():\n    raise ValueError('no ' * 10000)\nf()\n")
        self.assertEqual(refusal["errorType"], "ValueError")
        self.assertEqual(len(refusal["errorMessage"]), 8 * 1024)
        self.assertEqual([entry.split(", ")[1] for entry in refusal["stackTrace"]], ["line 3", "line 2"])

    def test_leaving_during_the_import_is_an_exit(self):
        self.assertEqual(self.refusal("import sys\nsys.exit(3)\n")["errorType"], "Runtime.ExitError")
        silent = self.template("import os\nos._exit(4)\n")
        self.assertRaises(Ended, silent.packet)
        self.assertEqual(silent.process.wait(), 4)

    def test_a_handler_may_lie_in_a_folder(self):
        files = {"parts/deep.py": "def handler(event, context): return 'deep'\n"}
        for handler in ["parts/deep.handler", "parts.deep.handler"]:
            self.assertEqual(self.worker("", handler=handler, **files).call({}).value, "deep")

    def test_the_import_happens_once_for_all_workers(self):
        template = self.template("print('imported')\ndef handler(event, context): return 1\n").ready()
        for token in range(3):
            self.assertEqual(template.fork(token).greeted().call({}).value, 1)
        self.assertEqual(template.printed().count("imported"), 1)


class Hooks(RuntimeCase):
    APP = """
from snapshot_restore_py import register_after_restore, register_before_snapshot
told = []
@register_before_snapshot
def first(): told.append("before 1")
register_before_snapshot(told.append, "before 2")
register_after_restore(told.append, "after 1")
@register_after_restore
def last(): told.append("after 2")
def handler(event, context): return told
"""

    def test_hooks_run_in_the_order_of_snapstart(self):
        template = self.template(self.APP).ready()
        for _ in range(2):
            told = template.fork().greeted().call({}).value
            self.assertEqual(told, ["before 2", "before 1", "after 1", "after 2"])

    def test_a_bundle_may_bring_its_own_copy_of_the_hooks(self):
        copy = """
registry = []
def register_after_restore(f): registry.append((f, (), {}))
def register_before_snapshot(f): pass
def get_before_snapshot(): return []
def get_after_restore(): return registry
"""
        worker = self.worker(self.APP.replace('(told.append, "before 2")', "(first)").replace(
            'register_after_restore(told.append, "after 1")', ""), snapshot_restore_py__py=copy)
        self.assertEqual(worker.call({}).value, ["after 2"])

    def test_a_hook_that_fails_before_the_snapshot_refuses_the_function(self):
        app = "import snapshot_restore_py as s\ns.register_before_snapshot(lambda: 1 / 0)\ndef handler(e, c): pass\n"
        self.assertEqual(self.template(app).refusal()["errorType"], "ZeroDivisionError")

    def test_a_hook_that_fails_after_the_restore_refuses_the_worker(self):
        app = "import snapshot_restore_py as s\ns.register_after_restore(lambda: 1 / 0)\ndef handler(e, c): pass\n"
        template = self.template(app).ready()
        for token in range(2):
            self.assertEqual(template.fork(token).reply().error["errorType"], "ZeroDivisionError")
            self.assertEqual(template.exit_status(), (token, 1))


class Renewal(RuntimeCase):
    def test_no_two_workers_draw_the_same(self):
        template = self.template(
            """
import multiprocessing, random, ssl, tempfile, uuid
random.seed(1)
uuid.uuid1(), uuid.getnode(), tempfile.gettempdir()
next(tempfile._get_candidate_names())
def handler(event, context):
    return [random.random(), str(uuid.uuid1()), str(uuid.uuid4()), next(tempfile._get_candidate_names()),
            ssl.RAND_bytes(8).hex(), bytes(multiprocessing.current_process().authkey).hex(), context.log_stream_name]
"""
        ).ready()
        draws = [template.fork().greeted().call({}).value for _ in range(3)]
        for row in zip(*draws):
            self.assertEqual(len(set(row)), 3, row)

    def test_numpy_draws_anew(self):
        template = self.template(
            """
try:
    import numpy
    numpy.random.seed(1)
except ImportError:
    numpy = None
def handler(event, context):
    return numpy and [float(numpy.random.rand()), float(numpy.random.default_rng().random())]
"""
        ).ready()
        draws = [template.fork().greeted().call({}).value for _ in range(3)]
        if draws[0] is None:
            self.skipTest("numpy is not installed")
        for row in zip(*draws):
            self.assertEqual(len(set(row)), 3, row)

    def test_the_directory_for_temporary_files_is_looked_for_again(self):
        worker = self.worker(
            """
import os, tempfile
import snapshot_restore_py
tempfile.gettempdir()
@snapshot_restore_py.register_after_restore
def move(): os.environ["TMPDIR"] = os.getcwd()
def handler(event, context): return tempfile.gettempdir() == os.getcwd()
"""
        )
        self.assertEqual(worker.call({}).value, True)

    def test_locks_of_logging_are_free_in_a_worker(self):
        worker = self.worker("import logging\nlogging.warning('x')\ndef handler(e, c): logging.warning('hello')\n")
        worker.call({}, id="the-call")
        self.assertRegex(worker.hang_up(), r"^\[WARNING\]\t\d{4}-\d\d-\d\dT[\d:.]+Z\tthe-call\thello\n$")

    def test_a_module_that_left_threads_is_imported_by_each_worker(self):
        template = self.template(
            """
import os, queue, threading
import snapshot_restore_py
told = []
snapshot_restore_py.register_before_snapshot(told.append, "before")
snapshot_restore_py.register_after_restore(told.append, "after")
questions, answers = queue.Queue(), queue.Queue()
def work():
    while True:
        answers.put(questions.get() + 1)
threading.Thread(target=work, name="adder", daemon=True).start()
importer = os.getpid()
def handler(event, context):
    questions.put(event)
    return [answers.get(timeout=10), importer == os.getpid(), told]
"""
        ).ready()
        first, second = template.fork().greeted(), template.fork().greeted()
        self.assertEqual([first.call(1).value, second.call(2).value], [[2, True, ["before", "after"]], [3, True, ["before", "after"]]])
        self.assertIn("left threads running (adder)", template.printed())

    def test_threads_that_a_hook_ends_are_no_obstacle(self):
        template = self.template(
            """
import os, threading
import snapshot_restore_py
done = threading.Event()
thread = threading.Thread(target=done.wait)
thread.start()
@snapshot_restore_py.register_before_snapshot
def stop():
    done.set()
    thread.join()
importer = os.getpid()
def handler(event, context): return importer == os.getpid()
"""
        ).ready()
        self.assertEqual(template.fork().greeted().call({}).value, False)
        self.assertEqual(template.printed(), "")


class Ends(RuntimeCase):
    def test_an_exception_is_told_as_lambda_tells_it(self):
        worker = self.worker(
            "def inner(): raise ValueError('bad\\ud800')\ndef handler(event, context):\n    inner()\n"
        )
        error = worker.call({}, id="the-call").error
        self.assertEqual(
            {key: error[key] for key in error if key != "stackTrace"},
            {"errorMessage": "bad\ud800", "errorType": "ValueError", "requestId": "the-call"},
        )
        self.assertEqual([entry.rsplit(" in ")[1].split("\n")[0] for entry in error["stackTrace"]], ["handler", "inner"])
        self.assertEqual(worker.call({}).error["errorType"], "ValueError")
        self.assertIn("[ERROR] ValueError: bad\\ud800\nTraceback (most recent call last):\n", worker.hang_up())

    def test_a_deep_recursion_is_an_error_of_bounded_length(self):
        error = self.worker("def handler(event, context): again()\ndef again(): handler(0, 0)\n").call({}).error
        self.assertEqual((error["errorType"], len(error["stackTrace"])), ("RecursionError", 41))

    def test_leaving_is_told_and_ends_the_worker_only(self):
        template = self.template("import os, sys\ndef handler(e, c): (os._exit if e < 0 else sys.exit)(abs(e))\n").ready()
        for token, (event, reason) in enumerate(
            [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")]
        ):
            worker = template.fork(token).greeted()
            error = worker.call(event, id="i").error
            self.assertEqual((error["errorType"], error["errorMessage"]), ("Runtime.ExitError", f"RequestId: i Error: {reason}"))
            self.assertEqual(template.exit_status(), (token, event))
        worker = template.fork(7).greeted()
        with self.assertRaises(Ended):
            worker.call(-5)
        self.assertEqual(template.exit_status(), (7, 5))

    def test_a_worker_that_is_killed_is_reported_with_its_signal(self):
        template = self.template("import os\ndef handler(e, c): return os.abort() if e else os.getpid()\n").ready()
        worker = template.fork(1).greeted()
        self.assertEqual(worker.call(False).value, worker.pid)
        self.assertRaises(Ended, worker.call, True)
        self.assertEqual(template.exit_status(), (1, -signal.SIGABRT))
        self.assertIn("Fatal Python error: Aborted", worker.printed())

    def test_a_worker_ends_when_its_keeper_hangs_up(self):
        template = self.template("def handler(event, context):\n    while True: yield 'x' * 100000\n").ready()
        idle, busy = template.fork(1).greeted(), template.fork(2).greeted()
        idle.hang_up()
        self.assertEqual(template.exit_status(), (1, 0))
        busy.send(b"{}")
        busy.frame()
        busy.hang_up()
        self.assertEqual(template.exit_status(), (2, 0))

    def test_the_zygote_ends_with_its_orders_and_without_its_workers_help(self):
        template = self.template("def handler(event, context): return event\n").ready()
        worker = template.fork().greeted()
        template._orders.shutdown(2)
        self.assertEqual(template.process.wait(10), 0)
        self.assertEqual(worker.call(1).value, 1)

    def test_what_is_printed_goes_to_the_log_of_its_worker_before_the_reply_ends(self):
        template = self.template(
            "import os, sys\ndef handler(e, c):\n    print(e, end='')\n    print('err ü', file=sys.stderr)\n    os.system('echo sub')\n"
        ).ready()
        first, second = template.fork().greeted(), template.fork().greeted()
        first.call("one"), second.call("two")
        self.assertEqual(first.hang_up(), "err ü\nsub\none")
        self.assertEqual(second.hang_up(), "err ü\nsub\ntwo")

    def test_a_worker_joins_its_groups_before_all_else(self):
        template = self.template("def handler(event, context): return event\n").ready()
        with tempfile.TemporaryFile() as memory, tempfile.TemporaryFile() as processors:
            template.fork(groups=[memory.fileno(), processors.fileno()]).greeted()
            for group in [memory, processors]:
                group.seek(0)
                self.assertEqual(group.read(), b"0")

    def test_a_worker_holds_only_what_is_its_own(self):
        template = self.template("import os\ndef handler(e, c): return sorted(os.listdir('/proc/self/fd'), key=int)\n").ready()
        workers = [template.fork(token).greeted() for token in range(4)]
        counts = {len(worker.call({}).value) for worker in workers}
        # stdin, stdout, stderr, its calls, and the folder that it is listing.
        self.assertEqual(counts, {5})
        self.assertEqual(len(os.listdir(f"/proc/{template.process.pid}/fd")), 5 + len(workers))


if __name__ == "__main__":
    unittest.main()
