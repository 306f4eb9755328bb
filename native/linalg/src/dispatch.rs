//! One body, compiled per instruction set, chosen at run time.
//!
//! The bodies are plain Rust whose order of operations is fixed (fused multiply-adds are written out); the
//! instruction set decides only how many of them run at once. Without FMA in hardware `mul_add` calls the C
//! library: the same bits, slowly.

/// Defines a function whose body is compiled for AVX-512, for AVX2 with FMA, and for the baseline; what it
/// calls must be `#[inline(always)]` to be compiled with it.
macro_rules! dispatched {
    ($(#[$doc:meta])* $vis:vis fn $name:ident ( $($arg:ident : $type:ty),* $(,)? ) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        $vis fn $name($($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $result)? $body
                #[target_feature(enable = "avx512f")]
                fn avx512($($arg: $type),*) $(-> $result)? $body
                if std::arch::is_x86_feature_detected!("avx512f") {
                    // SAFETY: the CPU has AVX-512F.
                    return unsafe { avx512($($arg),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has AVX2 and FMA.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body
        }
    };
}

pub(crate) use dispatched;

/// Work with generic parameters, or of another crate, for [`vectorize`].
pub trait Vectorize {
    /// What it returns.
    type Output;

    /// The work: plain Rust whose order of operations is fixed. It and all that it calls must be `#[inline(always)]`, to be
    /// compiled with the caller's instruction set.
    fn run(self) -> Self::Output;
}

/// Runs `work` as compiled for the widest vector instructions that this machine has. The bits are the same with all of them.
pub fn vectorize<W: Vectorize>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2<W: Vectorize>(work: W) -> W::Output {
            work.run()
        }
        #[target_feature(enable = "avx512f")]
        fn avx512<W: Vectorize>(work: W) -> W::Output {
            work.run()
        }
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the CPU has AVX-512F.
            return unsafe { avx512(work) };
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has AVX2 and FMA.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}
