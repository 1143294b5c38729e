# SPDX-License-Identifier: MIT
"""Ed25519 on this processor says what libsodium says: right signatures, wrong ones, and those that
implementations disagree about. `make test-sign` compares many more, on the PC."""

import base64
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_memory import ATTEMPT, ROOT, Native  # noqa: E402
from rig import BOOT, FLASH_TOOL, host  # noqa: E402

CROSSCHECK = ROOT / "build" / "sign" / "crosscheck"
JOB = """
import binascii, gc, time
from sdboot._native import load
sign = load("_sdsign").Signature
counts = [0, 0]
wrong = 0
start = time.ticks_us()
with open("/flash/cases") as f:
    for line in f:
        good, key, text = line.split()
        found = not isinstance(sign(binascii.unhexlify(text), key.encode()), int)
        counts[found] += 1
        wrong += found != (good == "1")
        gc.collect()
print("=>", wrong, counts[0], counts[1])
print("=>", time.ticks_diff(time.ticks_us(), start) // (counts[0] + counts[1]))
"""


def minisig(key, sig, message):
    """The lines of a board's key, and of a .minisig file whose second signature is `sig`."""
    head = b"Ed" + bytes(8)
    first, comment = message[:64], message[64:]
    text = b"untrusted comment: x\n%s\ntrusted comment: %s\n%s\n" % (
        base64.b64encode(head + first),
        comment,
        base64.b64encode(sig),
    )
    return base64.b64encode(head + key).decode(), text.hex()


class Signs(Native):
    def test_as_libsodium(self):
        subprocess.run(
            ["make", "-s", "-C", ROOT / "tests" / "sign", "../../build/sign/crosscheck"], check=True
        )
        said = subprocess.run(
            [CROSSCHECK, "1500", "67"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.splitlines()
        lines = []
        for line in said:
            good, *rest = line.split()
            lines.append(" ".join((good, *minisig(*[bytes.fromhex(part) for part in rest]))) + "\n")
        self.assertGreater(len(lines), 100)
        self.fat_card({"main.py": b""})
        flash = self.flash_with({}, BOOT % "trial_timeout=0" + ATTEMPT + JOB)
        cases = self.dir / "cases"
        cases.write_text("".join(lines))
        host(FLASH_TOOL, "put", flash, "%s:/cases" % cases)
        r = self.power_flash(flash)
        good = sum(line[0] == "1" for line in lines)
        self.assertGreater(good, 5)
        self.assertEqual(r.results[:1], ["0 %d %d" % (len(lines) - good, good)], r.out)


if __name__ == "__main__":
    unittest.main()
