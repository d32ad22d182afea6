// Versions as the loaded libraries tell them.
#include <tandem/core/versions.h>

#include <cblas.h>
#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.h>

#include <string_view>

namespace tandem {
namespace {

/// "0.3.21" of "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY Haswell MAX_THREADS=128".
std::string_view openblas_version() {
  std::string_view text = openblas_get_config();
  text.remove_prefix(text.find(' ') == std::string_view::npos ? 0 : text.find(' ') + 1);
  return text.substr(0, text.find(' '));
}

constexpr std::string_view compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

}  // namespace

std::string library_versions() {
  const dnnl_version_t* dnnl = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}, OpenBLAS {}, {}", dnnl->major, dnnl->minor, dnnl->patch, openblas_version(),
                     compiler());
}

}  // namespace tandem
