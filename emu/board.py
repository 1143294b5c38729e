#!/usr/bin/python3
"""An emulated board: real MicroPython under QEMU, its flash and its card in image files.

usage: emu/board.py BOARD [options]

BOARD is mps2 (or armv7m), virt-rv32 (or rv32imc), xtensa (or xtensawin); `make emu` builds them.
The serial line is stdin and stdout; the end of the input at the REPL switches the board off.

  --card IMG            image file of the card in the slot, up to 2 GiB; without it the slot is empty
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
  --web DIR             every server that the board connects to is one that serves DIR; without
                        it, the board's connections are the host's
  --unique-id HEX, --wifi-delay MS, --card-command-us N, --card-read-kbs N, --card-write-kbs N
                        taken for the simulated board's sake, without effect
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXIT_RESET = 90  # emu.h
HEAP_MAX = 2 << 20
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
NUMBERS = ("cut", "card-init-fails", "max-resets")
IGNORED = ("unique-id", "wifi-delay", "card-command-us", "card-read-kbs", "card-write-kbs")


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
    """The command line: `files` of the host, `web`, and `lines` for the board itself."""

    def __init__(self, arguments):
        self.files = {}
        self.web = None
        self.lines = []
        arguments = list(arguments)
        while arguments:
            option = arguments.pop(0)
            name = option[2:]
            if option in ("--help", "-h"):
                print(__doc__.strip())
                sys.exit(0)
            if option == "--card-ro":
                self.lines.append("card-ro 1")
            elif not option.startswith("--") or not self.known(name):
                fail('unknown option "%s"' % option)
            elif not arguments:
                fail("%s needs a value" % option)
            else:
                self.one(name, arguments.pop(0))

    @staticmethod
    def known(name):
        others = ("heap", "exec", "pin", "card-bad", "clock", "web")
        return name in FILES + NUMBERS + IGNORED + others

    def one(self, name, value):
        if name in FILES:
            self.files[name] = value
            self.lines.append("%s 1" % name)
        elif name in NUMBERS:
            if not value.isdigit():
                fail('--%s: "%s" is not a number' % (name, value))
            self.lines.append("%s %s" % (name, value))
        elif name == "heap":
            self.lines.append("heap %d" % size_of(name, value, 16 << 10, HEAP_MAX))
        elif name == "exec":
            in_heap = value == "heap"
            size = (1 << 32) - 1 if in_heap else size_of(name, value, 0, EXEC_MAX)
            self.lines.append("exec %d" % size)
        elif name == "pin":
            match = re.fullmatch(r"(\d+)=([01])", value)
            if not match or int(match[1]) >= 40:
                fail('--pin: "%s" is not N=0 or N=1' % value)
            self.lines.append("pin %s %s" % match.groups())
        elif name == "card-bad":
            match = re.fullmatch(r"(\d+)(?:-(\d+))?", value)
            if not match:
                fail('--card-bad: "%s" is not LBA or LBA-LBA' % value)
            self.lines.append("card-bad %s %s" % (match[1], match[2] or match[1]))
        elif name == "clock":
            if value not in ("unset", "host"):
                fail('--clock: "%s" is neither "unset" nor "host"' % value)
            if value == "host":
                self.lines.append("clock-set 1")
        elif name == "web":
            self.web = Path(value)
            if not self.web.is_dir():
                fail("--web: %s is not a directory" % value)


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
        options.lines.append("flash 1")
    for name, path in options.files.items():
        (folder / name).symlink_to(os.path.abspath(path))
    (folder / "options").write_text("".join(line + "\n" for line in options.lines))


class SerialLine:
    """Pipes between the board and stdin, stdout, which stay as they are when the board restarts."""

    def __enter__(self):
        self.board_in, self.typed = os.pipe()
        self.shown, self.board_out = os.pipe()
        threading.Thread(target=copy, args=(0, self.typed), daemon=True).start()
        self.printer = threading.Thread(target=copy, args=(self.shown, 1))
        self.printer.start()
        return self

    def call(self, command, folder):
        return subprocess.call(command, cwd=folder, stdin=self.board_in, stdout=self.board_out)

    def __exit__(self, *_):
        os.close(self.board_out)
        self.printer.join()


def copy(source, target):
    try:
        while True:
            data = os.read(source, 4096)
            if not data:
                break
            while data:
                data = data[os.write(target, data) :]
    except OSError:  # nobody reads what the board says
        pass
    if target != 1:
        os.close(target)


def run(board, options):
    firmware = ROOT / "build" / "emu" / board / "firmware.elf"
    if not firmware.exists():
        fail("%s is not built: make emu" % firmware)
    with tempfile.TemporaryDirectory(prefix="board") as folder:
        folder = Path(folder)
        prepare(folder, options)
        network = None
        status = EXIT_RESET
        try:
            from network import Network

            network = Network(folder, options.web)
            with SerialLine() as serial:
                while status == EXIT_RESET:
                    network.hang_up()
                    status = serial.call([*COMMANDS[board], firmware], folder)
        finally:
            if network is not None:
                network.close()
    if status < 0:
        sys.stderr.write("board: the emulator was ended by signal %d\n" % -status)
        return 128 - status
    return status


def main(arguments):
    if not arguments or arguments[0] in ("--help", "-h"):
        print(__doc__.strip())
        return 0 if arguments else 2
    board = ALIASES.get(arguments[0], arguments[0])
    if board not in COMMANDS:
        fail('there is no board "%s", only %s' % (board, ", ".join(COMMANDS)))
    return run(board, Options(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
