"""An image's archive unpacked, and programs run in it as a pod's container runs them: its user, folder and environment, the root file
system read-only, a volume at /tmp."""

import json
import shutil
import subprocess
import tarfile

# In mounts of its own: ROOT, a folder to share under the same name, USER, WORKDIR, then what `env` takes.
RUN = """
set -e
root=$1 shared=$2 user=$3 workdir=$4
shift 4
echo "127.0.0.1 localhost $(hostname)" > "$root/etc/hosts"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$shared"
mount --bind "$shared" "$root$shared"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" env -i -C "$workdir" "$@"
"""


class Container:
    """`starter` is the command that runs another one in mounts of its own."""

    def __init__(self, archive, folder, starter):
        self.root, self.starter = folder / "root", starter
        self.root.mkdir()
        with tarfile.open(archive) as tar:

            def document(descriptor):
                return json.load(blob(descriptor))

            def blob(descriptor):
                return tar.extractfile(f"blobs/{descriptor['digest'].replace(':', '/')}")

            manifest = document(json.load(tar.extractfile("index.json"))["manifests"][0])
            image = document(manifest["config"])
            self.architecture, self.settings = image["architecture"], image["config"]
            for layer in manifest["layers"]:
                unpack = ["tar", "-xz", "--numeric-owner", "-C", self.root]
                with subprocess.Popen(unpack, stdin=subprocess.PIPE) as process:
                    shutil.copyfileobj(blob(layer), process.stdin, 1 << 20)
                assert process.returncode == 0

    def command(self, shared, *arguments):
        """The command line that starts the image with `arguments`; it sees the folder `shared`, which must be under /tmp."""
        settings = self.settings
        where = [self.root, shared, settings["User"], settings["WorkingDir"]]
        words = [*self.starter, "bash", "-c", RUN, "container", *where, *settings["Env"], *settings["Entrypoint"]]
        return [str(word) for word in [*words, *arguments]]
