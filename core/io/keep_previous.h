// How the file that save_checkpoint replaces lives on: as a second name of the same file where the file system has
// those, else by a rename. Private to core; its tests hand in a link that fails as FAT's does.
#pragma once

#include <filesystem>

namespace tandem {

/// link(2): 0, or -1 with errno set.
using LinkFunction = int (*)(const char* path, const char* second);

/// Makes the file at `path` (none: nothing happens) also that at `previous`, which is replaced at one moment. Where the
/// file system or the system's rules allow no second name (EPERM, EOPNOTSUPP, ENOSYS, EMLINK) `path` is renamed, and
/// missing until its successor is there: returns true then. Throws Error; both are then as before.
bool keep_previous(const std::filesystem::path& path, const std::filesystem::path& previous, LinkFunction link);

}  // namespace tandem
