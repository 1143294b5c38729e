# SPDX-License-Identifier: MIT
# For bench/fleet.py, run by MicroPython: which boards does a list of releases give its newest one to?
# chosen.py LIST RUNNING COUNT prints the numbers of the boards, in hexadecimal.
import binascii
import sys

import _sdlist


def chosen(text, running, device):
    versions = _sdlist.Versions(running, None, False, "", "", "", device, 0, 0)
    versions.start()
    versions.feed(text)
    return versions.finish()[0] > 0


with open(sys.argv[1], "rb") as f:
    text = f.read()
for i in range(int(sys.argv[3])):
    device = (0x240AC4000000 + i * 7).to_bytes(6, "big")
    if chosen(text, sys.argv[2], device):
        print(str(binascii.hexlify(device), "utf-8"))
