// report: one HTML file from several run folders, also of different programs. Each program writes such a file for its
// own folder; folders that trained the same model on the same data with other optimizers or seeds share one table.
//   report runs/momentum runs/lookahead runs/quadratic --out report.html
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <vector>

#include <tandem/core/error.h>

#include "common/program.h"
#include "common/report.h"

using namespace tandem;
using namespace tandem::examples;

int main(int argc, char** argv) {
  return run_program([&] {
    std::vector<std::filesystem::path> folders;
    std::filesystem::path out = "report.html";
    CLI::App app("Makes one report from run folders.", "report");
    app.add_option("FOLDER", folders, "Run folders, as --out wrote them")->required()->type_name("DIR");
    app.add_option("--out", out, "The file to write")->type_name("FILE")->capture_default_str();
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      std::fputs(app.help().c_str(), stdout);
      return kExitDone;
    } catch (const CLI::ParseError& error) {
      fail_usage("report", "the command line is wrong", error.what(), "report --help lists the options");
    }
    write_report(out, folders);
    fmt::print("written: {}\n", out.string());
    return kExitDone;
  });
}
