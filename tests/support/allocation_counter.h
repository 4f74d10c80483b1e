#pragma once

// Counts every allocation of a test program. It defines malloc and its kin, so exactly one
// file of the program includes it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OOMDRILL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OOMDRILL_SANITIZED 1
#endif
#endif

namespace oomdrill::test {

inline std::atomic<std::uint64_t> allocation_count = 0;

/// Since the program began, in all threads.
inline std::uint64_t allocations() { return allocation_count; }

}  // namespace oomdrill::test

#ifdef OOMDRILL_SANITIZED

// A sanitizer has a malloc of its own, which ours must not stand before: operator new alone.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++oomdrill::test::allocation_count;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
// std::stable_sort's: the sanitizer's own would not match our delete.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++oomdrill::test::allocation_count;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

#else

// operator new ends in malloc. These names are glibc's own way to reach its allocator.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++oomdrill::test::allocation_count;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++oomdrill::test::allocation_count;
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
  ++oomdrill::test::allocation_count;
  return __libc_realloc(block, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++oomdrill::test::allocation_count;
  return __libc_memalign(alignment, size);
}
}
// NOLINTEND(bugprone-reserved-identifier)

#endif
