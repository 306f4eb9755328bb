//! Products in tiles of bytes, by Intel's AMX: sixteen columns by sixteen, 64 rows at a time.
//!
//! A value of 16 bits is `256 h + l`, with a signed byte `h` and an unsigned one `l`, and a product of two is
//! `2^16 h h' + 2^8 (h l' + l h') + l l'`. So four products of bytes make one of 16 bits, whatever the range of the values:
//! their sums of up to 2^15 rows fit into 32 bits. An instruction does 16 x 16 x 64 of them in 16 cycles.
//!
//! Values that fit into signed bytes need one product, not four, and two tiles for 64 rows of a panel; so four tiles of sums
//! are made of two panels and two.
//!
//! The first factor of a tile has a row of 64 bytes for each column, the second four rows of each column in a word; so
//! every panel is packed both ways, high and low bytes each: four tiles of 1 KB for 64 rows.
//!
//! Rust has neither the instructions nor their detection in its stable part, hence the assembler.

use super::{Bytes, Kernel, PANEL, PackedPair, Panels, ROWS, Small, SmallTile, avx512, avx512::transposed};
use std::arch::asm;
use std::arch::x86_64::{
    __cpuid_count, _MM_HINT_T0, _mm_prefetch, _mm512_loadu_si512, _mm512_permutex2var_epi8,
    _mm512_setzero_si512, _mm512_storeu_si512, _xgetbv,
};
use std::sync::OnceLock;

/// Bytes of a tile, and of the four tiles of one panel and 64 rows.
const TILE: usize = PANEL * ROWS;
const STEP: usize = 4 * TILE;

/// Words of the size of packed pairs of the two tiles of one panel and 64 rows of small values.
const SMALL_STEP: usize = 2 * TILE / size_of::<PackedPair>();

pub(super) const KERNEL: Kernel = Kernel {
    name: "amx",
    bytes: Some(Bytes { pack, add }),
    small: Some(Small { step: SMALL_STEP, pack: pack_small, begin, end, multiply: multiply_small }),
    available,
    ..avx512::VNNI
};

/// Whether the CPU has tiles of bytes, and the system lets this process use them: it must be asked.
fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let detected = cfg!(target_os = "linux")
            && !cfg!(miri)
            && (avx512::VNNI.available)()
            && std::arch::is_x86_feature_detected!("avx512vbmi")
            && std::arch::is_x86_feature_detected!("xsave");
        // SAFETY: the CPU has XGETBV, as it has AVX-512.
        detected && unsafe { has_tiles() } && is_permitted()
    })
}

/// AMX-TILE and AMX-INT8, and the state of tiles among what the system saves.
#[target_feature(enable = "xsave")]
fn has_tiles() -> bool {
    const FEATURES: u32 = 3 << 24;
    const STATE: u64 = 3 << 17;
    // SAFETY: register 0 is there wherever XGETBV is.
    __cpuid_count(7, 0).edx & FEATURES == FEATURES && unsafe { _xgetbv(0) } & STATE == STATE
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)` of Linux 5.16: refused by older ones, and to a process with signal
/// stacks that are too small.
fn is_permitted() -> bool {
    let mut result: i64 = 158;
    // SAFETY: a call of the system that changes nothing but what this process may use.
    unsafe {
        asm!("syscall", inout("rax") result, in("rdi") 0x1023u64, in("rsi") 18u64,
            out("rcx") _, out("r11") _, options(nostack));
    }
    result == 0
}

/// All tiles of 16 rows of 64 bytes, as `ldtilecfg` takes it.
#[repr(C, align(64))]
struct Configuration([u8; 64]);

const CONFIGURATION: Configuration = {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        bytes[16 + 2 * tile] = ROWS as u8;
        bytes[48 + tile] = PANEL as u8;
        tile += 1;
    }
    Configuration(bytes)
};

/// Packs 64 rows of the columns of a panel: high and low bytes of the first factor, then of the second.
///
/// Safety: the CPU must have the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn pack(columns: &[[i16; ROWS]; PANEL], target: &mut [PackedPair]) {
    assert!(size_of_val(target) == STEP);
    let to = target.as_mut_ptr().cast::<u8>();
    let index = |odd: u8| -> [u8; 64] { std::array::from_fn(|at| 2 * at as u8 + odd) };
    for (part, index) in [index(1), index(0)].iter().enumerate() {
        let mut rows = [_mm512_setzero_si512(); PANEL];
        // SAFETY: 64 bytes each: the indices, and both halves of a column's rows.
        unsafe {
            let index = _mm512_loadu_si512(index.as_ptr().cast());
            for c in 0..PANEL {
                let first = _mm512_loadu_si512(columns[c].as_ptr().cast());
                let second = _mm512_loadu_si512(columns[c].as_ptr().add(ROWS / 2).cast());
                rows[c] = _mm512_permutex2var_epi8(first, index, second);
            }
        }
        let words = transposed(&rows);
        for r in 0..PANEL {
            // SAFETY: the target has four tiles, of sixteen rows of 64 bytes.
            unsafe {
                _mm512_storeu_si512(to.add(part * TILE + r * ROWS).cast(), rows[r]);
                _mm512_storeu_si512(to.add((2 + part) * TILE + r * ROWS).cast(), words[r]);
            }
        }
    }
}

/// Adds the products of each panel of `a` with `b` to the tiles of `target`, one after the other.
///
/// Safety: the CPU must have the features, tiles among them.
#[target_feature(enable = "avx512f,avx512bw")]
fn add(a: &[PackedPair], b: &[PackedPair], target: &mut [i64]) {
    assert!(size_of_val(b) >= STEP && size_of_val(b).is_multiple_of(STEP) && a.len().is_multiple_of(b.len()));
    let steps = size_of_val(b) / STEP;
    // SAFETY: the configuration is that of the format, and memory that lives.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION, options(nostack, readonly)) };
    for (a, target) in a.chunks_exact(b.len()).zip(target.chunks_exact_mut(PANEL * PANEL)) {
        // The sums may be far away: they arrive while the tile is multiplied.
        target.chunks_exact(8).for_each(|line| _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()));
        let mut sums = [[[0i32; PANEL]; PANEL]; 4];
        // SAFETY: reads `steps` times four tiles of each panel, and writes four tiles of sums.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tileloadd tmm6, [{b} + {row}*1 + 2048]",
                "tdpbssd tmm0, tmm4, tmm6",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tdpbusd tmm1, tmm5, tmm6",
                "tileloadd tmm7, [{b} + {row}*1 + 3072]",
                "tdpbsud tmm2, tmm4, tmm7",
                "tdpbuud tmm3, tmm5, tmm7",
                "add {a}, 4096",
                "add {b}, 4096",
                "dec {steps}",
                "jnz 2b",
                "tilestored [{sums} + {row}*1], tmm0",
                "tilestored [{sums} + {row}*1 + 1024], tmm1",
                "tilestored [{sums} + {row}*1 + 2048], tmm2",
                "tilestored [{sums} + {row}*1 + 3072], tmm3",
                a = inout(reg) a.as_ptr() => _,
                b = inout(reg) b.as_ptr() => _,
                steps = inout(reg) steps => _,
                row = in(reg) ROWS,
                sums = in(reg) sums.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack)
            );
        }
        let [high, mixed, other, low] = &sums;
        for (q, row) in target.chunks_exact_mut(PANEL).enumerate() {
            for c in 0..PANEL {
                let middle = i64::from(mixed[q][c]) + i64::from(other[q][c]);
                row[c] += (i64::from(high[q][c]) << 16) + (middle << 8) + i64::from(low[q][c]);
            }
        }
    }
    // SAFETY: gives the tiles up, so that nobody saves them.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}

/// Packs 64 rows of the columns of a panel of small values: as first factor, then as second.
///
/// Safety: the CPU must have the features.
#[target_feature(enable = "avx512f")]
pub(super) fn pack_small(columns: &[[i8; ROWS]; PANEL], target: &mut [PackedPair]) {
    assert!(size_of_val(target) == 2 * TILE);
    let to = target.as_mut_ptr().cast::<u8>();
    // SAFETY: a column's rows are 64 bytes.
    let rows = columns.each_ref().map(|c| unsafe { _mm512_loadu_si512(c.as_ptr().cast()) });
    let words = transposed(&rows);
    for r in 0..PANEL {
        // SAFETY: the target has two tiles, of sixteen rows of 64 bytes.
        unsafe {
            _mm512_storeu_si512(to.add(r * ROWS).cast(), rows[r]);
            _mm512_storeu_si512(to.add(TILE + r * ROWS).cast(), words[r]);
        }
    }
}

/// Safety: the CPU must have tiles.
unsafe fn begin() {
    // SAFETY: the configuration is that of the format, and memory that lives.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION, options(nostack, readonly)) };
}

/// Gives the tiles up, so that nobody saves them.
///
/// Safety: the CPU must have tiles.
unsafe fn end() {
    // SAFETY: no tile is in use.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}

/// Safety: the CPU must have tiles, and this thread have begun.
unsafe fn multiply_small(a: Panels, b: Panels, [c00, c01, c10, c11]: [&mut SmallTile; 4]) {
    let length = a[0].len();
    assert!([a[1], b[0], b[1]].iter().all(|panel| panel.len() == length));
    assert!(length >= SMALL_STEP && length.is_multiple_of(SMALL_STEP));
    // SAFETY: reads two tiles of each panel a step; reads and writes four tiles of sums.
    unsafe {
        asm!(
            "tileloadd tmm0, [{c00} + {row}*1]",
            "tileloadd tmm1, [{c01} + {row}*1]",
            "tileloadd tmm2, [{c10} + {row}*1]",
            "tileloadd tmm3, [{c11} + {row}*1]",
            "2:",
            "tileloadd tmm6, [{b0} + {row}*1 + 1024]",
            "tileloadd tmm4, [{a0} + {row}*1]",
            "tdpbssd tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b1} + {row}*1 + 1024]",
            "tdpbssd tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a1} + {row}*1]",
            "tdpbssd tmm2, tmm5, tmm6",
            "tdpbssd tmm3, tmm5, tmm7",
            "add {a0}, 2048",
            "add {a1}, 2048",
            "add {b0}, 2048",
            "add {b1}, 2048",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{c00} + {row}*1], tmm0",
            "tilestored [{c01} + {row}*1], tmm1",
            "tilestored [{c10} + {row}*1], tmm2",
            "tilestored [{c11} + {row}*1], tmm3",
            a0 = inout(reg) a[0].as_ptr() => _,
            a1 = inout(reg) a[1].as_ptr() => _,
            b0 = inout(reg) b[0].as_ptr() => _,
            b1 = inout(reg) b[1].as_ptr() => _,
            c00 = in(reg) c00.as_mut_ptr(),
            c01 = in(reg) c01.as_mut_ptr(),
            c10 = in(reg) c10.as_mut_ptr(),
            c11 = in(reg) c11.as_mut_ptr(),
            steps = inout(reg) length / SMALL_STEP => _,
            row = in(reg) ROWS,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}
