// SPDX-License-Identifier: MIT
// None.
