// Stands in for a header that the apache-tvm wheel does not ship: profiling ranges, which a browser has not.
#pragma once
#include <string>

namespace tvm {
namespace support {

struct NVTXScopedRange {
  explicit NVTXScopedRange(const std::string&) {}
};

}  // namespace support
}  // namespace tvm
