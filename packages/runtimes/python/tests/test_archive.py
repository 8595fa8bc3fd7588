import gzip
import io
import os
import shutil
import tarfile
import tempfile
import unittest

from slipway_runtime import archive


class Archive(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="slipway-archive-")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.path, self.folder = os.path.join(self.root, "a.tar.gz"), os.path.join(self.root, "code")

    def pack(self, entries, mode="w:gz"):
        with tarfile.open(self.path, mode) as tar:
            for name, content, change in entries:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                for key, value in change.items():
                    setattr(entry, key, value)
                tar.addfile(entry, io.BytesIO(content))

    def refused(self, pattern):
        with self.assertRaisesRegex(archive.HostileArchive, pattern):
            archive.unpack(self.path, self.folder)
        self.assertEqual(sorted(os.listdir(self.root)), ["a.tar.gz"])

    def test_files_and_folders_are_unpacked_with_safe_rights(self):
        self.pack([("./", b"", {"type": tarfile.DIRTYPE}), ("./a/run.sh", b"x", {"mode": 0o4777}), ("b.py", b"y", {})])
        archive.unpack(self.path, self.folder)
        self.assertEqual(os.stat(os.path.join(self.folder, "a/run.sh")).st_mode & 0o7777, 0o755)
        self.assertEqual(os.stat(os.path.join(self.folder, "b.py")).st_mode & 0o7777, 0o644)

    def test_a_tar_without_compression_is_unpacked_too(self):
        self.pack([("b.py", b"y", {})], "w")
        archive.unpack(self.path, self.folder)
        self.assertEqual(os.listdir(self.folder), ["b.py"])

    def test_entries_go_over_a_folder_that_has_files(self):
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "kept"), "w", encoding="utf-8"):
            pass
        self.pack([("b.py", b"y", {})])
        archive.unpack(self.path, self.folder)
        self.assertEqual(sorted(os.listdir(self.folder)), ["b.py", "kept"])

    def test_paths_that_lead_out_are_refused(self):
        for name in ("../x", "a/../../x", "/etc/x", "a\\..\\x"):
            with self.subTest(name):
                self.pack([("ok", b"1", {}), (name, b"1", {})])
                self.refused("leads out|not a relative path")

    def test_links_and_devices_are_refused(self):
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            with self.subTest(kind):
                self.pack([("x", b"", {"type": kind, "linkname": "/etc/passwd"})])
                self.refused("is a link|is a device")

    def test_an_archive_that_explodes_is_refused(self):
        self.pack([("zeros", bytes(archive.SMALL_BYTES + 1), {})])
        self.refused("unpacks to more than")

    def test_a_header_that_explodes_is_refused(self):
        header = tarfile.TarInfo("pax")
        header.type, header.size = tarfile.XHDTYPE, 60 * 1024 * 1024
        with gzip.open(self.path, "wb", 1) as file:
            file.write(header.tobuf(tarfile.USTAR_FORMAT))
            for _ in range(60):
                file.write(bytes(1024 * 1024))
        self.refused("unpacks to more than|not a readable")

    def test_too_many_entries_are_refused(self):
        self.pack([(f"f{index}", b"", {}) for index in range(archive.MOST_ENTRIES + 1)])
        self.refused("more than 20000 entries")

    def test_the_same_name_twice_is_refused(self):
        self.pack([("a", b"1", {}), ("./a", b"2", {})])
        self.refused("twice")

    def test_what_is_no_archive_is_refused(self):
        for content in (b"", b"hello", gzip.compress(b"hello"), gzip.compress(os.urandom(4096))[:2000]):
            with self.subTest(content[:8]):
                with open(self.path, "wb") as file:
                    file.write(content)
                self.refused("not a readable tar.gz")


if __name__ == "__main__":
    unittest.main()
