/* isa.h: one source, several instruction sets. A function marked CPU_CLONES is compiled for AVX-512,
 * AVX2 with FMA and the base line; the loader picks the best for this CPU. Loops of OpenMP inside it
 * are compiled along. A build may leave AVX-512 out, to try what CPUs without it do
 * (tests/peers/bench_sd15.py). */
#pragma once

#if !defined __x86_64__ || !defined __GNUC__ || defined __clang__
#define CPU_CLONES
#elif defined CPU_WITHOUT_AVX512
#define CPU_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CPU_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
