// `landscape` as users run it: on a small run of `cifar`, its inner loop, its way, lines and planes; interrupted and
// gone on with; walks; wrong command lines.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;
using Json = nlohmann::json;

namespace {

/// A run of 24 steps with k = 4, on 120 pictures.
struct SmallRun {
  TemporaryFolder folder;
  std::string run, data;
  SmallRun() {
    data = (folder / "data").string();
    write_tiny_cifar10(data);
    const Finished trained = run_child("cifar", {"--data",
                                                 data,
                                                 "--model",
                                                 "convnet",
                                                 "--batch",
                                                 "10",
                                                 "--epochs",
                                                 "2",
                                                 "--seed",
                                                 "1",
                                                 "--evaluate-every",
                                                 "100",
                                                 "--checkpoint-every",
                                                 "6",
                                                 "--threads",
                                                 "1",
                                                 "--quiet",
                                                 "--schedule",
                                                 "constant",
                                                 "--out",
                                                 (folder / "out").string(),
                                                 "--optimizer",
                                                 "lookahead(momentum(lr=0.02, momentum=0.9), k=4, alpha=0.5)"});
    INFO(trained.error);
    REQUIRE(trained.code == 0);
    run = (folder / "out/lookahead-momentum-seed1").string();
  }
  Finished landscape(const std::string& out, std::vector<std::string> more) const {
    more.insert(more.end(), {"--out", (folder / out).string()});
    if (std::find(more.begin(), more.end(), "--surface") == more.end()) more.insert(more.end(), {"--data", data});
    return run_child("landscape", more);
  }
  Json result(const std::string& out) const { return Json::parse(read_file(folder / out / "landscape.json")); }
};

}  // namespace

TEST_CASE("landscape: an inner loop, lines, planes and the way of a small run") {
  const SmallRun small;
  SUBCASE("an inner loop") {
    const Finished done = small.landscape(
        "cycle", {"--cycle", small.run + "@10", "--updates", "12", "--grid", "5", "--images", "40", "--jobs", "2"});
    INFO(done.error);
    REQUIRE(done.code == 0);
    const Json json = small.result("cycle");
    const Json &fast = json["paths"][0], &inner = json["paths"][1], &chord = json["paths"][2];
    CHECK(fast["name"] == "fast weights");
    CHECK(fast["points"][0]["step"] == 8);  // the loop that holds step 10 begins there
    CHECK(fast["drawn"] == 5);
    CHECK(fast["points"].size() == 13 + 3);
    const Json &start = fast["points"][0], &last = fast["points"][4], &slow = fast["points"][5];
    CHECK(last["before_pull"] == true);
    CHECK(start["x"].get<double>() == doctest::Approx(0));
    CHECK(slow["x"].get<double>() == doctest::Approx(0.5 * last["x"].get<double>()).epsilon(1e-4));
    for (std::size_t i : {0, 2, 4, 5}) CHECK(std::fabs(fast["points"][i]["distance"].get<double>()) < 1e-4);
    CHECK(fast["explained"][0].get<double>() > 0.5);
    // Until the pull the inner rule goes the same way; then it goes on.
    CHECK(inner["points"].size() == 13);
    for (std::size_t i = 0; i <= 4; ++i) CHECK(inner["points"][i]["loss"] == fast["points"][i]["loss"]);
    CHECK(inner["points"][5]["loss"] != fast["points"][6]["loss"]);
    CHECK(chord["points"].size() == 16);
    CHECK(chord["points"][5]["loss"].get<double>() == doctest::Approx(slow["loss"].get<double>()).epsilon(1e-4));
    CHECK(json["grid"]["loss"].size() == 25);
    const std::string page = read_file(small.folder / "cycle/report.html");
    for (const char* part : {"After every update", "Along the slow chord", "\"contours\"", "The pull changed accuracy"})
      CHECK(page.find(part) != std::string::npos);
    CHECK(page.find("src=\"http") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(small.folder / "cycle/plane.safetensors"));
    CHECK_FALSE(std::filesystem::exists(small.folder / "cycle/measured.csv"));
  }
  SUBCASE("the way, with statistics gathered anew") {
    const Finished done = small.landscape(
        "pca", {"--pca", small.run, "--path-points", "6", "--grid", "3", "--images", "40", "--reestimate", "1"});
    INFO(done.error);
    REQUIRE(done.code == 0);
    const Json json = small.result("pca");
    const Json& path = json["paths"][0];
    CHECK(path["points"].size() == 6);
    for (const Json& point : path["points"]) CHECK(point["step"].get<int>() % 4 == 0);
    CHECK(path["points"].back()["x"].get<double>() == doctest::Approx(0).scale(1));
    const double share = path["explained"][0].get<double>() + path["explained"][1].get<double>();
    CHECK(share > 0.5);
    CHECK(share <= 1 + 1e-9);
    CHECK(json["statistics"].get<std::string>().find("gathered anew") != std::string::npos);
  }
  SUBCASE("models and eigenvectors") {
    const std::string model = small.run + "/model.safetensors", before = small.run + "/checkpoint.previous.safetensors";
    REQUIRE(small.landscape("line", {"--through", model, "--through", before, "--grid", "5", "--images", "40"}).code ==
            0);
    const Json line = small.result("line");
    CHECK(line["y"]["values"].size() == 1);
    CHECK(line["grid"]["loss"].size() == 5);
    CHECK(line["paths"][0]["points"][1]["x"].get<double>() > 0);
    const Finished same = small.landscape("same", {"--through", model, "--through", small.run});
    CHECK(same.code == 1);
    CHECK(same.last_error_line() == "plane: the two points are the same");
    const Finished hessian =
        small.landscape("hessian", {"--around", small.run, "--directions", "hessian", "--hessian-images", "40",
                                    "--iterations", "8", "--grid", "3", "--images", "40"});
    INFO(hessian.error);
    REQUIRE(hessian.code == 0);
    CHECK(hessian.output.find("eigenvalue") != std::string::npos);
    const Json around = small.result("hessian");
    // The middle of the grid is the model, which is measured as a point of its own too.
    CHECK(around["grid"]["loss"][4] == around["paths"][0]["points"][0]["loss"]);
  }
  SUBCASE("interrupted, and gone on with; results do not depend on --jobs") {
    const std::vector<std::string> options = {"--around", small.run, "--grid", "15", "--images", "40", "--quiet"};
    std::vector<std::string> one = options, two = options;
    one.insert(one.end(), {"--jobs", "1"});
    two.insert(two.end(), {"--jobs", "2", "--out", (small.folder / "cut").string(), "--data", small.data});
    REQUIRE(small.landscape("whole", one).code == 0);
    Child child("landscape", two, "/nonexistent", {});
    const auto begun = small.folder / "cut/measured-0.csv";
    while (!child.has_ended() && (!std::filesystem::exists(begun) || std::filesystem::file_size(begun) < 40))
      ::usleep(2000);
    child.send(SIGINT);
    const Finished cut = child.wait();
    CHECK(cut.code == 128 + SIGINT);
    CHECK(cut.last_error_line().find("--resume") != std::string::npos);
    const Finished refused = run_child("landscape", two);
    CHECK(refused.code == 2);
    const Finished resumed = run_child("landscape", {"--resume", (small.folder / "cut").string(), "--jobs", "2"});
    INFO(resumed.error);
    REQUIRE(resumed.code == 0);
    CHECK(resumed.output.find("points are open") != std::string::npos);
    for (const char* file : {"grid.csv", "path.csv"})
      CHECK(read_file(small.folder / "cut" / file) == read_file(small.folder / "whole" / file));
    CHECK(
        run_child("landscape", {"--resume", (small.folder / "cut").string()}).output.find("all points are measured") ==
        0);
  }
}

TEST_CASE("landscape: walks on surfaces, and wrong command lines") {
  const TemporaryFolder folder;
  const std::string out = (folder / "walks").string();
  const Finished done =
      run_child("landscape", {"--surface", "ravine", "--surface", "saddle", "--steps", "30", "--out", out});
  INFO(done.error);
  REQUIRE(done.code == 0);
  CHECK(done.output.find("lookahead(sgd(lr=0.0405), k=5, alpha=0.5)") != std::string::npos);
  const Json json = Json::parse(read_file(folder / "walks/landscape.json"));
  CHECK(json["surfaces"].size() == 2);
  CHECK(json["surfaces"][0]["walks"].size() == 4);
  const std::string csv = read_file(folder / "walks/walks.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 2 * (4 * 31 + 6));

  const auto refuse = [&](const std::vector<std::string>& arguments, int code, const std::string& part) {
    const Finished refused = run_child("landscape", arguments);
    INFO(refused.error);
    CHECK(refused.code == code);
    CHECK(refused.last_error_line().find(part) != std::string::npos);
    CHECK(std::count(refused.error.begin(), refused.error.end(), '\n') == 1);
  };
  refuse({}, 2, "landscape: nothing is chosen");
  refuse({"--surface", "bowl", "--around", "x"}, 2, "more than one thing is chosen");
  refuse({"--surface", "rosenbrok"}, 2, "did you mean \"rosenbrock\"?");
  refuse({"--surface", "bowl", "--optimizer", "sgd(lr=-1)"}, 2, "lr");
  refuse({"--surface", "bowl", "--images", "5"}, 2, "--images: is for models; leave it out");
  refuse({"--surface", "bowl", "--out", out}, 2, "--overwrite");
  refuse({"--through", "a"}, 2, "--through: is given 1 time");
  refuse({"--through", "a", "--through", "b"}, 2, "a is not there");
  refuse({"--cycle", "runs/x"}, 2, "--cycle: \"runs/x\" names no step");
  refuse({"--pca", (folder / "none").string()}, 2, "--pca: ");
  refuse({"--around", "x", "--directions", "up"}, 2, "is not random or hessian");
  refuse({"--around", "x", "--grid", "2"}, 2, "--grid: is 2, must be in [3, 401]");
  refuse({"--resume", out}, 1, "measured at once");
  refuse({"--resume", (folder / "none").string()}, 2, "holds no result of landscape");
  refuse({"--nonsense"}, 2, "landscape --help");
}
