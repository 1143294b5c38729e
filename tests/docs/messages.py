# SPDX-License-Identifier: MIT
"""Every message that a board's user can meet, as the source has it: placeholders become an ellipsis."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RAISED = ("Error", "CardError", "NetworkError", "PackageError", "ValueError", "ImportError")
PRINTED = ("print", "_say")
PLACEHOLDER = re.compile(r"%(?:0?\d*[sdrx]|%)")


def plain(text):
    """`text` as the page has it."""
    text = PLACEHOLDER.sub("…", text).strip().removeprefix("sdboot: ")
    return re.sub(r"\s+", " ", text.strip())


def literal(node):
    """The text of an expression, an ellipsis for what is put into it; None if it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return literal(node.left)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = literal(node.left), literal(node.right)
        return None if left is None and right is None else (left or "…") + (right or "…")
    return None


def called(node):
    f = node.func
    return f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "")


def of_python():
    """{message: "raised" or "printed"} of the package."""
    found = {}
    for source in sorted((ROOT / "micropython" / "sdboot").glob("*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            name = called(node) if isinstance(node, ast.Call) else ""
            if name in RAISED:
                texts = [literal(a) for a in node.args]
            elif name in PRINTED:
                # print("sdboot:", what) and print("sdboot: this", what) are one line.
                texts = [" ".join(literal(a) or "…" for a in node.args)]
            elif isinstance(node, ast.Assign) and literal(node.value):
                texts = [literal(node.value)] if " " in literal(node.value) else []
            else:
                continue
            for text in texts:
                if text and re.search(r"[a-z]{3}.* ", plain(text)):
                    found[plain(text)] = "raised" if name in RAISED else "printed"
    return found


def of_binding():
    """Messages of the C modules."""
    found = set()
    for source in sorted((ROOT / "micropython").glob("*.c")):
        text = re.sub(r'"\s*"', "", source.read_text())
        for call in re.findall(r"(?:raise\w*|return|\?|:)\(?[^;]*;", text):
            for message in re.findall(r'"((?:[^"\\\n]|\\.)*)"', call):
                if len(message) > 11 and " " in message:
                    found.add(plain(message.replace('\\"', '"')))
    return found


def of_core():
    """{number: text} of core/error.c."""
    text = re.sub(r'"\s*\\?\s*"', "", (ROOT / "core" / "error.c").read_text())
    numbers = dict(re.findall(r"(SDB_E\w+) = -(\d+)", (ROOT / "core" / "error.h").read_text()))
    found = re.findall(r'X\((SDB_E\w+),[\s\\]*"((?:[^"\\]|\\.)*)"', text)
    return {int(numbers[name]): message.replace('\\"', '"') for name, message in found}


if __name__ == "__main__":
    for number, message in sorted(of_core().items()):
        print(number, message)
    for message, kind in of_python().items():
        print(kind, "|", message)
    for message in sorted(of_binding()):
        print("C |", message)
