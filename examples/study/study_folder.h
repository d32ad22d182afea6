// The folder of a study: whose it is, its settings. Not here: its trials (workers.h), its page (page.h).
#pragma once

#include <filesystem>
#include <string>

#include <tandem/train/run_folder.h>

#include "trial.h"

namespace tandem::study {

/// True where a study lies: what --resume goes on with and --overwrite replaces.
bool is_study(const std::filesystem::path& folder);

/// A new folder, locked: empty, or with `overwrite` one with a study, whose files are deleted. Empty path:
/// runs/study-TIME. Throws UsageError saying what lies there.
train::RunFolder claim_study(const std::filesystem::path& path, bool overwrite, const std::string& executable);

void write_settings(const std::filesystem::path& folder, const Settings& settings, const std::string& command);
/// Throws Error where there is no study, or it is damaged.
Settings read_settings(const std::filesystem::path& folder);
/// The command that began it.
std::string read_command(const std::filesystem::path& folder);

}  // namespace tandem::study
