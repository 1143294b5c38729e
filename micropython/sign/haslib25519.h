// SPDX-License-Identifier: MIT
// tinyssh asks whether the system has lib25519: a board has none.
