# SPDX-License-Identifier: MIT
import app.start

app.start.main()
