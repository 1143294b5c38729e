# SPDX-License-Identifier: MIT
# boot.py of the board in the fault matrix, see faults.py, which puts values for the names in
# capitals before it. Each case is a copy of the board, made when it is ready for the operation: one
# command of its card fails. Then it is reset.
import binascii
import machine
import os

import _board
import sdboot
import sdboot.card
import sdboot.mounted

sdboot.card.PAUSE_MS = 0


def boot():
    # A board that stays on its internal flash says so.
    if not sdboot.boot(**BOOT) and not PIN_LOW:
        raise OSError("stays on internal flash")


def put(name, data, mode="wb", at=0):
    with open(name, mode) as f:
        if at:
            f.seek(at)
        f.write(data)


def outcome(f):
    try:
        f()
        return "done"
    except Exception as e:
        return "raised %s" % repr(e).replace("\n", " ")


def files(tag, folder=""):
    # Prints what the card holds, or that this can't be read.
    try:
        names = os.listdir(ROOT + folder or "/")
    except OSError:
        return print("LOOK", (tag, folder, None))
    except Exception as e:
        return print("LOOK", (tag, folder, repr(e)))
    print("LOOK", (tag, folder, sorted(names)))
    for name in names:
        path = folder + "/" + name
        if path in ("/flash", "/.sdboot", "/next"):
            continue
        try:
            if os.stat(ROOT + path)[0] & 0x4000:
                files(tag, path)
            else:
                with open(ROOT + path, "rb") as f:
                    print("LOOK", (tag, path, binascii.crc32(f.read())))
        except OSError:
            print("LOOK", (tag, path, None))
        except Exception as e:
            print("LOOK", (tag, path, repr(e)))


def look(tag):
    files(tag)
    try:
        vfs = os.statvfs(ROOT or "/")
        print("LOOK", (tag, "free", vfs[3]))
    except OSError:
        print("LOOK", (tag, "free", None))


def run(fault, recover):
    print("CASE", (fault, recover))
    exec(SETUP, globals())
    before = _board.card_commands()
    _board.card_fail(fault)
    result = outcome(lambda: exec(OPERATION, globals()))
    after = _board.card_commands()
    print("RESULT", (result, after[0] - before[0], after[1] - before[1]))
    if sdboot.mounted.fs is None:
        machine.reset()
    files("now")
    _board.card_fail("")
    if recover:
        result = outcome(sdboot.recover)
        print("RECOVER", (result,))
        look("recovered")
        print("PROBE", (outcome(lambda: put(ROOT + "/probe", b"works" * 300)),))
    machine.reset()


if machine.reset_cause() == machine.PWRON_RESET:
    if BOOTED:
        boot()
    for case in CASES:
        if _board.fork() is None:
            run(*case)
        print("END")
else:
    boot()
    look("after")
