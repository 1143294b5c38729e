#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An emulated board: real MicroPython under QEMU, its flash and its card in image files.

usage: emu/board.py BOARD [options]

BOARD is mps2 (or armv7m), virt-rv32 (or rv32imc), xtensa (or xtensawin), which `make emu` builds,
or the folder that such a one was built in.
The serial line is stdin and stdout; the end of the input at the REPL switches the board off.

  --card IMG            image file of the card in the slot, up to 2 GiB; without it, no card
  --flash IMG           image file of the internal flash (an empty file becomes 2 MiB of blank
                        flash); without it, blank flash that is forgotten at the end
  --heap BYTES          MicroPython's heap, K or M may follow (128K)
  --exec BYTES|heap     memory for native code (256K); heap: it stays in MicroPython's heap
  --pin N=0|1           level from outside at GPIO N; repeatable. Others read 1
  --cut N               power fails at the N-th sector written to the card, hard resets included:
                        N-1 are written, exit status 75
  --card-init-fails N   the first N initialisations of the card time out
  --card-bad LBA[-LBA]  these sectors can't be read; repeatable
  --card-ro             the card can't be written
  --max-resets N        more than N resets, hard or soft, end the run with status 76
  --clock unset|host    the clock starts at 2000-01-01, as after power-on, or is right
  --stats FILE          counters as "name value" lines, written at the end
  --trace FILE          a line for each command of the card: r|w lba sectors
  --terminal LINK       the serial line is a terminal of its own, LINK a link to it: for mpremote.
                        The board runs until it is ended by a signal
  --web DIR             every server that the board connects to is one that serves DIR; without
                        it, the board's connections are the host's

Other options of the simulated board (build/sim/board --help) are taken as there: the same code reads
them. No time passes for --card-command-us and the like here.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXIT_RESET = 90  # emu.h
PR_SET_PDEATHSIG = 1
EXEC_MAX = 256 << 10
CARD_MAX = (2 << 30) - 512  # semihosting seeks in 31 bits
ALIASES = {"armv7m": "mps2", "rv32imc": "virt-rv32", "xtensawin": "xtensa"}
SEMIHOSTING = ["-semihosting-config", "enable=on,target=native"]
QUIET = ["-display", "none", "-serial", "none", "-monitor", "none"]
COMMANDS = {
    "mps2": ["qemu-system-arm", "-machine", "mps2-an385", *QUIET, *SEMIHOSTING, "-kernel"],
    "virt-rv32": ["qemu-system-riscv32", "-machine", "virt", "-bios", "none", *QUIET, *SEMIHOSTING]
    + ["-kernel"],
    "xtensa": ["qemu-xtensa", "-cpu", "dc233c"],
}
FILES = ("card", "flash", "stats", "trace")


def fail(message):
    sys.stderr.write("board: %s; --help lists the options\n" % message)
    sys.exit(2)


def size_of(name, text, least, most):
    match = re.fullmatch(r"(\d+)([KkMm]?)", text)
    size = int(match[1]) << {"": 0, "k": 10, "m": 20}[match[2].lower()] if match else -1
    if not least <= size <= most:
        fail('--%s: "%s" is not a size from %d to %dK' % (name, text, least, most >> 10))
    return size


class Options:
    """The command line: `files` of the host, `web`, `terminal`; `lines` for the board itself."""

    def __init__(self, arguments):
        self.files = {}
        self.web = None
        self.terminal = None
        self.lines = []
        arguments = list(arguments)
        while arguments:
            option = arguments.pop(0)
            name = option[2:]
            if option in ("--help", "-h"):
                print(__doc__.strip())
                sys.exit(0)
            if not option.startswith("--"):
                fail('unknown option "%s"' % option)
            elif option == "--card-ro":
                self.lines.append("card-ro 1")
            elif not arguments:
                fail("%s needs a value" % option)
            else:
                self.one(name, arguments.pop(0))

    def one(self, name, value):
        """What the board itself has to know, it checks."""
        if name in FILES:
            self.files[name] = value
            self.lines.append("%s %s" % (name, name))
        elif name == "exec":
            in_heap = value == "heap"
            size = (1 << 32) - 1 if in_heap else size_of(name, value, 0, EXEC_MAX)
            self.lines.append("exec %d" % size)
        elif name == "terminal":
            self.terminal = value
            if os.path.lexists(value):
                fail("--terminal: %s exists" % value)
        elif name == "web":
            self.web = Path(value)
            if not self.web.is_dir():
                fail("--web: %s is not a directory" % value)
        else:
            self.lines.append("%s %s" % (name, value))


def prepare(folder, options):
    """Gives the board its files, under the names that it knows them by."""
    for name in ("card", "flash"):
        image = options.files.get(name)
        if image is None:
            continue
        if not os.path.isfile(image):
            fail("the %s image %s can't be opened" % (name, image))
        if os.path.getsize(image) > CARD_MAX:
            fail("the %s image %s is larger than 2 GiB" % (name, image))
    if "flash" not in options.files:
        (folder / "flash").touch()
        options.lines.append("flash flash")
    for name, path in options.files.items():
        (folder / name).symlink_to(os.path.abspath(path))
    (folder / "options").write_text("".join(line + "\n" for line in options.lines))


class SerialLine:
    """stdin and stdout, or a terminal of its own, as the board's serial line (see uart.c)."""

    TICK = 0.005

    def __init__(self, folder, terminal):
        self.folder = folder
        source, target = 0, 1
        if terminal is not None:
            source, self.terminal = os.openpty()  # held open: mpremote may come and go
            target = source
            tty.setraw(self.terminal)
            Path(terminal).symlink_to(os.ttyname(self.terminal))
        self.shown, self.board_out = os.pipe()
        self.typed = os.open(folder / "typed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.mkfifo(folder / "ticks")
        self.ticks = os.open(folder / "ticks", os.O_RDWR | os.O_NONBLOCK)
        self.printer = threading.Thread(target=copy, args=(self.shown, target))
        self.printer.start()
        threading.Thread(target=self.receive, args=(source,), daemon=True).start()
        threading.Thread(target=self.keep_ticking, daemon=True).start()

    def receive(self, source):
        copy(source, self.typed, self.tick)
        (self.folder / "typed.end").touch()

    def tick(self):
        try:
            os.write(self.ticks, b".")
        except BlockingIOError:  # the board is busy
            pass

    def keep_ticking(self):
        while True:
            time.sleep(self.TICK)
            self.tick()

    def call(self, command):
        def die_with_us():
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        return subprocess.call(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.board_out,
            preexec_fn=die_with_us,
        )

    def close(self):
        os.close(self.board_out)
        self.printer.join()


def copy(source, target, each=lambda: None):
    try:
        while True:
            data = os.read(source, 4096)
            if not data:
                break
            while data:
                data = data[os.write(target, data) :]
            each()
    except OSError:  # nobody reads what the board says, or the folder is gone
        pass


def run(board, options):
    firmware = board / "firmware.elf"
    if not firmware.exists():
        fail("%s is not built: make emu" % firmware)
    # A signal must not leave the folder behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="board") as folder:
        folder = Path(folder)
        prepare(folder, options)
        from network import Network

        network = Network(folder, options.web)
        serial = SerialLine(folder, options.terminal)
        try:
            status = EXIT_RESET
            while status == EXIT_RESET:
                network.hang_up()
                status = serial.call([*COMMANDS[board.name], firmware])
        finally:
            serial.close()
            network.close()
            if options.terminal:
                os.unlink(options.terminal)
    if status < 0:
        sys.stderr.write("board: the emulator was ended by signal %d\n" % -status)
        return 128 - status
    return status


def main(arguments):
    if not arguments or arguments[0] in ("--help", "-h"):
        print(__doc__.strip())
        return 0 if arguments else 2
    board = Path(ALIASES.get(arguments[0], arguments[0]))
    if board.name not in COMMANDS:
        fail('there is no board "%s", only %s' % (board, ", ".join(COMMANDS)))
    if len(board.parts) == 1:
        board = ROOT / "build" / "emu" / board
    board = board.absolute()
    return run(board, Options(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
