# SPDX-License-Identifier: MIT
"""stubs/sdboot says what the package is: names, arguments, defaults, keys of status(). The examples
pass mypy with it, and mistakes do not."""

import ast
import os
import shutil
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "micropython" / "sdboot"
STUBS = ROOT / "stubs" / "sdboot"
EXAMPLES = ("app", "blink", "sensor", "database", "migrate", "inbox", "pico")
MISTAKES = {
    "sdboot.boot(pins=18, attempts='3')": "attempts",
    "sdboot.status()['relase']": "relase",
    "sdboot.OTA()": "url",
    "sdboot.OTA('http://x', quiet=1, ca=5)": "ca",
    "sdboot.format('ntfs')": "format",
    "sdboot.confirm(True)": "confirm",
    "sdboot.version() + 1": "operand",
}


def parse(path):
    return ast.parse(path.read_text())


def named(tree, kind):
    return {n.name: n for n in tree.body if isinstance(n, kind)}


def signature(function):
    """Arguments with their defaults, as text; types don't count."""
    args = function.args
    for one in args.posonlyargs + args.args + args.kwonlyargs + [args.vararg, args.kwarg]:
        if one is not None:
            one.annotation = None
    return ast.unparse(args)


def exported():
    """{name: node} of what `sdboot/__init__.py` imports, from where it is defined."""
    found = {}
    for node in ast.walk(parse(PACKAGE / "__init__.py")):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            for alias in node.names:
                found[alias.name] = definition(node.module, alias.name)
    return found


def definition(module, name):
    tree = parse(PACKAGE / (module + ".py"))
    here = named(tree, (ast.FunctionDef, ast.ClassDef))
    if name in here:
        return here[name]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            if name in [alias.name for alias in node.names]:
                return definition(node.module, name)
    raise KeyError(name)


class Stubs(unittest.TestCase):
    def test_names_and_signatures(self):
        stub = parse(STUBS / "__init__.pyi")
        functions = named(stub, ast.FunctionDef)
        classes = named(stub, ast.ClassDef)
        real = exported()
        self.assertIn("OTA", real)
        known = {n for n in (*functions, *classes) if not n.startswith("_")} - {"Status"}
        self.assertEqual(known | {"OTA"}, set(real))
        for name, node in real.items():
            with self.subTest(name):
                if isinstance(node, ast.FunctionDef):
                    self.assertEqual(signature(functions[name]), signature(node))
                elif name != "OTA":
                    bases = [[ast.unparse(b) for b in c.bases] for c in (classes[name], node)]
                    self.assertEqual(*bases)

    def test_ota(self):
        stub = parse(STUBS / "ota.pyi")
        real = parse(PACKAGE / "ota.py")
        methods = [
            {
                n: signature(m)
                for n, m in named(named(t, ast.ClassDef)["OTA"], ast.FunctionDef).items()
                if n == "__init__" or not n.startswith("_")
            }
            for t in (stub, real)
        ]
        self.assertEqual(*methods)
        fields = tuple(ast.unparse(n.target) for n in named(stub, ast.ClassDef)["Release"].body)
        calls = [n for n in ast.walk(real) if isinstance(n, ast.Call) and n.args]
        tuples = [c.args[1] for c in calls if ast.unparse(c.args[0]) == "'Release'"]
        self.assertEqual(fields, ast.literal_eval(tuples[0]))

    def test_keys_of_status(self):
        stub = named(parse(STUBS / "__init__.pyi"), ast.ClassDef)["Status"]
        keys = [n.target.id for n in stub.body if isinstance(n, ast.AnnAssign)]
        returned = [
            n.value
            for n in ast.walk(definition("manage", "status"))
            if isinstance(n, ast.Return) and isinstance(n.value, ast.Dict)
        ]
        self.assertEqual(len(returned), 1)
        self.assertEqual(sorted(keys), sorted(k.value for k in returned[0].keys))

    def test_pages(self):
        """docs/API.md has each of them, with its arguments and defaults as they are."""
        page = (ROOT / "docs" / "API.md").read_text()
        flat = " ".join(page.split())
        for name, node in exported().items():
            with self.subTest(name):
                if isinstance(node, ast.FunctionDef):
                    call = "sdboot.%s(%s)" % (name, signature(node))
                    self.assertTrue(call in flat.replace('"', "'"), call)
                elif name == "OTA":
                    init = named(node, ast.FunctionDef)["__init__"]
                    arguments = signature(init).replace("self, ", "").replace("'", '"')
                    self.assertTrue("sdboot.OTA(%s)" % arguments in flat, arguments)
                    for method in named(node, ast.FunctionDef):
                        if not method.startswith("_"):
                            self.assertIn("| `%s(" % method, page)
                else:
                    self.assertIn("`%s`" % name, page)


class Mypy(unittest.TestCase):
    def mypy(self, folder):
        env = dict(os.environ, MYPYPATH="%s:%s" % (ROOT / "stubs", Path(__file__).parent / "micropython"))
        command = ["mypy", "--no-error-summary", "--cache-dir", str(ROOT / "build" / "mypy")]
        command += ["--ignore-missing-imports", "--check-untyped-defs", "--namespace-packages"]
        command += ["--disable-error-code", "var-annotated", "."]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)

    def test_examples(self):
        for name in EXAMPLES:
            with self.subTest(name):
                done = self.mypy(ROOT / "examples" / name)
                self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_mistakes_are_found(self):
        folder = ROOT / "build" / "test-types"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "wrong.py").write_text("import sdboot\n" + "\n".join(MISTAKES) + "\n")
        said = self.mypy(folder).stdout.splitlines()
        for line, (call, word) in enumerate(MISTAKES.items(), 2):
            about = [text for text in said if text.startswith("wrong.py:%d:" % line)]
            self.assertTrue(any(word in text for text in about), (call, about))


if __name__ == "__main__":
    unittest.main()
