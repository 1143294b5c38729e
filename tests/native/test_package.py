# SPDX-License-Identifier: MIT
"""What `make native` leaves in build/native/ARCH."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "board"))
from rig import PACKAGE, ROOT, WORK  # noqa: E402

sys.path.insert(0, str(ROOT / "micropython" / "native"))
import package  # noqa: E402

FOLDER = PACKAGE.parents[1]
OBJ = FOLDER.parent / "obj" / FOLDER.name


class Package(unittest.TestCase):
    def files(self):
        return {str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*") if p.is_file()}

    def test_hashes(self):
        done = subprocess.run(
            ["sha256sum", "--strict", "--check", "SHA256SUMS"], cwd=FOLDER, capture_output=True
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        listed = {line.split()[1] for line in (FOLDER / "SHA256SUMS").read_text().splitlines()}
        self.assertEqual(listed, self.files() - {"SHA256SUMS", "package.json"})

    def test_mip(self):
        said = json.loads((FOLDER / "package.json").read_text())
        for target, source in said["urls"]:
            self.assertEqual("lib/" + target, source)
        listed = {source for _, source in said["urls"]}
        self.assertEqual(listed, {f for f in self.files() if f.startswith("lib/")})
        self.assertIn("lib/sdboot/_sdboot.mpy", listed)

    def test_header(self):
        # .mpy version 6.3, small integers of 31 bits, and an architecture in native code only.
        for name in self.files():
            if name.endswith(".mpy"):
                head = (FOLDER / name).read_bytes()[:4]
                native = "/_sd" in name
                self.assertEqual(head[:2], b"M\x06", name)
                self.assertEqual(head[2] & 3 if native else head[2], 3 if native else 0, name)
                self.assertEqual(head[3], 31, name)

    def test_nothing_of_this_machine(self):
        for name in self.files():
            self.assertNotIn(str(ROOT).encode(), (FOLDER / name).read_bytes(), name)

    def test_limits(self):
        out = WORK / "package"
        shutil.rmtree(out, ignore_errors=True)
        text = package.sizes(OBJ, "_sdboot")[0]
        modules = {name: (1 << 20, what) for name, (_, what) in package.MODULES.items()}
        modules["_sdboot"] = (text - (3 << 10) - 1, "")  # what it may have elsewhere than on Xtensa
        limits = unittest.mock.patch.object(package, "MODULES", modules)
        with limits, contextlib.redirect_stdout(io.StringIO()) as said:
            with self.assertRaisesRegex(SystemExit, "too large for .*: _sdboot$"):
                package.main("armv7m", out, OBJ, "")  # x64 has no limits
        self.assertIn(str(text), said.getvalue())
        self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
