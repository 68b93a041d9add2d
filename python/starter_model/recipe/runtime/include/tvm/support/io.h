// Stands in for <tvm/support/io.h>, which the apache-tvm wheel does not ship.
// Same names and byte format (little endian, 64-bit sizes) as the compiler side writes.
#pragma once
#include <tvm/support/serializer.h>

#include <cstddef>
#include <cstdint>

namespace tvm {
namespace support {

class Stream {
 public:
  virtual ~Stream() = default;
  virtual size_t Read(void* data, size_t size) = 0;
  virtual size_t Write(const void* data, size_t size) = 0;

  template <typename T>
  void Write(const T& value) {
    Serializer<T>::Write(this, value);
  }
  template <typename T>
  bool Read(T* value) {
    return Serializer<T>::Read(this, value);
  }
  template <typename T>
  void WriteArray(const T* values, size_t count) {
    for (size_t i = 0; i < count; ++i) Serializer<T>::Write(this, values[i]);
  }
  template <typename T>
  bool ReadArray(T* values, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (!Serializer<T>::Read(this, values + i)) return false;
    }
    return true;
  }
};

template <typename T>
inline void RawWrite(Stream* stream, const T& value) {
  stream->Write(static_cast<const void*>(&value), sizeof(T));
}

template <typename T>
inline bool RawRead(Stream* stream, T* value) {
  return stream->Read(static_cast<void*>(value), sizeof(T)) == sizeof(T);
}

}  // namespace support
}  // namespace tvm
#include <tvm/support/serializer_impl.h>
