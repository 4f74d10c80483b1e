#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace oomdrill::bench {

/// An array of zeros that malloc knows nothing of; its pages come as they are written.
template <class T>
class Mapped {
 public:
  explicit Mapped(std::size_t count) : bytes_(count * sizeof(T)) {
    void* at = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
      std::perror("mmap");
      std::exit(71);
    }
    data_ = static_cast<T*>(at);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() { ::munmap(data_, bytes_); }

  T& operator[](std::size_t index) { return data_[index]; }

 private:
  T* data_;
  std::size_t bytes_;
};

}  // namespace oomdrill::bench
