package io.tomobasis.io

import java.io.IOException

/** A file of a zip or a tar does not unpack, or not to its checksum: it is damaged, and the archive's other files are as they are. */
final class DamagedFile(cause: Throwable) extends IOException(cause)
