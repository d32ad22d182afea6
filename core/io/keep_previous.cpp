// See keep_previous.h.
#include <tandem/core/io/keep_previous.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

namespace tandem {

namespace {

bool means_no_second_name(int reason) {
  return reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS || reason == EMLINK;
}

}  // namespace

bool keep_previous(const std::filesystem::path& path, const std::filesystem::path& previous, LinkFunction link) {
  if (!std::filesystem::exists(path)) return false;
  const std::filesystem::path second = temporary_path(path.parent_path());
  int reason = 0;
  if (link(path.c_str(), second.c_str()) == 0) {
    if (::rename(second.c_str(), previous.c_str()) == 0) {
      ::unlink(second.c_str());  // where both names were one file already, rename leaves it
      return false;
    }
    reason = errno;
    ::unlink(second.c_str());
  } else if (means_no_second_name(errno)) {
    if (::rename(path.c_str(), previous.c_str()) == 0) return true;
    reason = errno;
  } else {
    reason = errno;
  }
  fail("save_checkpoint: " + path.string(), "the one before cannot be kept", std::strerror(reason));
}

}  // namespace tandem
