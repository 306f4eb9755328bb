//! How much more memory this process can have.
//!
//! | limit | where it stands |
//! |---|---|
//! | the machine's memory and swap that are free | `/proc/meminfo`; with strict accounting (`vm.overcommit_memory = 2`) what may still be promised |
//! | the container's, of every level above it | cgroup v2 and v1, found by `/proc/self/mountinfo` |
//! | the process's address space and data (`ulimit -v`, `ulimit -d`) | `/proc/self/limits`, `/proc/self/status` |
//!
//! Linux tells them in these files. Of other systems only the machine's own is known, and its stack's ([`os::memory`]): Windows counts the
//! limit of the process's job with it. What the system does not tell limits nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::os;

/// Memory that can still be had, and what keeps it from being more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub bytes: u64,
    pub of: Limit,
}

/// What limits memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Main memory and swap.
    Machine,
    /// A control group.
    Container,
    /// `ulimit -v`.
    AddressSpace,
    /// `ulimit -d`.
    Data,
}

impl Limit {
    /// "0.5 GB ...".
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Machine => "are free on this machine",
            Self::Container => "are left under the limit of its container (cgroup)",
            Self::AddressSpace => "are left under the limit of its address space (ulimit -v)",
            Self::Data => "are left under the limit of its data (ulimit -d)",
        }
    }
}

/// What the process has of what may be limited, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    space: u64,
    data: u64,
    resident: u64,
}

impl Held {
    pub fn now() -> Self {
        System::of_this_machine().held()
    }
}

/// Bytes of memory that this process can still have, as far as it is known.
#[must_use]
pub fn free() -> u64 {
    room().bytes
}

/// Memory that this process can still have.
pub(crate) fn room() -> Room {
    room_beyond(Held::now())
}

/// Memory that this process can have beyond what it had then: what it has taken since counts as room, whether it is in use or kept by
/// the allocator.
pub(crate) fn room_beyond(then: Held) -> Room {
    System::of_this_machine().room_beyond(then)
}

/// Whether the address space has a limit (`ulimit -v`).
#[must_use]
pub fn address_space_is_limited() -> bool {
    System::of_this_machine().limit("Max address space").is_some()
}

/// Bytes that the main thread's stack may have (`ulimit -s`), where that is limited.
#[must_use]
pub fn stack_limit() -> Option<u64> {
    System::of_this_machine().limit("Max stack size").or_else(os::stack_limit)
}

/// What the system tells in files, or by calls.
struct System {
    /// Where the files are; nowhere on a system that has none of them.
    root: Option<PathBuf>,
    memory: Option<os::Memory>,
}

impl System {
    fn of_this_machine() -> Self {
        Self { root: os::TELLS_IN_FILES.then(|| PathBuf::from("/")), memory: os::memory() }
    }

    fn held(&self) -> Held {
        let status = self.read("/proc/self/status");
        let of = |name: &str| kib(&status, name).unwrap_or(0);
        let resident = self.memory.map_or_else(|| of("RssAnon:"), |memory| memory.held);
        Held { space: of("VmSize:"), data: of("VmData:"), resident }
    }

    fn room_beyond(&self, then: Held) -> Room {
        let now = self.held();
        let left = |limit: &str, used: u64| Some(self.limit(limit)?.saturating_sub(used));
        let taken = now.resident.saturating_sub(then.resident);
        let rooms = [
            (Limit::AddressSpace, left("Max address space", now.space.min(then.space))),
            (Limit::Data, left("Max data size", now.data.min(then.data))),
            (Limit::Container, self.containers().map(|left| left.saturating_add(taken))),
            (Limit::Machine, self.machine().map(|left| left.saturating_add(taken))),
        ];
        let rooms = rooms.into_iter().filter_map(|(of, bytes)| Some(Room { bytes: bytes?, of }));
        rooms.min_by_key(|room| room.bytes).unwrap_or(Room { bytes: u64::MAX, of: Limit::Machine })
    }

    fn machine(&self) -> Option<u64> {
        if let Some(memory) = self.memory {
            return Some(memory.free);
        }
        let meminfo = self.read("/proc/meminfo");
        let free = kib(&meminfo, "MemAvailable:")?.saturating_add(kib(&meminfo, "SwapFree:").unwrap_or(0));
        let strict = self.read("/proc/sys/vm/overcommit_memory").trim() == "2";
        let promised =
            || Some(kib(&meminfo, "CommitLimit:")?.saturating_sub(kib(&meminfo, "Committed_AS:")?));
        Some(if strict { promised().map_or(free, |promised| promised.min(free)) } else { free })
    }

    /// A process's soft limit.
    fn limit(&self, name: &str) -> Option<u64> {
        let limits = self.read("/proc/self/limits");
        limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    }

    /// The least that the process's control groups leave.
    fn containers(&self) -> Option<u64> {
        let swap = kib(&self.read("/proc/meminfo"), "SwapFree:").unwrap_or(0);
        let groups = self.read("/proc/self/cgroup");
        // "4:memory:/a/b" of version 1, "0::/a/b" of version 2.
        let path_of = |wanted: &str| {
            groups.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let names = fields.next()?;
                let found =
                    if wanted.is_empty() { names.is_empty() } else { names.split(',').any(|n| n == wanted) };
                fields.next().filter(|_| found)
            })
        };
        let mounts = self.read("/proc/self/mountinfo");
        let mounts = mounts.lines().filter_map(Mount::of);
        let lefts = mounts.filter_map(|mount| match mount.kind {
            "cgroup2" => self.upwards(&mount, path_of("")?, |folder| self.left_v2(folder, swap)),
            "cgroup" if mount.options.split(',').any(|option| option == "memory") => {
                self.upwards(&mount, path_of("memory")?, |folder| self.left_v1(folder, swap))
            }
            _ => None,
        });
        lefts.min()
    }

    /// The least from the group at `path` up to the root that is mounted.
    fn upwards(&self, mount: &Mount<'_>, path: &str, left: impl Fn(&Path) -> Option<u64>) -> Option<u64> {
        let top = Path::new(mount.point);
        // Of a path outside of what is mounted, as without a namespace of its own, only the mounted root is seen.
        let below = Path::new(path).strip_prefix(mount.root).unwrap_or(Path::new(""));
        let group = top.join(below);
        group.ancestors().take_while(|folder| folder.starts_with(top)).filter_map(left).min()
    }

    fn left_v2(&self, folder: &Path, swap: u64) -> Option<u64> {
        let number = |name: &str| self.number(&folder.join(name));
        let stat = self.read(folder.join("memory.stat"));
        let used = bytes(&stat, "anon ").unwrap_or(0) + bytes(&stat, "shmem ").unwrap_or(0);
        let memory = number("memory.max")?.saturating_sub(used);
        let swap = match number("memory.swap.max") {
            Some(most) => swap.min(most.saturating_sub(number("memory.swap.current").unwrap_or(0))),
            None => swap,
        };
        Some(memory.saturating_add(swap))
    }

    fn left_v1(&self, folder: &Path, swap: u64) -> Option<u64> {
        let stat = self.read(folder.join("memory.stat"));
        let of = |name: &str| bytes(&stat, name).unwrap_or(0);
        let used = of("total_rss ") + of("total_shmem ");
        let number = |name: &str| self.number(&folder.join(name));
        let memory = number("memory.limit_in_bytes")?.saturating_sub(used).saturating_add(swap);
        let both =
            number("memory.memsw.limit_in_bytes").map(|both| both.saturating_sub(used + of("total_swap ")));
        Some(both.map_or(memory, |both| both.min(memory)))
    }

    /// A file of one number; "max" is none.
    fn number(&self, path: &Path) -> Option<u64> {
        self.read(path).trim().parse().ok()
    }

    fn read(&self, path: impl AsRef<Path>) -> String {
        let Some(root) = &self.root else { return String::new() };
        let path = path.as_ref();
        fs::read_to_string(root.join(path.strip_prefix("/").unwrap_or(path))).unwrap_or_default()
    }
}

/// A mounted file system, as `/proc/self/mountinfo` has it.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let mut system = system.split(' ');
        let (root, point, kind) = (mount.next()?, mount.next()?, system.next()?);
        Some(Self { root, point, kind, options: system.nth(1)? })
    }
}

/// The number of the line that begins with `name`.
fn bytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The same where it counts KiB.
fn kib(text: &str, name: &str) -> Option<u64> {
    bytes(text, name)?.checked_mul(1024)
}

/// "1.25 GB", of small ones "85 MB".
pub(crate) fn size(bytes: u128) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNLIMITED: &str =
        "Max address space         unlimited            unlimited            bytes     \n";

    /// A system of these files.
    fn system(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
        let base = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = base.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = base.path().to_owned();
        (base, System { root: Some(root), memory: None })
    }

    fn room(more: &[(&str, &str)]) -> Room {
        let usual = [
            (
                "proc/meminfo",
                "MemTotal: 9000 kB\nMemAvailable:    1000 kB\nSwapFree:  24 kB\nCommitLimit: 700 kB\nCommitted_AS: 100 kB\n",
            ),
            ("proc/self/limits", UNLIMITED),
            ("proc/self/status", "VmSize:\t 100 kB\nVmData:\t 10 kB\n"),
            ("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/pod/box\n0::/pod/box\n"),
        ];
        let (_base, system) = system(&[&usual, more].concat());
        system.room_beyond(system.held())
    }

    #[test]
    fn a_machine_has_what_is_free_or_may_be_promised() {
        assert_eq!(room(&[]), Room { bytes: 1024 * 1024, of: Limit::Machine });
        let strict = room(&[("proc/sys/vm/overcommit_memory", "2\n")]);
        assert_eq!(strict, Room { bytes: 600 * 1024, of: Limit::Machine });
        let unknown = room(&[("proc/meminfo", "")]);
        assert_eq!(unknown.bytes, u64::MAX);
    }

    #[test]
    fn a_process_has_what_its_limits_leave() {
        let space = format!(
            "Max data size             unlimited            unlimited            bytes     \n{UNLIMITED}"
        );
        let space = space.replacen("space         unlimited", "space         500000   ", 1);
        let of_space = room(&[("proc/self/limits", &space)]);
        assert_eq!(of_space, Room { bytes: 500_000 - 102_400, of: Limit::AddressSpace });
        let data = "Max data size             300000               unlimited            bytes     \n";
        assert_eq!(room(&[("proc/self/limits", data)]), Room { bytes: 300_000 - 10_240, of: Limit::Data });
    }

    #[test]
    fn what_the_process_has_taken_since_is_room() {
        let limits = format!(
            "Max data size             900000               unlimited            bytes     \n{UNLIMITED}"
        );
        let status = "VmSize:\t 500 kB\nVmData:\t 300 kB\nRssAnon:\t 70 kB\n";
        let (_base, system) = system(&[
            ("proc/meminfo", "MemAvailable:    1000 kB\n"),
            ("proc/self/limits", &limits),
            ("proc/self/status", status),
        ]);
        let then = Held { space: 100 << 10, data: 10 << 10, resident: 20 << 10 };
        assert_eq!(system.room_beyond(then), Room { bytes: 900_000 - 10_240, of: Limit::Data });
        let unlimited = UNLIMITED.replace("address space", "data size    ");
        fs::write(system.root.as_ref().unwrap().join("proc/self/limits"), unlimited).unwrap();
        assert_eq!(system.room_beyond(then), Room { bytes: (1000 + 50) << 10, of: Limit::Machine });
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_counts_in_either_version() {
        let v2 = "30 23 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n";
        let inner = ("sys/fs/cgroup/pod/box/memory.max", "900000\n");
        let outer = ("sys/fs/cgroup/pod/memory.max", "800000\n");
        let used = ("sys/fs/cgroup/pod/memory.stat", "anon 100\nfile 7000\nshmem 50\n");
        let mounted = ("proc/self/mountinfo", v2);
        let of = Limit::Container;
        // With the 24 KiB of swap.
        assert_eq!(room(&[mounted, inner, outer, used]), Room { bytes: 800_000 - 150 + 24_576, of });
        let no_swap = ("sys/fs/cgroup/pod/memory.swap.max", "0\n");
        assert_eq!(room(&[mounted, inner, outer, used, no_swap]), Room { bytes: 800_000 - 150, of });
        let unlimited = ("sys/fs/cgroup/pod/memory.max", "max\n");
        assert_eq!(room(&[mounted, inner, unlimited]), Room { bytes: 900_000 + 24_576, of });

        let v1 = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let mounted = ("proc/self/mountinfo", v1);
        let inner = ("sys/fs/cgroup/memory/pod/box/memory.limit_in_bytes", "9223372036854771712\n");
        let outer = ("sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "700000\n");
        let used = ("sys/fs/cgroup/memory/pod/memory.stat", "rss 1\ntotal_rss 1000\ntotal_shmem 0\n");
        assert_eq!(room(&[mounted, inner, outer, used]), Room { bytes: 700_000 - 1000 + 24_576, of });
        let both = ("sys/fs/cgroup/memory/pod/memory.memsw.limit_in_bytes", "710000\n");
        assert_eq!(room(&[mounted, inner, outer, used, both]), Room { bytes: 710_000 - 1000, of });
    }

    #[test]
    fn a_container_that_sees_its_own_group_as_the_root_is_found() {
        // With a namespace the path is "/"; without one it is the host's, of which only a part is mounted.
        let max = ("sys/fs/cgroup/memory.max", "5000\n");
        let of_host = "30 23 0:26 /docker/4711 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        for (group, mount) in
            [("0::/\n", &of_host.replace("/docker/4711", "/")), ("0::/docker/4711\n", &of_host.to_owned())]
        {
            let found = room(&[("proc/self/cgroup", group), ("proc/self/mountinfo", mount), max]);
            assert_eq!(found, Room { bytes: 5000 + 24_576, of: Limit::Container });
        }
    }

    #[test]
    fn what_a_system_tells_by_a_call_counts_where_it_tells_it() {
        let told = |free, held| System { root: None, memory: Some(os::Memory { free, held }) };
        let then = told(5000, 300).held();
        assert_eq!(told(4000, 1300).room_beyond(then), Room { bytes: 5000, of: Limit::Machine });
        assert_eq!(told(4000, 1300).limit("Max stack size"), None);
    }

    #[test]
    fn this_machine_says_how_much_memory_it_has() {
        assert!((1 << 20..1 << 50).contains(&super::room().bytes), "{:?}", super::room());
    }
}
