#!/usr/bin/env python3
"""Takes the date of making out of a Java key store of root certificates, so that the same certificates are the same bytes.

    keystore.py KEYSTORE        JKS, version 2, trusted certificates alone, under Java's usual password

Layout: sun.security.provider.JavaKeyStore. magic, version, count; each entry: kind, alias, milliseconds since 1970, type, certificate;
at the end the SHA-1 of the password, a constant and all before.

Not by keytool: it writes a store without dates (PKCS12, keystore.pkcs12.macAlgorithm=NONE, certProtectionAlgorithm=NONE), but in an order
that depends on the order in which the entries were imported, which is that of files in a folder (seen with aliases "a" and "l", JDK 17).
"""

import hashlib
import struct
import sys
from pathlib import Path

PASSWORD = "changeit"  # of Debian's, and of every other Java runtime's
HEADER = struct.Struct(">III")
MAGIC, VERSION, TRUSTED = 0xFEEDFEED, 2, 2


def digest(data):
    return hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + data).digest()


def without_dates(store):
    """The key store with every entry's date at 1970, its entries in the order of their names."""
    data, end = store[:-20], HEADER.size
    magic, version, count = HEADER.unpack_from(data)
    if (magic, version) != (MAGIC, VERSION) or store[-20:] != digest(data):
        raise ValueError("not a Java key store of version 2 under the usual password")
    entries = []

    def take(size_format):
        """Moves past a length and what it counts."""
        nonlocal end
        (size,) = struct.unpack_from(size_format, data, end)
        end += struct.calcsize(size_format) + size

    for _ in range(count):
        start = end
        if struct.unpack_from(">I", data, end) != (TRUSTED,):
            raise ValueError("an entry that is not a trusted certificate")
        end += 4
        take(">H")
        alias, date = data[start:end], end
        end += 8
        take(">H")
        take(">I")
        entries.append(alias + bytes(8) + data[date + 8 : end])
    plain = data[: HEADER.size] + b"".join(sorted(entries))
    return plain + digest(plain)


def main():
    path = Path(sys.argv[1])
    path.write_bytes(without_dates(path.read_bytes()))


if __name__ == "__main__":
    main()
