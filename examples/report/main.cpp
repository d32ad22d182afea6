// report: one page about run folders.   report RUNFOLDER... [--out report.html]
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <tandem/report/report.h>

int main(int argc, char** argv) {
  CLI::App app(
      "Writes one interactive page about run folders; runs that differ in optimizer and seed alone are joined.");
  std::vector<std::string> folders;
  std::string out;
  app.add_option("folders", folders, "run folders, as --out named them")->required()->type_name("RUNFOLDER");
  app.add_option("--out", out, "the page; default: report.html in the first folder")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  try {
    if (out.empty()) out = (std::filesystem::path(folders.front()) / "report.html").string();
    tandem::report::write_report(out, {folders.begin(), folders.end()});
    std::fprintf(stderr, "report: %s\n", out.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::string line = error.what();
    for (char& c : line)
      if (c == '\n' || c == '\r') c = ' ';
    std::fprintf(stderr, "%s\n", line.c_str());
    return 1;
  }
}
