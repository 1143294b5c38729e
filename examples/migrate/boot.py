# SPDX-License-Identifier: MIT
import sdboot

# confirm_after: the application never calls sdboot.confirm() itself.
sdboot.boot(confirm_after=60)
