// How each type that the runtime reads or writes is laid out; see io.h.
#pragma once
#include <dlpack/dlpack.h>
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/string.h>

#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tvm {
namespace support {

template <typename T>
struct Serializer<T, std::enable_if_t<std::is_arithmetic_v<T>>> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const T& value) { RawWrite(stream, value); }
  static bool Read(Stream* stream, T* value) { return RawRead(stream, value); }
};

template <typename T>
struct Serializer<T, std::enable_if_t<std::is_enum_v<T>>> {
  using Underlying = std::underlying_type_t<T>;
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const T& value) { RawWrite(stream, static_cast<Underlying>(value)); }
  static bool Read(Stream* stream, T* value) {
    Underlying raw;
    if (!RawRead(stream, &raw)) return false;
    *value = static_cast<T>(raw);
    return true;
  }
};

template <>
struct Serializer<DLDataType> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const DLDataType& type) {
    RawWrite(stream, type.code);
    RawWrite(stream, type.bits);
    RawWrite(stream, type.lanes);
  }
  static bool Read(Stream* stream, DLDataType* type) {
    return RawRead(stream, &type->code) && RawRead(stream, &type->bits) && RawRead(stream, &type->lanes);
  }
};

template <>
struct Serializer<DLDevice> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const DLDevice& device) {
    int32_t type = static_cast<int32_t>(device.device_type);
    int32_t id = device.device_id;
    RawWrite(stream, type);
    RawWrite(stream, id);
  }
  static bool Read(Stream* stream, DLDevice* device) {
    int32_t type, id;
    if (!RawRead(stream, &type) || !RawRead(stream, &id)) return false;
    device->device_type = static_cast<DLDeviceType>(type);
    device->device_id = id;
    return true;
  }
};

template <>
struct Serializer<std::string> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const std::string& text) {
    uint64_t size = text.size();
    RawWrite(stream, size);
    if (size) stream->Write(static_cast<const void*>(text.data()), text.size());
  }
  static bool Read(Stream* stream, std::string* text) {
    uint64_t size;
    if (!RawRead(stream, &size)) return false;
    text->resize(static_cast<size_t>(size));
    return size == 0 || stream->Read(static_cast<void*>(&(*text)[0]), text->size()) == text->size();
  }
};

template <>
struct Serializer<ffi::String> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const ffi::String& text) {
    Serializer<std::string>::Write(stream, std::string(text.data(), text.size()));
  }
  static bool Read(Stream* stream, ffi::String* text) {
    std::string read;
    if (!Serializer<std::string>::Read(stream, &read)) return false;
    *text = ffi::String(std::move(read));
    return true;
  }
};

template <typename A, typename B>
struct Serializer<std::pair<A, B>> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const std::pair<A, B>& pair) {
    stream->Write(pair.first);
    stream->Write(pair.second);
  }
  static bool Read(Stream* stream, std::pair<A, B>* pair) {
    return stream->Read(&pair->first) && stream->Read(&pair->second);
  }
};

template <typename T>
struct Serializer<std::vector<T>> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const std::vector<T>& items) {
    uint64_t size = items.size();
    RawWrite(stream, size);
    for (const T& item : items) Serializer<T>::Write(stream, item);
  }
  static bool Read(Stream* stream, std::vector<T>* items) {
    uint64_t size;
    if (!RawRead(stream, &size)) return false;
    items->resize(static_cast<size_t>(size));
    for (auto& item : *items) {
      if (!Serializer<T>::Read(stream, &item)) return false;
    }
    return true;
  }
};

template <typename K, typename V>
struct Serializer<std::unordered_map<K, V>> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const std::unordered_map<K, V>& items) {
    uint64_t size = items.size();
    RawWrite(stream, size);
    for (const auto& item : items) {
      stream->Write(item.first);
      stream->Write(item.second);
    }
  }
  static bool Read(Stream* stream, std::unordered_map<K, V>* items) {
    uint64_t size;
    if (!RawRead(stream, &size)) return false;
    items->clear();
    for (uint64_t i = 0; i < size; ++i) {
      K key;
      V value;
      if (!stream->Read(&key) || !stream->Read(&value)) return false;
      items->emplace(std::move(key), std::move(value));
    }
    return true;
  }
};

template <typename T>
struct Serializer<ffi::Array<T>> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const ffi::Array<T>& items) {
    uint64_t size = items.size();
    RawWrite(stream, size);
    for (uint64_t i = 0; i < size; ++i) {
      T item = items[i];
      Serializer<T>::Write(stream, item);
    }
  }
  static bool Read(Stream* stream, ffi::Array<T>* items) {
    uint64_t size;
    if (!RawRead(stream, &size)) return false;
    ffi::Array<T> read;
    for (uint64_t i = 0; i < size; ++i) {
      T item;
      if (!Serializer<T>::Read(stream, &item)) return false;
      read.push_back(item);
    }
    *items = std::move(read);
    return true;
  }
};

template <typename V>
struct Serializer<ffi::Map<ffi::String, V>> {
  static constexpr bool enabled = true;
  static void Write(Stream* stream, const ffi::Map<ffi::String, V>& items) {
    uint64_t size = items.size();
    RawWrite(stream, size);
    for (const auto& item : items) {
      Serializer<ffi::String>::Write(stream, item.first);
      Serializer<V>::Write(stream, item.second);
    }
  }
  static bool Read(Stream* stream, ffi::Map<ffi::String, V>* items) {
    uint64_t size;
    if (!RawRead(stream, &size)) return false;
    ffi::Map<ffi::String, V> read;
    for (uint64_t i = 0; i < size; ++i) {
      ffi::String key;
      V value{ffi::UnsafeInit{}};
      if (!Serializer<ffi::String>::Read(stream, &key) || !Serializer<V>::Read(stream, &value)) return false;
      read.Set(key, value);
    }
    *items = std::move(read);
    return true;
  }
};

}  // namespace support
}  // namespace tvm
