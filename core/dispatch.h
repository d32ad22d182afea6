// TANDEM_TARGETS: compiles a function for several instruction sets; the loader picks one at start-up.
// gcc's target_clones; empty under clang 14 and ThreadSanitizer, where it fails. Goes before a function or template.
// kernels/pack.h has targets of its own.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TANDEM_TARGETS __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TANDEM_TARGETS
#endif

/// For lambdas and small functions inside a TANDEM_TARGETS function: they must be inlined to be compiled for its
/// targets.
#define TANDEM_INLINE __attribute__((always_inline)) inline

/// Between them gcc optimises loops whatever the build type of the program that includes the header (what it calls must
/// be compiled with -O1 at least to be inlined).
#if defined(__GNUC__) && !defined(__clang__)
#define TANDEM_OPTIMIZED_BEGIN \
  _Pragma("GCC push_options") _Pragma("GCC optimize(\"O3\", \"no-math-errno\", \"fp-contract=off\")")
#define TANDEM_OPTIMIZED_END _Pragma("GCC pop_options")
#else
#define TANDEM_OPTIMIZED_BEGIN
#define TANDEM_OPTIMIZED_END
#endif
