"""The archive that k8s/image/oci.py writes, and the bill of materials."""

import gzip
import hashlib
import io
import json
import sys
import tarfile

import pytest

from running import ROOT, start

OCI, BILL = ROOT / "k8s/image/oci.py", ROOT / "k8s/image/sbom.py"


@pytest.fixture
def layers(tmp_path):
    with tarfile.open(tmp_path / "base.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("etc"))
    (tmp_path / "root/opt").mkdir(parents=True)
    (tmp_path / "root/opt/program").write_text("#!/bin/sh\n")
    (tmp_path / "root/opt/program").chmod(0o755)
    return [tmp_path / "base.tar", tmp_path / "root"]


SETTINGS = "--arch arm64 --env A=b=c --label version=1 --workdir /tmp --user 185:185 --entrypoint /opt/program"


def write(path, layers, settings=SETTINGS):
    run = start([sys.executable, OCI, path, "localhost/x:1", *layers, *settings.split()])
    assert run.code == 0, run.err


def blobs(path):
    with tarfile.open(path) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    documents = {name: json.loads(files.pop(name)) for name in ("index.json", "oci-layout")}
    return documents["index.json"], {name.rpartition("/")[2]: data for name, data in files.items()}


def test_an_archive_is_an_image_that_names_all_its_bytes(tmp_path, layers):
    write(tmp_path / "x.tar", layers)
    index, data = blobs(tmp_path / "x.tar")
    assert {name: hashlib.sha256(content).hexdigest() for name, content in data.items()} == {n: n for n in data}
    manifest = json.loads(data[index["manifests"][0]["digest"].removeprefix("sha256:")])
    config = json.loads(data[manifest["config"]["digest"].removeprefix("sha256:")])
    plain = [gzip.decompress(data[layer["digest"].removeprefix("sha256:")]) for layer in manifest["layers"]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in plain]
    assert config["architecture"] == index["manifests"][0]["platform"]["architecture"] == "arm64"
    assert config["config"]["User"] == "185:185"
    assert "A=b=c" in config["config"]["Env"]
    with tarfile.open(fileobj=io.BytesIO(plain[1])) as tar:
        program = tar.getmember("opt/program")
    assert (program.uid, program.mtime, program.mode & 0o777) == (0, 0, 0o755)


def test_the_same_layers_give_the_same_bytes(tmp_path, layers):
    write(tmp_path / "a.tar", layers)
    (layers[1] / "opt/program").touch()
    write(tmp_path / "b.tar", layers)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_an_image_on_top_of_another_has_its_layers_and_its_settings(tmp_path, layers):
    def read(path):
        index, data = blobs(path)
        manifest = json.loads(data[index["manifests"][0]["digest"].removeprefix("sha256:")])
        return manifest["layers"], json.loads(data[manifest["config"]["digest"].removeprefix("sha256:")])

    write(tmp_path / "below.tar", layers)
    (tmp_path / "more/srv").mkdir(parents=True)
    write(tmp_path / "x.tar", [tmp_path / "more"], f"--base {tmp_path}/below.tar --env D=e --entrypoint /opt/other")
    (below, under), (above, config) = read(tmp_path / "below.tar"), read(tmp_path / "x.tar")
    assert (above[:2], len(above)) == (below, 3)
    assert (config["rootfs"]["diff_ids"][:2], len(config["rootfs"]["diff_ids"])) == (under["rootfs"]["diff_ids"], 3)
    changed = {"Env": [*under["config"]["Env"], "D=e"], "Entrypoint": ["/opt/other"]}
    assert config["config"] == {**under["config"], **changed}


def test_a_failed_archive_leaves_nothing(tmp_path):
    run = start([sys.executable, OCI, tmp_path / "x.tar", "localhost/x:1", tmp_path / "absent"])
    assert run.code != 0
    assert list(tmp_path.iterdir()) == []


def test_the_bill_of_materials_has_every_crate_and_jar(tmp_path):
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"jar")
    (tmp_path / "jars.txt").write_text(f"org.example lib 1.2 {jar}\n")
    paths = ["--version", "1", "--jars", tmp_path / "jars.txt", "--crates", ROOT / "Cargo.lock"]
    run = start([sys.executable, BILL, *paths, tmp_path / "out/bill.json"])
    assert run.code == 0, run.err
    components = json.loads((tmp_path / "out/bill.json").read_text())["components"]
    assert components[0]["purl"] == "pkg:maven/org.example/lib@1.2"
    assert components[0]["hashes"][0]["content"] == hashlib.sha256(b"jar").hexdigest()
    assert any(component["purl"].startswith("pkg:cargo/jni@") for component in components)


def test_a_key_store_without_its_dates_is_the_same_bytes_and_still_one(tmp_path):
    def keytool(*arguments, store="JKS"):
        words = ["keytool", *arguments, "-storetype", store, "-storepass", "changeit"]
        run = start(words, TZ="UTC", LC_ALL="C.UTF-8")
        assert run.code == 0, run.out
        return run.out

    key, certificate = ["-keystore", tmp_path / "key"], tmp_path / "certificate"
    keytool("-genkeypair", *key, "-alias", "root", "-keyalg", "EC", "-dname", "CN=root", store="PKCS12")
    keytool("-exportcert", *key, "-alias", "root", "-file", certificate, store="PKCS12")
    stores = [tmp_path / "a", tmp_path / "b"]
    for store, aliases in zip(stores, ("xy", "yx"), strict=True):
        for alias in aliases:
            keytool("-importcert", "-noprompt", "-keystore", store, "-alias", alias, "-file", certificate)
    assert stores[0].read_bytes() != stores[1].read_bytes()
    for store in stores:
        run = start([sys.executable, ROOT / "k8s/image/keystore.py", store])
        assert run.code == 0, run.err
    assert stores[0].read_bytes() == stores[1].read_bytes()
    assert keytool("-list", "-keystore", stores[0]).count("Jan 1, 1970, trustedCertEntry") == 2
