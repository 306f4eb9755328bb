//! Products in tiles of bytes, by Intel's AMX: sixteen columns by sixteen, 64 rows at a time.
//!
//! A value of 16 bits is `256 h + l`, with a signed byte `h` and an unsigned one `l`, and a product of two is
//! `2^16 h h' + 2^8 (h l' + l h') + l l'`. So four products of bytes make one of 16 bits, whatever the range of the values:
//! their sums of up to 2^15 rows fit into 32 bits. An instruction does 16 x 16 x 64 of them in 16 cycles.
//!
//! The first factor of a tile has a row of 64 bytes for each column, the second four rows of each column in a word; so
//! every panel is packed both ways, high and low bytes each: four tiles of 1 KB for 64 rows.
//!
//! Rust has neither the instructions nor their detection in its stable part, hence the assembler.

use super::{Bytes, Kernel, PANEL, PackedPair, ROWS, avx512};
use std::arch::asm;
use std::arch::x86_64::{
    __cpuid_count, __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_loadu_si512, _mm512_permutex2var_epi8,
    _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_storeu_si512, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _xgetbv,
};
use std::sync::OnceLock;

/// Bytes of a tile, and of the four tiles of one panel and 64 rows.
const TILE: usize = PANEL * ROWS;
const STEP: usize = 4 * TILE;

pub(super) const KERNEL: Kernel =
    Kernel { name: "amx", bytes: Some(Bytes { pack, add }), available, ..avx512::VNNI };

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

/// The transpose of 16 x 16 words.
#[inline]
#[target_feature(enable = "avx512f")]
fn transposed(rows: &[__m512i; PANEL]) -> [__m512i; PANEL] {
    let (mut pairs, mut fours, mut out) = (*rows, *rows, *rows);
    for i in 0..8 {
        pairs[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    for i in 0..4 {
        for half in 0..2 {
            let (a, b) = (pairs[4 * i + half], pairs[4 * i + 2 + half]);
            fours[4 * i + 2 * half] = _mm512_unpacklo_epi64(a, b);
            fours[4 * i + 2 * half + 1] = _mm512_unpackhi_epi64(a, b);
        }
    }
    // Now register 4 i + c has, in its part q of four words, column 4 q + c of rows 4 i to 4 i + 3.
    for c in 0..4 {
        let low = _mm512_shuffle_i32x4::<0x88>(fours[c], fours[4 + c]);
        let high = _mm512_shuffle_i32x4::<0xdd>(fours[c], fours[4 + c]);
        let low_after = _mm512_shuffle_i32x4::<0x88>(fours[8 + c], fours[12 + c]);
        let high_after = _mm512_shuffle_i32x4::<0xdd>(fours[8 + c], fours[12 + c]);
        out[c] = _mm512_shuffle_i32x4::<0x88>(low, low_after);
        out[8 + c] = _mm512_shuffle_i32x4::<0xdd>(low, low_after);
        out[4 + c] = _mm512_shuffle_i32x4::<0x88>(high, high_after);
        out[12 + c] = _mm512_shuffle_i32x4::<0xdd>(high, high_after);
    }
    out
}

/// Adds the products of each panel of `a` with `b`, sixteen rows of `target` after the other.
///
/// Safety: the CPU must have the features, tiles among them.
#[target_feature(enable = "avx512f,avx512bw")]
fn add(a: &[PackedPair], b: &[PackedPair], target: &mut [i64], width: usize) {
    assert!(size_of_val(b) >= STEP && size_of_val(b).is_multiple_of(STEP) && a.len().is_multiple_of(b.len()));
    let steps = size_of_val(b) / STEP;
    // SAFETY: the configuration is that of the format, and memory that lives.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION, options(nostack, readonly)) };
    for (a, target) in a.chunks_exact(b.len()).zip(target.chunks_mut(PANEL * width)) {
        // The sums may be far away: they arrive while the tile is multiplied.
        for row in target.chunks(width) {
            _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast());
            _mm_prefetch::<_MM_HINT_T0>(row[PANEL - 1..].as_ptr().cast());
        }
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
        for (q, row) in target.chunks_mut(width).enumerate() {
            let row = &mut row[..PANEL];
            for c in 0..PANEL {
                let middle = i64::from(mixed[q][c]) + i64::from(other[q][c]);
                row[c] += (i64::from(high[q][c]) << 16) + (middle << 8) + i64::from(low[q][c]);
            }
        }
    }
    // SAFETY: gives the tiles up, so that nobody saves them.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}
