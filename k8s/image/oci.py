#!/usr/bin/env python3
"""Writes an image archive (OCI image layout 1.0 in a tar) from root file systems, with the standard library alone.

    oci.py ARCHIVE NAME:TAG LAYER...        a layer is a tar file, or a folder that becomes one, owned by root
    --base ARCHIVE                          an image of this kind to build on: its layers come first, its settings hold unless given

The same layers give the same bytes: names are sorted, times are zero.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
import tempfile
from pathlib import Path

MEDIA = "application/vnd.oci.image"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NOTHING = {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "WorkingDir": "/",
    "User": "",
    "Entrypoint": [],
    "Labels": {},
}


class Archive:
    """The archive in the making: blobs named by their digest."""

    def __init__(self, tar):
        self.tar = tar

    def file(self, name, data):
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self.tar.addfile(entry, io.BytesIO(data))

    def document(self, kind, content):
        data = json.dumps(content, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.file(f"blobs/sha256/{digest}", data)
        return {"mediaType": f"{MEDIA}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def layer(self, path):
        digest = digest_of(path)
        entry = tarfile.TarInfo(f"blobs/sha256/{digest}")
        entry.size = path.stat().st_size
        with path.open("rb") as data:
            self.tar.addfile(entry, data)
        return {"mediaType": f"{MEDIA}.layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": entry.size}

    def layers_of(self, path):
        """Copies the layers of another archive; returns its manifest's entries of them, and its configuration."""
        with tarfile.open(path) as tar:

            def blob(entry):
                return f"blobs/{entry['digest'].replace(':', '/')}"

            manifest = json.load(tar.extractfile(blob(json.load(tar.extractfile("index.json"))["manifests"][0])))
            for layer in manifest["layers"]:
                self.tar.addfile(tar.getmember(blob(layer)), tar.extractfile(blob(layer)))
            return manifest["layers"], json.load(tar.extractfile(blob(manifest["config"])))


def digest_of(path):
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def owned_by_root(entry):
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = "root"
    return entry


def layer_tar(source, folder):
    """The layer as an uncompressed tar."""
    if source.is_file():
        return source
    path = folder / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(os.listdir(source)):
            tar.add(source / name, arcname=name, filter=owned_by_root)
    return path


def compressed(path, folder):
    target = folder / "layer.tar.gz"
    with path.open("rb") as data, target.open("wb") as out, gzip.GzipFile("", "wb", 6, out, mtime=0) as packed:
        shutil.copyfileobj(data, packed, 1 << 20)
    return target


def write(out, name, sources, architecture, settings, base=None):
    """Writes the archive to the binary stream `out`; `settings` are the image's run settings, `base` is the archive that it is
    built on. Returns the layers' sizes."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        archive = Archive(tar)
        layers, plain, inherited = [], [], NOTHING
        if base:
            layers, config = archive.layers_of(base)
            plain, inherited = config["rootfs"]["diff_ids"], config["config"]
        for source in sources:
            with tempfile.TemporaryDirectory(dir=Path(out.name).parent) as folder:
                path = layer_tar(source, Path(folder))
                plain.append(f"sha256:{digest_of(path)}")
                layers.append(archive.layer(compressed(path, Path(folder))))
        system = {"architecture": architecture, "os": "linux"}
        files = {"type": "layers", "diff_ids": plain}
        config = archive.document("config.v1+json", {**system, "config": over(inherited, settings), "rootfs": files})
        manifest = {"schemaVersion": 2, "mediaType": f"{MEDIA}.manifest.v1+json", "config": config, "layers": layers}
        entry = archive.document("manifest.v1+json", manifest)
        entry["platform"] = system
        entry["annotations"] = {
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": name.rpartition(":")[2],
        }
        archive.file("index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())
        archive.file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    return [layer["size"] for layer in layers]


def over(inherited, settings):
    """Run settings: lists of variables and labels are added to, what else is given takes the place of what there was."""
    return {
        **{key: settings[key] or inherited[key] for key in ("WorkingDir", "User", "Entrypoint")},
        "Env": [*inherited["Env"], *settings["Env"]],
        "Labels": {**inherited["Labels"], **settings["Labels"]},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("name", metavar="NAME:TAG")
    parser.add_argument("layers", type=Path, nargs="+", metavar="LAYER")
    parser.add_argument("--base", type=Path, metavar="ARCHIVE")
    parser.add_argument("--arch", choices=ARCHITECTURES.values(), default=ARCHITECTURES.get(platform.machine()))
    parser.add_argument("--label", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--workdir", default="")
    parser.add_argument("--user", default="")
    parser.add_argument("--entrypoint")
    options = parser.parse_args()
    settings = {
        "Env": options.env,
        "WorkingDir": options.workdir,
        "User": options.user,
        "Entrypoint": [options.entrypoint] if options.entrypoint else [],
        "Labels": dict(label.split("=", 1) for label in options.label),
    }
    unfinished = options.archive.with_name(options.archive.name + ".tmp")
    try:
        with unfinished.open("wb") as out:
            sizes = write(out, options.name, options.layers, options.arch, settings, options.base)
        unfinished.replace(options.archive)
    finally:
        unfinished.unlink(missing_ok=True)
    print(f"image: {options.name} in {options.archive}, {sum(sizes) / 1e6:.0f} MB compressed")


if __name__ == "__main__":
    main()
