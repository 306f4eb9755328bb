"""Images of programs that were built here, for the node of a cluster of our own; used inside its namespaces."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from node import importing
from running import ROOT


def load(name, files, *settings, folders=()):
    """Makes an image and hands it to the node.

    files: {place in the image: executable file here}
    settings: options of k8s/image/oci.py
    folders: places that everyone may write to
    """
    with tempfile.TemporaryDirectory() as work:
        root, archive = Path(work) / "root", Path(work) / "image.tar"
        for place, file in files.items():
            target = root / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            target.chmod(0o755)
        for place in folders:
            (root / place).mkdir(parents=True)
            (root / place).chmod(0o1777)
        oci = [sys.executable, ROOT / "k8s/image/oci.py", archive, name, root, *settings]
        for command in (oci, importing(archive)):
            subprocess.run([str(word) for word in command], check=True, capture_output=True)
