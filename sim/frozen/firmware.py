# SPDX-License-Identifier: MIT
# The board's own files, and sdboot as people who build firmware get it.
include("manifest.py")
include("../../micropython/manifest.py", boot=True)
