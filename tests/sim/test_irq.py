# SPDX-License-Identifier: MIT
# Timers and the watchdog work whatever Python does; the REPL works on a terminal.
import signal
import unittest
from board import Bench


class Interrupts(unittest.TestCase):
    def board(self, text, *options, **kwargs):
        bench = Bench({"main.py": text})
        self.addCleanup(bench.dir.cleanup)
        return bench.run(*options, **kwargs)

    def test_timer_fires_in_an_endless_loop(self):
        text = "from machine import Timer\nimport machine\nn = 0\n"
        text += "def tick(t):\n    global n\n    n += 1\n    print('tick', n, t)\n"
        text += "    if n == 3: machine.reset()\n"
        text += "if machine.reset_cause() == 1:\n"
        text += "    Timer(1, mode=Timer.PERIODIC, period=20, callback=tick)\n"
        text += "    while True: pass\n"
        r = self.board(text)
        self.assertIn("tick 3 Timer(1, mode=PERIODIC, period=20)", r.out)
        self.assertEqual(r.stats["resets_hard"], 1)

    def test_timer_fires_in_sleep_and_in_a_blocking_socket(self):
        text = "from machine import Timer\nimport socket, time, machine\n"
        text += "t = Timer(0)\n"
        text += "t.init(mode=Timer.ONE_SHOT, period=30, callback=lambda t: print('one'))\n"
        text += "time.sleep_ms(100)\n"
        text += "def two(t):\n    print('two')\n    machine.reset()\n"
        text += "s = socket.socket()\ns.bind(socket.getaddrinfo('127.0.0.1', 0)[0][-1])\n"
        text += "s.listen(1)\n"
        text += "if machine.reset_cause() == 1:\n"
        text += "    t.init(mode=Timer.ONE_SHOT, period=30, callback=two)\n    s.accept()\n"
        r = self.board(text)
        self.assertEqual((r.out.count("one"), r.out.count("two")), (2, 1))

    def test_timer_arguments(self):
        text = "from machine import Timer\nfor f in (lambda: Timer(4), lambda: Timer(),\n"
        text += "        lambda: Timer(0, Timer.ONE_SHOT), lambda: Timer(0, hz=1)):\n"
        text += "    try: print(f())\n    except Exception as e: print(type(e).__name__)\n"
        r = self.board(text)
        for name in ("ValueError", "TypeError\nTypeError\nTypeError"):
            self.assertIn(name, r.out)

    def test_soft_reset_stops_timers(self):
        text = "from machine import Timer\nimport machine, time\n"
        text += "if machine.reset_cause() == 1:\n"
        text += "    Timer(2, period=30, callback=lambda t: print('tick'))\n"
        text += "    machine.soft_reset()\ntime.sleep_ms(120)\nprint('quiet')\n"
        r = self.board(text)
        self.assertIn("quiet", r.out)
        self.assertNotIn("tick", r.out)

    def test_watchdog_in_an_endless_loop(self):
        text = "import machine, time\nprint('cause', machine.reset_cause())\n"
        text += "if machine.reset_cause() == machine.PWRON_RESET:\n"
        text += "    w = machine.WDT(timeout=100)\n"
        text += "    for i in range(6):\n        time.sleep_ms(40)\n        w.feed()\n"
        text += "    print('fed')\n    while True: pass\n"
        r = self.board(text)
        self.assertIn("cause 1\nfed\n", r.out)
        self.assertIn("cause 3\n", r.out)
        self.assertEqual(r.stats["resets_hard"], 1)

    def test_watchdog_with_interrupts_off(self):
        text = "import machine\nif machine.reset_cause() == machine.PWRON_RESET:\n"
        text += "    machine.WDT(timeout=60)\n    machine.disable_irq()\n    while True: pass\n"
        self.assertEqual(self.board(text).stats["resets_hard"], 1)

    def test_wifi(self):
        text = "import network, time\nw = network.WLAN(network.STA_IF)\n"
        text += "try: w.connect('a', 'b')\nexcept OSError as e: print(e)\n"
        text += "w.active(True)\nw.connect('net', 'key')\nprint(w.isconnected())\n"
        text += "time.sleep_ms(120)\nprint(w.isconnected(), w.ifconfig()[0], w.config('ssid'))\n"
        r = self.board(text, "--wifi-delay", 100)
        self.assertIn("Wifi Not Started\nFalse\nTrue 127.0.0.1 net\n", r.out)
        r = self.board(text, "--wifi-delay", "never")
        self.assertIn("False 0.0.0.0 net", r.out)


class TerminalRepl(unittest.TestCase):
    def terminal(self, files, *options):
        self.bench = Bench(files)
        self.addCleanup(self.bench.dir.cleanup)
        term = self.bench.terminal(*options)
        self.addCleanup(term.__exit__)
        return term

    def test_repl(self):
        t = self.terminal({"main.py": "print('M')"})
        t.expect("Ctrl-] leaves it")
        t.expect("\nM\r\n")
        t.expect(">>> ")
        t.send("x = 6\r")
        t.expect(">>> ")
        t.send("x * 8\x7f7\r")
        t.expect("\n42\r\n>>> ")
        t.send("\x1b[A\r")  # history
        t.expect("\n42\r\n>>> ")
        t.send("exec('print(\"g\" + \"o\")\\nwhile True: pass')\r")
        t.expect("\ngo\r\n")
        t.send("\x03")
        t.expect("KeyboardInterrupt")
        t.expect(">>> ")
        t.send("import time; print('z' + 'z'); time.sleep(9)\r")
        t.expect("\nzz\r\n")
        t.send("\x03")
        t.expect("KeyboardInterrupt")
        t.expect(">>> ")
        t.send("\x04")
        t.expect("MPY: soft reboot")
        t.expect("\nM\r\n")
        t.expect(">>> ")
        t.send("x\r")
        t.expect("NameError")
        t.expect(">>> ")
        t.send("\x1d")
        t.expect("switched off")
        self.assertEqual(t.wait(), 0)
        self.assertEqual(self.bench.read_stats()["resets_soft"], 1)

    def test_ctrl_c_reaches_main(self):
        t = self.terminal({"main.py": "print('running')\nwhile True: pass"})
        t.expect("running")
        t.send("\x03")
        t.expect("KeyboardInterrupt")
        t.expect(">>> ")

    def test_leaving_an_endless_loop(self):
        t = self.terminal({"main.py": "print('running')\nwhile True: pass"})
        t.expect("running")
        t.send("\x1d")
        self.assertEqual(t.wait(), 0)

    def test_raw_repl(self):
        t = self.terminal({"main.py": "print('M')"})
        t.expect(">>> ")
        t.send("\x01")
        t.expect("raw REPL; CTRL-B to exit\r\n>")
        t.send("print(1 + 2)\x04")
        t.expect("OK3\r\n\x04\x04>")
        t.send("\x04")  # soft reset in raw mode: main.py does not run
        self.assertNotIn("\nM\r\n", t.expect("raw REPL; CTRL-B to exit\r\n>"))
        t.send("\x02")
        t.expect(">>> ")

    def test_timer_while_the_repl_waits(self):
        t = self.terminal({})
        t.expect(">>> ")
        t.send("from machine import Timer\r")
        t.expect(">>> ")
        t.send("_ = Timer(3, mode=0, period=50, callback=lambda t: print('t', 'icked'))\r")
        t.expect("t icked")

    def test_signal_switches_off(self):
        t = self.terminal({})
        t.expect(">>> ")
        t.process.send_signal(signal.SIGTERM)
        self.assertEqual(t.wait(), 128 + signal.SIGTERM)
        self.assertIn("flash_writes", self.bench.read_stats())


if __name__ == "__main__":
    unittest.main()
