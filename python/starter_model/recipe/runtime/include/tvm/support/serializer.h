// Stands in for <tvm/support/serializer.h>, which the apache-tvm wheel does not ship.
#pragma once

namespace tvm {
namespace support {

class Stream;

template <typename T, typename Enable = void>
struct Serializer {
  static constexpr bool enabled = false;
};

}  // namespace support
}  // namespace tvm
#include <tvm/support/io.h>
