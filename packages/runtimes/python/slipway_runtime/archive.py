"""Unpacks source code that somebody packed: an archive may not write outside its folder, link anywhere, or explode.

Worked example of the ratio: a 40 KB archive may unpack to 4 MB (100 times), or to `SMALL_BYTES` if that is more,
because a few kilobytes of repeated text honestly pack better than 100 to 1.
"""

import gzip
import os
import shutil
import tarfile
import zlib

LARGEST_PACKED_BYTES = 200 * 1024 * 1024
LARGEST_BYTES = 1024 * 1024 * 1024
MOST_ENTRIES = 20_000
LARGEST_RATIO = 100
HEADER_BYTES = 512
SMALL_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 1024
DEEPEST_PATH = 64


class HostileArchive(Exception):
    """The archive is refused; the sentence names the entry and the reason."""


def unpack(path, folder):
    """Unpacks a tar or tar.gz file into `folder`, all of it or nothing. Raises HostileArchive."""
    packed_bytes = os.path.getsize(path)
    if packed_bytes > LARGEST_PACKED_BYTES:
        raise HostileArchive(f"it has {packed_bytes} bytes, {LARGEST_PACKED_BYTES} are the most")
    allowed_bytes = min(LARGEST_BYTES, max(SMALL_BYTES, packed_bytes * LARGEST_RATIO))
    # Headers and padding count too: what is read is capped, not only what is written.
    readable_bytes = allowed_bytes + HEADER_BYTES * MOST_ENTRIES
    fresh = folder.rstrip("/") + ".unpacking"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh, mode=0o700)
    try:
        with open_stream(path) as stream, tarfile.open(fileobj=Capped(stream, readable_bytes), mode="r|") as archive:
            extract_all(archive, fresh, allowed_bytes)
        put_in_place(fresh, folder)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise HostileArchive(f"it is not a readable tar.gz archive ({error})") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def open_stream(path):
    with open(path, "rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if is_gzip else open(path, "rb")


class Capped:
    """A stream that refuses to be read past a number of bytes."""

    def __init__(self, stream, allowed_bytes):
        self.stream, self.allowed_bytes, self.left = stream, allowed_bytes, allowed_bytes

    def read(self, size):
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise HostileArchive(f"it unpacks to more than {self.allowed_bytes} bytes")
        return data


def put_in_place(fresh, folder):
    """By rename. An empty folder gives way; one with files takes the entries, as in the toolkit."""
    if os.path.isdir(folder) and os.listdir(folder):
        shutil.copytree(fresh, folder, dirs_exist_ok=True)
        return
    if os.path.isdir(folder):
        os.rmdir(folder)
    os.rename(fresh, folder)
    os.chmod(folder, 0o755)


def extract_all(archive, folder, allowed_bytes):
    seen, left = set(), allowed_bytes
    for count, entry in enumerate(archive, 1):
        if count > MOST_ENTRIES:
            raise HostileArchive(f"it has more than {MOST_ENTRIES} entries")
        name = safe_name(entry)
        if name == "":
            continue
        target = os.path.join(folder, *name.split("/"))
        if entry.isdir():
            os.makedirs(target, mode=0o755, exist_ok=True)
            continue
        if name in seen:
            raise HostileArchive(f"{name!r} is in it twice")
        seen.add(name)
        left -= entry.size
        if left < 0:
            raise HostileArchive(f"it unpacks to more than {allowed_bytes} bytes")
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        write_entry(archive, entry, target)


def safe_name(entry):
    """The entry's path without `./`; empty for the folder itself."""
    shown = repr(entry.name[:100])
    if entry.issym() or entry.islnk():
        raise HostileArchive(f"{shown} is a link; only files and folders are unpacked")
    if not entry.isfile() and not entry.isdir():
        raise HostileArchive(f"{shown} is a device or another special file; only files and folders are unpacked")
    if entry.sparse is not None:
        raise HostileArchive(f"{shown} is a sparse file")
    if entry.name.startswith(("/", "\\")) or "\0" in entry.name or "\\" in entry.name:
        raise HostileArchive(f"{shown} is not a relative path")
    parts = [part for part in entry.name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise HostileArchive(f"{shown} leads out of the archive's folder")
    if len(entry.name) > LONGEST_NAME or len(parts) > DEEPEST_PATH:
        raise HostileArchive(f"{shown} is too long or too deep")
    return "/".join(parts)


def write_entry(archive, entry, target):
    """Creates the file anew (never through a link) with no more than the owner's right to run it."""
    source = archive.extractfile(entry)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 16)
        os.fchmod(file.fileno(), 0o755 if entry.mode & 0o100 else 0o644)
