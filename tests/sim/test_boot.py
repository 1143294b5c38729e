# SPDX-License-Identifier: MIT
# The boot order of ESP32's firmware, resets and what outlives them.
import socket
import subprocess
import unittest
from board import BOARD, Bench


class BootOrder(unittest.TestCase):
    def board(self, files, *options, **kwargs):
        bench = Bench(files)
        self.addCleanup(bench.dir.cleanup)
        return bench.run(*options, **kwargs)

    def test_blank_flash_is_formatted_once(self):
        with Bench() as bench:
            first = bench.run(stdin="import os\nprint(os.listdir('/'))\n")
            second = bench.run()
        self.assertIn("Performing initial setup", first.out)
        self.assertIn("['boot.py']", first.out)
        self.assertEqual(first.status, 0)
        self.assertGreater(first.stats["flash_writes"], 0)
        self.assertNotIn("initial setup", second.out)
        self.assertEqual(second.stats["flash_writes"], 0)

    def test_boot_main_repl(self):
        r = self.board({"boot.py": "print('B')", "main.py": "print('M')"}, stdin="print('R')\n")
        at = [r.out.index(s) for s in ("\nB\n", "\nM\n", "MicroPython v1.25", "\nR\n")]
        self.assertEqual(at, sorted(at))
        self.assertEqual(r.status, 0)

    def test_lib_is_on_the_path(self):
        r = self.board({"main.py": "import m, sys; print(m.x, sys.path)", "lib/m.py": "x = 7"})
        self.assertIn("7 ['', '.frozen', '/lib']", r.out)

    def test_no_host_files(self):
        r = self.board({"boot.py": "import os\nprint(os.listdir('/'))\nopen('/etc/passwd')"})
        self.assertIn("['boot.py']", r.out)
        self.assertIn("ENOENT", r.out)

    def test_exception_in_boot_keeps_main_from_running(self):
        r = self.board({"boot.py": "1 / 0", "main.py": "print('M')"}, stdin="print('R')\n")
        self.assertIn("ZeroDivisionError", r.out)
        self.assertNotIn("\nM\n", r.out)
        self.assertIn("\nR\n", r.out)
        self.assertEqual(r.stats["resets_soft"], 0)

    def test_system_exit_in_boot_is_an_endless_soft_reset(self):
        files = {"boot.py": "print('B')\nraise SystemExit", "main.py": "print('M')"}
        r = self.board(files, "--max-resets", 5)
        self.assertEqual(r.status, 76)
        self.assertEqual(r.out.count("B\n"), 6)
        self.assertEqual(r.out.count("MPY: soft reboot"), 6)
        self.assertNotIn("M\n", r.out.replace("MPY", ""))
        self.assertIn("--max-resets", r.err)

    def test_system_exit_in_main_is_a_soft_reset(self):
        text = "import machine, sys\nif machine.reset_cause() != machine.SOFT_RESET: sys.exit()\n"
        r = self.board({"main.py": text + "print('second')"})
        self.assertIn("second", r.out)
        self.assertEqual((r.stats["resets_soft"], r.stats["resets_hard"]), (1, 0))

    def test_hard_reset(self):
        text = "import machine\nprint('cause', machine.reset_cause())\n"
        text += "if machine.reset_cause() == machine.PWRON_RESET: machine.reset()\n"
        r = self.board({"main.py": text})
        self.assertIn("cause 1\n", r.out)
        self.assertIn("rst:0xc (SW_CPU_RESET)", r.out)
        self.assertIn("cause 2\n", r.out)
        self.assertEqual((r.stats["resets_soft"], r.stats["resets_hard"]), (0, 1))

    def test_input_outlives_a_hard_reset(self):
        r = self.board({}, stdin="import machine; machine.reset()\nprint('after', 6 * 7)\n")
        self.assertIn("after 42", r.out)

    def test_deepsleep(self):
        text = "import machine, time\n"
        text += "if machine.reset_cause() == machine.DEEPSLEEP_RESET: print('woke')\n"
        text += "else: machine.deepsleep(50)\n"
        self.assertIn("woke", self.board({"main.py": text}).out)

    def test_soft_reset_forgets_and_closes(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]  # free a moment ago
        text = "import socket\ns = socket.socket()\n"
        text += "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        text += "s.bind(socket.getaddrinfo('127.0.0.1', %d)[0][-1])\n" % port
        text += "s.listen(1)\n"
        text += "print('bound')\nimport machine\n"
        text += "if machine.reset_cause() != machine.SOFT_RESET: machine.soft_reset()\n"
        r = self.board({"main.py": text})
        self.assertEqual(r.out.count("bound"), 2)

    def test_heap_is_limited(self):
        text = "try:\n    b = bytearray(150000)\n    print('got it')\n"
        text += "except MemoryError:\n    print('no memory')\n"
        self.assertIn("no memory", self.board({"main.py": text}, "--heap", "100K").out)
        self.assertIn("got it", self.board({"main.py": text}, "--heap", "256K").out)

    def test_clock_starts_in_2000_and_survives_a_reset(self):
        text = "import time, machine\nprint(time.localtime()[:3])\n"
        text += "if machine.reset_cause() == 1:\n"
        text += "    machine.RTC().datetime((2026, 11, 22, 6, 12, 0, 0, 0))\n    machine.reset()\n"
        r = self.board({"main.py": text})
        self.assertIn("(2000, 1, 1)\n", r.out)
        self.assertIn("(2026, 11, 22)\n", r.out)


class Options(unittest.TestCase):
    def refused(self, *args):
        done = subprocess.run([BOARD, *args], capture_output=True, text=True, timeout=5)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("board: ", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_mistakes(self):
        self.refused("--nonsense")
        self.refused("--nonsense", "x")
        self.refused("card.img")
        self.refused("--card")
        self.refused("--heap", "12Q")
        self.refused("--heap", "4K")
        self.refused("--pin", "18")
        self.refused("--pin", "18=2")
        self.refused("--pin", "40=1")
        self.refused("--cut", "-1")
        self.refused("--card-bad", "1-x")
        self.refused("--unique-id", "12")
        self.refused("--unique-id", "zz0000000000")
        self.refused("--wifi-delay", "soon")
        self.refused("--clock", "1970")

    def test_missing_images(self):
        self.refused("--card", "/nonexistent/card.img")
        self.refused("--flash", "/nonexistent/flash.img")

    def test_help(self):
        done = subprocess.run([BOARD, "--help"], capture_output=True, text=True, timeout=5)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--card-init-fails", done.stdout)

    def test_unique_id(self):
        with Bench({"boot.py": "import machine; print(machine.unique_id().hex())"}) as bench:
            self.assertIn("\n0123456789ab\n", bench.run("--unique-id", "0123456789AB").out)


if __name__ == "__main__":
    unittest.main()
