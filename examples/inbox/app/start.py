# SPDX-License-Identifier: MIT
# The folder is made on a PC: `sdboot release -v 0.0.2 -C src -o update app main.py`. With a key in
# sdboot.pub on the internal flash, it must be signed (-k). What has become of it is in its name
# afterwards: update.installed, update.not-newer, update.refused.

import os

import sdboot


def run():
    print("inbox: this is release", sdboot.version())
    for name in os.listdir("/"):
        if name.startswith("update."):
            print("inbox: there is", name)
    with open("/log.txt", "a") as f:  # your work
        f.write("release %s ran\n" % sdboot.version())
    if sdboot.confirm():  # it works: it may stay
        print("inbox: release confirmed")
