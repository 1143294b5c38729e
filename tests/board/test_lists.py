# SPDX-License-Identifier: MIT
"""What lines "# sdboot" say of a list of releases and of single files, on boards with and without keys."""

import hashlib
import unittest

from rig import ATTEMPT, BOOT, FLASH_TOOL, HASTY, host
from test_ota import OLD
from test_signed import SignedTest
from web import RawServer, answer, package, release

CLOCK = ("--clock", "host")


class ListTest(SignedTest):
    def setUp(self):
        super().setUp()
        self.text = ""

    def line(self, version, *words, sha1=None, of_list=None):
        """Adds a release with "# sdboot file=... words" above it; `of_list`: words of the list."""
        name = version.replace(".", "_") + "-firmware.tar"
        data = package(release(version))
        (self.site.folder / name).write_bytes(data)
        if of_list is not None:
            self.text = "# sdboot %s\n" % of_list
        if words:
            self.text += "# sdboot file=%s %s\n" % (name, " ".join(words))
        sha1 = hashlib.sha1(data).hexdigest() if sha1 is None else sha1
        self.text += "%s;%s;%s\n" % (version, name, sha1)
        self.site.write(self.text)
        return data

    def details(self, version, *words):
        """As the tool writes them: with the right size and SHA-256."""
        data = package(release(version))
        sha256 = hashlib.sha256(data).hexdigest()
        self.line(version, "size=%d" % len(data), "sha256=" + sha256, *words)

    def assertFound(self, result, version):
        self.assertEqual(result.results, [version], result.out)

    def check(self, *arguments, options=()):
        return self.ota(self.url, *arguments, "quite=False", method="check().version", options=options)

    def assertNothing(self, result, *words):
        self.assertEqual(result.results, [], result.out)
        self.assertIn("AttributeError", result.errors[0])  # check() was None
        for word in words:
            self.assertIn(word, result.out)


class Files(ListTest):
    def test_sha256_counts_if_it_is_there(self):
        self.details("0.0.2")
        lines = self.text.splitlines()
        self.site.write(self.text.replace(lines[1][-40:], "0" * 40))  # what the original looks at
        self.stage()
        self.assertIn("release 0.0.2 is in place", self.power().out)
        self.fat_card(OLD)
        self.site.write(self.text.replace("sha256=", "sha256=0").replace("0 ", " ", 1))
        digest = hashlib.sha256(package(release("0.0.2"))).hexdigest()
        self.site.write(self.text.replace(digest, "0" * 64))
        r = self.ota(self.url)
        self.assertIn("hash is not the announced one", r.errors[0])
        self.assertFiles(OLD)

    def test_sha256_alone(self):
        self.details("0.0.2")
        self.site.write(self.text[: self.text.rindex(";") + 1] + "\n")
        r = self.ota(self.url, method="get_latest_version()")
        self.assertEqual(r.results, ["('0.0.2', '0_0_2-firmware.tar', '')"])
        self.stage()

    def test_size(self):
        data = self.line("0.0.2")
        for size in (len(data) - 1, 1, len(data) + 1):
            self.text = ""
            self.line("0.0.2", "size=%d" % size)
            r = self.ota(self.url)
            self.assertIn("size is not the announced one", r.errors[0])
            self.assertFiles(OLD)

    def test_more_than_the_size_without_a_length(self):
        """A server that sends and sends is left as soon as it has sent too much."""
        data = self.line("0.0.2")
        self.text = ""
        self.line("0.0.2", "size=%d" % len(data))
        sent = []

        def endless(conn, request):
            conn.sendall(answer(data, length=-1))
            while len(sent) < 2000:
                conn.sendall(bytes(4096))
                sent.append(1)

        with RawServer(answer(self.text), endless) as url:
            r = self.ota(url)
        self.assertIn("size is not the announced one", r.errors[0])
        self.assertLess(len(sent), 2000)
        self.assertFiles(OLD)

    def test_board(self):
        self.line("0.0.2")
        self.line("0.0.3", "board=esp32,pico")
        self.assertFound(self.check("board='pico'"), "0.0.3")
        self.assertFound(self.check("board='lamp,ESP32'"), "0.0.3")
        r = self.check("board='esp32s3'")
        self.assertFound(r, "0.0.2")
        self.assertIn("0.0.3 is not for this board: it is for others (board=)", r.out)
        # What the firmware says of itself.
        names = "attempt(lambda: sdboot._native.load('whom')._names())\n"
        said = self.power(job="import sdboot._native\n" + names).results[0].split(",")
        for name in said:
            self.text = ""
            self.line("0.0.4", "board=" + name)
            self.assertFound(self.check(), "0.0.4")

    def test_channel(self):
        self.line("0.0.2")
        self.line("0.0.3", "channel=beta")
        r = self.check()
        self.assertFound(r, "0.0.2")
        self.assertIn("its channel is not followed here", r.out)
        self.assertFound(self.check("channel='beta'"), "0.0.3")
        self.assertFound(self.check("channel='nightly'"), "0.0.2")
        self.line("0.0.4")
        self.assertFound(self.check("channel='beta'"), "0.0.4")

    def test_min(self):
        """A release that needs the one before it: step by step."""
        self.line("0.0.2")
        self.line("0.0.3", "min=0.0.2")
        r = self.ota(self.url, "quite=False")
        self.assertIn("0.0.3 is not for this board: a release in between", r.out)
        self.assertIn("release 0.0.2 is in place", self.power().out)
        self.stage()
        self.assertIn("release 0.0.3 is in place", self.power().out)

    def test_rollout(self):
        """This board is number 56 of a hundred for 0.0.2, as docs/FORMAT.md has it computed."""
        for rollout, found in ((0, None), (56, None), (57, "0.0.2"), (100, "0.0.2")):
            self.text = ""
            self.line("0.0.2", "rollout=%d" % rollout)
            r = self.check()
            if found:
                self.assertFound(r, found)
            else:
                self.assertNothing(r, "not its turn yet")
        self.text = ""
        self.line("0.0.2", "rollout=57")
        shares = [self.check("device_id=b'%d'" % i).results for i in range(12)]
        self.assertIn(["0.0.2"], shares)
        self.assertIn([], shares)
        self.assertFound(self.check("force_update=True", "device_id=b'%d'" % shares.index([])), "0.0.2")

    def test_what_can_not_be_read(self):
        self.line("0.0.2", "rollout=all")
        r = self.check()
        self.assertIn("a line '# sdboot' can't be read", r.errors[0])
        self.assertIn("PackageError", r.errors[0])


class Product(ListTest):
    def test_another_product(self):
        for key in (None, self.key):
            arguments = ("key=%r" % key,) if key else ()
            with self.subTest(key=key):
                self.line("0.0.2", of_list="product=fan")
                self.sign()
                r = self.ota(self.url, "product='lamp'", *arguments)
                self.assertRefused(r, "not of this board's product")
                self.line("0.0.2", of_list="product=lamp,lamp-2")
                self.sign()
                self.assertFound(self.check("product='lamp'", *arguments), "0.0.2")

    def test_of_no_product(self):
        self.line("0.0.2")
        self.assertRefused(self.ota(self.url, "product='lamp'"), "not of this board's product")

    def test_file_of_the_release(self):
        """app/.product of the release that runs; the next one brings its own."""
        self.put({**OLD, "app/.product": b" lamp \r\nwhat it is\n"})
        self.line("0.0.2", of_list="product=fan")
        r = self.ota(self.url)
        self.assertIn("not of this board's product", r.errors[0])
        self.assertFound(self.check("product='fan'"), "0.0.2")
        self.line("0.0.2", of_list="product=lamp")
        self.stage()

    def test_a_board_of_no_product_takes_any(self):
        self.line("0.0.2", of_list="product=fan")
        self.stage()


class OneBoard(ListTest):
    """The flash keeps what was seen, so every power-on here is of the same board."""

    def setUp(self):
        super().setUp()
        self.flash = self.dir / "fresh.img"
        self.make_flash(self.flash, "")
        self.with_keys(self.key)

    def to_flash(self, name, text):
        source = self.dir / "to-flash"
        source.write_text(text)
        host(FLASH_TOOL, "put", self.flash, "%s:/%s" % (source, name))

    def with_keys(self, *keys):
        self.to_flash("sdboot.pub", "".join(key + "\n" for key in keys))

    def run_job(self, job, *options, boot="", **kwargs):
        """A power-on with `job` after boot()."""
        self.to_flash("boot.py", HASTY + BOOT % boot + ATTEMPT + job)
        return self.power_flash(self.flash, *options, **kwargs)

    def look(self, *arguments, method="check().version", options=(), boot="", **kwargs):
        call = ", ".join((repr(self.url), "quite=False", *arguments))
        job = "attempt(lambda: sdboot.OTA(%s).%s)\n" % (call, method)
        return self.run_job(job, *options, boot=boot, **kwargs)

    def publish(self, of_list, version="0.0.2", name="ours"):
        self.text = ""
        self.line(version, of_list=of_list)
        self.sign(name)


class Freshness(OneBoard):
    def test_an_old_list(self):
        self.publish("seq=17")
        self.assertFound(self.look(), "0.0.2")
        self.publish("seq=16", "0.0.3")
        self.assertIn("an old list again", self.look().errors[0])
        self.publish("seq=17", "0.0.3")
        self.assertFound(self.look(), "0.0.3")
        self.publish("seq=4000000000", "0.0.4")
        self.assertFound(self.look(), "0.0.4")
        self.publish("seq=3999999999", "0.0.5")
        self.assertIn("an old list again", self.look().errors[0])

    def test_on_another_card(self):
        self.publish("seq=17")
        self.look()
        self.fat_card(OLD)
        self.publish("seq=16", "0.0.3")
        self.assertIn("an old list again", self.look().errors[0])

    def test_a_list_without_a_number(self):
        self.line("0.0.2")
        self.sign()
        self.assertFound(self.look(), "0.0.2")
        self.publish("seq=1")
        self.look()
        self.text = ""
        self.line("0.0.2")
        self.sign()
        self.assertIn("an old list again", self.look().errors[0])

    def test_a_list_that_is_refused_counts_nothing(self):
        self.publish("seq=17")
        self.look()
        self.publish("seq=900", "0.0.3")
        versions = self.site.folder / "versions"
        versions.write_bytes(versions.read_bytes() + b"\n")  # not what was signed
        self.assertIn("changed", self.look().errors[0])
        self.publish("seq=900 product=fan")
        self.assertIn("product", self.look("product='lamp'").errors[0])
        self.publish("seq=901 expires=2020-01-01")
        self.assertIn("expired", self.look(options=CLOCK).errors[0])
        self.publish("seq=18", "0.0.4")
        self.assertFound(self.look(), "0.0.4")

    def test_numbers_used_up_by_a_stolen_key(self):
        """With the key that has signed it goes the number."""
        other = self.make_key("other")
        self.publish("seq=4294967295")
        self.look()
        self.publish("seq=1", "0.0.3", "other")
        self.with_keys(self.key, other)
        self.assertIn("an old list again", self.look().errors[0])
        self.with_keys(other)
        self.assertFound(self.look(), "0.0.3")

    def test_not_signed_the_number_means_nothing(self):
        self.publish("seq=17")
        self.assertFound(self.ota(self.url, method="check().version"), "0.0.2")
        self.publish("seq=16")
        self.assertFound(self.ota(self.url, method="check().version"), "0.0.2")

    def test_expired(self):
        for day, good in (("2020-01-01", False), ("2099-12-31", True)):
            self.publish("seq=17 expires=" + day)
            r = self.look(options=CLOCK)
            if good:
                self.assertFound(r, "0.0.2")
            else:
                self.assertIn("expired, sign and publish it anew", r.errors[0])

    def test_the_clock_is_not_set(self):
        self.publish("seq=17 expires=2020-01-01")
        r = self.look()
        self.assertFound(r, "0.0.2")
        self.assertIn("whether the list has expired is not known: the clock is not set", r.out)
        self.publish("seq=17")
        self.assertNotIn("clock", self.look().out)

    def test_a_file_on_the_flash_that_can_not_be_read(self):
        self.publish("seq=17")
        for text in ("", "17", "x 00", "17 zz", "17 00 00"):
            self.to_flash("sdboot.seq", text)
            r = self.look()
            self.assertIn("/flash/sdboot.seq can't be read: remove it", r.errors[0])


class FreshnessCut(OneBoard):
    def test_power_cut_while_the_number_is_kept(self):
        """At each erase and write of the flash: the old number or the new one counts, and with the
        old one nothing that the new list offers has been used."""
        pristine = self.flash.read_bytes()
        for first in (True, False):
            self.flash.write_bytes(pristine)
            if not first:
                self.publish("seq=17")
                self.look()
            self.cut_everywhere(first)

    def cut_everywhere(self, first):
        self.publish("seq=18", "0.0.3")
        before = self.flash.read_bytes()
        whole = self.look()
        self.assertGreater(whole.stats["flash_writes"], 0)
        operations = whole.stats["flash_writes"] + whole.stats["flash_erases"]
        for cut in range(1, operations + 1):
            with self.subTest(cut=cut, first=first):
                self.flash.write_bytes(before)
                r = self.look(options=("--flash-cut", str(cut)), repl=False, status=75)
                self.assertNotIn("found 0.0.3", r.out)
                if not first:
                    self.publish("seq=16", "0.0.4")
                    self.assertIn("an old list again", self.look().errors[0])
                self.publish("seq=18", "0.0.3")
                self.assertFound(self.look(), "0.0.3")
                self.publish("seq=17", "0.0.4")
                self.assertIn("an old list again", self.look().errors[0])
                self.publish("seq=18", "0.0.3")


if __name__ == "__main__":
    unittest.main()
