# SPDX-License-Identifier: MIT
"""docs/SERVERS.md: nginx with the lines that stand there has no fault and no note."""

import re
import unittest
import urllib.request

from test_cli import ROOT, ToolTest, rig  # noqa: F401, first: says where lab is

from lab import Nginx


class Servers(ToolTest):
    def test_nginx(self):
        page = (ROOT / "docs" / "SERVERS.md").read_text()
        lines = re.search("<!-- test: file nginx.conf -->\n((    .*\n)+)", page).group(1)
        self.tool("keygen", "-W")
        self.write({"app/data.bin": "z" * 3000})
        self.release("0.0.2", "-k", "sdboot.key")
        self.assertEqual(lines.count("/srv/www/"), 1)
        with Nginx(self.dir, extra=lines.replace("/srv/www", str(self.www))) as url:
            said = self.tool("verify", "-p", "sdboot.pub", url + "/lamp")
            self.assertEqual(said, "0.0.2: good, 0_0_2-firmware.tar\n")
            with urllib.request.urlopen(url + "/lamp/versions", timeout=20) as r:
                self.assertIn("max-age=60", r.headers["Cache-Control"])
                self.assertTrue(r.headers["ETag"])
            with urllib.request.urlopen(url + "/lamp/0_0_2-firmware.tar", timeout=20) as r:
                self.assertIn("immutable", r.headers["Cache-Control"])


if __name__ == "__main__":
    unittest.main()
