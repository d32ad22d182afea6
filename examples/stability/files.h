// The result of `stability`: stability.json, settings and what follows; cells.jsonl, a line a cell with every
// repetition, written as soon as it is measured, so that an interrupted result goes on; curves.csv; report.html
// (page.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tandem/train/result_folder.h>

#include "plan.h"

namespace tandem::stability {

inline const train::ResultKind kResult = {"stability", "stability 1", "stability.json"};

struct Record {
  Settings settings;
  std::string command;
  double seconds = 0;
};

/// Settings alone, before the first cell.
void write_settings(const std::filesystem::path& folder, const Record& record);
/// Throws Error naming the file when it is no result.
Record read_settings(const std::filesystem::path& folder);

std::filesystem::path cells_path(const std::filesystem::path& folder);
/// Fills in the cells of which a whole line is there; how many bytes these lines are.
std::int64_t read_cells(const std::filesystem::path& folder, std::vector<Cell>& cells);
std::string cell_line(const Cell& cell);

/// stability.json with what follows, curves.csv, report.html.
void write_result(const std::filesystem::path& folder, const Record& record, const std::vector<Cell>& cells);

}  // namespace tandem::stability
