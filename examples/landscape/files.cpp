// Numbers in the shortest form that reads back the same.
#include "files.h"

#include <fmt/format.h>

#include <tandem/core/io/file.h>
#include <tandem/core/versions.h>
#include <tandem/report/metrics.h>

#include "plane_file.h"

namespace tandem::landscape {
namespace {

using report::number_text;

std::string quoted(const std::string& text) {
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

std::string grid_csv(const Survey& s) {
  std::string text = "x,y,loss,accuracy\n";
  for (std::size_t i = 0; i < s.grid.size(); ++i)
    text += fmt::format("{},{},{},{}\n", number_text(s.x[i % s.x.size()]), number_text(s.y[i / s.x.size()]),
                        number_text(s.grid[i].loss), number_text(s.grid[i].accuracy));
  return text;
}

std::string path_csv(const Survey& s) {
  std::string text = "path,point,step,before_pull,drawn,x,y,distance,loss,accuracy\n";
  for (const Path& path : s.paths)
    for (std::size_t i = 0; i < path.points.size(); ++i) {
      const PathPoint& p = path.points[i];
      text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", quoted(path.name), quoted(p.name),
                          p.step < 0 ? "" : fmt::format("{}", p.step), p.is_before_pull ? 1 : 0, i < path.drawn ? 1 : 0,
                          number_text(p.place.x), number_text(p.place.y), number_text(p.place.distance),
                          number_text(p.measured.loss), number_text(p.measured.accuracy));
    }
  return text;
}

std::string walks_csv(const std::vector<SurfaceWalks>& all) {
  std::string text = "surface,optimizer,step,before_pull,x,y,loss\n";
  for (const SurfaceWalks& one : all)
    for (const Walk& walk : one.walks)
      for (const WalkPoint& p : walk.points)
        text += fmt::format("{},{},{},{},{},{},{}\n", one.surface->name, quoted(walk.optimizer), p.step,
                            p.is_before_pull ? 1 : 0, number_text(p.x), number_text(p.y), number_text(p.loss));
  return text;
}

}  // namespace

void write_result(const std::filesystem::path& folder, const Survey& survey) {
  write_survey(folder, survey);
  write_file(folder / "grid.csv", grid_csv(survey));
  write_file(folder / "path.csv", path_csv(survey));
  write_file(folder / "report.html", survey_page(survey));
  std::error_code ignored;
  std::filesystem::remove(plane_path(folder), ignored);
  std::filesystem::remove(folder / "measured.csv", ignored);
}

void write_walks(const std::filesystem::path& folder, const std::vector<SurfaceWalks>& all,
                 const std::string& command) {
  Json surfaces = Json::array();
  for (const SurfaceWalks& one : all) {
    Json walks = Json::array();
    for (const Walk& walk : one.walks)
      walks.push_back({{"optimizer", walk.optimizer},
                       {"steps", walk.points.back().step},
                       {"diverged", walk.diverged},
                       {"end", {exact(walk.end.x), exact(walk.end.y)}},
                       {"end_loss", exact(walk.end_loss)},
                       {"distance", exact(walk.distance)}});
    surfaces.push_back({{"name", one.surface->name},
                        {"formula", one.surface->formula},
                        {"start", {one.start.x, one.start.y}},
                        {"walks", std::move(walks)}});
  }
  const Json json = {{"tandem", kResult.format}, {"program", kResult.program},     {"kind", "surface"},
                     {"command", command},       {"software", library_versions()}, {"surfaces", std::move(surfaces)}};
  write_file(folder / kResult.file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  write_file(folder / "walks.csv", walks_csv(all));
  write_file(folder / "report.html", walk_page(all, command));
}

}  // namespace tandem::landscape
