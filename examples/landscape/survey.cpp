// The survey as JSON and back; the lines of results.
#include "survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/folder_files.h>
#include <tandem/report/metrics.h>

namespace tandem::landscape {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using report::number_text;

constexpr std::uint64_t kLargest = std::uint64_t{256} << 20;  // bytes of a file that is read

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(number_text(value)); }
double number(const Json& json) {
  return json.is_string() ? report::parse_number(json.get<std::string>(), kResult.file) : json.get<double>();
}

Json to_json(const Path& path) {
  Json points = Json::array();
  for (const PathPoint& p : path.points)
    points.push_back({{"name", p.name},
                      {"step", p.step},
                      {"before_pull", p.is_before_pull},
                      {"x", p.place.x},
                      {"y", p.place.y},
                      {"distance", p.place.distance},
                      {"loss", number(p.measured.loss)},
                      {"accuracy", number(p.measured.accuracy)}});
  return {{"name", path.name},
          {"drawn", path.drawn},
          {"explained", {path.shares.along[0], path.shares.along[1]}},
          {"points", std::move(points)}};
}

Path path_of(const Json& json) {
  Path path{json.at("name"), {}, json.at("drawn"), {}};
  for (std::size_t axis = 0; axis < 2; ++axis) path.shares.along[axis] = json.at("explained").at(axis);
  for (const Json& p : json.at("points"))
    path.points.push_back({p.at("name"),
                           p.at("step"),
                           p.at("before_pull"),
                           {p.at("x"), p.at("y"), p.at("distance")},
                           {number(p.at("loss")), number(p.at("accuracy"))}});
  return path;
}

/// One line of results; nothing for one that is torn or of another survey.
void take(std::string_view line, Survey& survey) {
  const std::size_t first = line.find(','), second = first == line.npos ? line.npos : line.find(',', first + 1);
  if (second == line.npos) return;
  std::size_t task = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + first, task);
  if (error != std::errc{} || end != line.data() + first || task >= survey.tasks()) return;
  try {
    survey.result(task) = {report::parse_number(line.substr(first + 1, second - first - 1), kResult.file),
                           report::parse_number(line.substr(second + 1), kResult.file)};
  } catch (const Error&) {
    return;
  }
}

std::vector<fs::path> result_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("measured") && name.ends_with(".csv")) files.push_back(entry.path());
  }
  return files;
}

}  // namespace

std::size_t Survey::path_points() const {
  std::size_t points = 0;
  for (const Path& path : paths) points += path.points.size();
  return points;
}

Measured& Survey::result(std::size_t task) {
  for (Path& path : paths) {
    if (task < path.points.size()) return path.points[task].measured;
    task -= path.points.size();
  }
  grid.resize(x.size() * y.size());
  return grid.at(task);
}

std::vector<std::size_t> Survey::open_tasks() const {
  std::vector<std::size_t> open;
  Survey copy = *this;
  for (std::size_t task = 0; task < tasks(); ++task)
    if (std::isnan(copy.result(task).accuracy)) open.push_back(task);
  return open;
}

void write_survey(const fs::path& folder, const Survey& s) {
  Json paths = Json::array(), marks = Json::array(), losses = Json::array(), accuracies = Json::array();
  for (const Path& path : s.paths) paths.push_back(to_json(path));
  for (const Mark& m : s.marks) marks.push_back({{"name", m.name}, {"shape", m.shape}, {"x", m.x}, {"y", m.y}});
  for (const Measured& m : s.grid) losses.push_back(number(m.loss)), accuracies.push_back(number(m.accuracy));
  const Json json = {{"tandem", kResult.format},
                     {"program", kResult.program},
                     {"kind", s.kind},
                     {"title", s.title},
                     {"about", s.about},
                     {"command", s.command},
                     {"model", s.model},
                     {"dataset", s.dataset},
                     {"data", s.data},
                     {"part", s.part},
                     {"checksum", s.checksum},
                     {"images", s.images},
                     {"reestimate", s.reestimate},
                     {"statistics", s.statistics},
                     {"machine", fmt::format("{}, {}, one thread a point", processor_name(), instruction_set())},
                     {"software", library_versions()},
                     {"seconds", s.seconds},
                     {"findings", s.findings},
                     {"x", {{"name", s.x_name}, {"values", s.x}}},
                     {"y", {{"name", s.y_name}, {"values", s.y}}},
                     {"square", s.is_square},
                     {"paths", std::move(paths)},
                     {"marks", std::move(marks)},
                     {"grid", {{"loss", std::move(losses)}, {"accuracy", std::move(accuracies)}}}};
  write_file(folder / kResult.file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Survey read_survey(const fs::path& folder) {
  const fs::path file = folder / kResult.file;
  const std::string text = read_file(file, kLargest);
  report::check_depth(text, file.string());
  try {
    const Json json = Json::parse(text);
    if (json.at("tandem") != kResult.format) fail(file.string(), "not a result of landscape");
    if (json.at("kind") == "surface")
      fail(file.string(), "walks on surfaces, which are measured at once", {}, "--surface");
    Survey s;
    s.kind = json.at("kind"), s.title = json.at("title"), s.about = json.at("about"), s.command = json.at("command");
    s.model = json.at("model"), s.dataset = json.at("dataset"), s.data = json.at("data"), s.part = json.at("part");
    s.checksum = json.at("checksum"), s.images = json.at("images"), s.reestimate = json.at("reestimate");
    s.statistics = json.at("statistics"), s.seconds = json.at("seconds"), s.is_square = json.at("square");
    s.findings = json.at("findings").get<std::vector<std::string>>();
    s.x_name = json.at("x").at("name"), s.y_name = json.at("y").at("name");
    s.x = json.at("x").at("values").get<std::vector<double>>();
    s.y = json.at("y").at("values").get<std::vector<double>>();
    for (const Json& path : json.at("paths")) s.paths.push_back(path_of(path));
    for (const Json& m : json.at("marks")) s.marks.push_back({m.at("name"), m.at("shape"), m.at("x"), m.at("y")});
    const Json &loss = json.at("grid").at("loss"), &accuracy = json.at("grid").at("accuracy");
    for (std::size_t i = 0; i < loss.size(); ++i) s.grid.push_back({number(loss.at(i)), number(accuracy.at(i))});
    if (s.x.empty() || s.y.empty()) fail(file.string(), "the grid has no nodes");
    return s;
  } catch (const Json::exception& error) {
    fail(file.string(), "not a result of landscape", error.what());
  }
}

std::string result_line(std::size_t task, const Measured& m) {
  return fmt::format("{},{},{}\n", task, number_text(m.loss), number_text(m.accuracy));
}

void take_results(const fs::path& file, Survey& survey) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  const std::string text = read_file(file, kLargest);
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    take(std::string_view(text).substr(begin, end - begin), survey);
}

void clear_folder(const fs::path& folder) {
  std::vector<fs::path> files = result_files(folder);
  for (const char* file : {"plane.safetensors", "grid.csv", "path.csv", "walks.csv", "report.html"})
    files.push_back(folder / file);
  std::error_code ignored;
  for (const fs::path& file : files) fs::remove(file, ignored);
}

void gather_results(const fs::path& folder, Survey& survey) {
  const std::vector<fs::path> files = result_files(folder);
  for (const fs::path& file : files) take_results(file, survey);
  std::string all;
  for (std::size_t task = 0; task < survey.tasks(); ++task)
    if (const Measured& m = survey.result(task); !std::isnan(m.accuracy)) all += result_line(task, m);
  write_file(folder / "measured.csv", all);
  std::error_code ignored;
  for (const fs::path& file : files)
    if (file.filename() != "measured.csv") fs::remove(file, ignored);
}

}  // namespace tandem::landscape
