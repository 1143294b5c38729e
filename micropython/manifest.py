# SPDX-License-Identifier: MIT
# For people who build firmware: freezes sdboot's Python part; micropython.mk or micropython.cmake
# builds its C. In the manifest of your board:
#
#     include("/path/to/sdboot/micropython/manifest.py")             import sdboot works
#     include("/path/to/sdboot/micropython/manifest.py", boot=True)  and boot.py starts it
#
# A frozen boot.py is run instead of the one on the flash: with boot=True that one is ignored. For
# options of sdboot.boot() freeze a boot.py of your own.
options.defaults(boot=False)
package("sdboot")
if options.boot:
    module("boot.py", base_path="../examples/app")
