// Sweeps: combinations and their order, names of lists, errors with columns.
#include "support.h"

using namespace support;

namespace {

std::vector<std::string> specs(std::string_view text) {
  std::vector<std::string> all;
  for (const SweepPoint& p : expand_sweep(text)) all.push_back(p.spec);
  return all;
}

using Choices = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("every combination, the last list fastest") {
  const auto points =
      expand_sweep("lookahead(momentum(lr={0.02, 0.1,0.5}, momentum=0.9), k={5,10}, alpha={0.2,0.5,0.8})");
  REQUIRE(points.size() == 18);
  CHECK(points[0].spec == "lookahead(momentum(lr=0.02, momentum=0.9), k=5, alpha=0.2)");
  CHECK(points[1].spec == "lookahead(momentum(lr=0.02, momentum=0.9), k=5, alpha=0.5)");
  CHECK(points[3].spec == "lookahead(momentum(lr=0.02, momentum=0.9), k=10, alpha=0.2)");
  CHECK(points[17].spec == "lookahead(momentum(lr=0.5, momentum=0.9), k=10, alpha=0.8)");
  CHECK(points[7].choices == Choices{{"lr", "0.1"}, {"k", "5"}, {"alpha", "0.5"}});
  CHECK(points[0].name.empty());
  for (const SweepPoint& p : points) CHECK(parse_rule(p.spec).describe() == p.spec);
}

TEST_CASE("words, whole rules, schedules with commas, and a name") {
  CHECK(specs("lookahead({sgd(lr=0.1), adam}, k=5, state={maintain,reset})") ==
        std::vector<std::string>{"lookahead(sgd(lr=0.1), k=5, state=maintain)",
                                 "lookahead(sgd(lr=0.1), k=5, state=reset)", "lookahead(adam, k=5, state=maintain)",
                                 "lookahead(adam, k=5, state=reset)"});
  const auto schedules = expand_sweep(" la-1 = adam(lr={0.1 * cosine(warmup=1, total=9), 0.2})");
  REQUIRE(schedules.size() == 2);
  CHECK(schedules[0].name == "la-1");
  CHECK(schedules[0].spec == "adam(lr=0.1 * cosine(warmup=1, total=9))");
  CHECK(schedules[0].choices == Choices{{"lr", "0.1 * cosine(warmup=1, total=9)"}});
  CHECK(specs("{sgd(lr=1),adam}") == std::vector<std::string>{"sgd(lr=1)", "adam"});
  CHECK(expand_sweep("{sgd(lr=1),adam}")[1].choices == Choices{{"rule", "adam"}});
  CHECK(specs("adam") == std::vector<std::string>{"adam"});
  CHECK(expand_sweep("a=adam(lr=0.1)")[0].spec == "adam(lr=0.1)");
  CHECK(expand_sweep("adam(lr={1})")[0].choices == Choices{{"lr", "1"}});
}

TEST_CASE("lists of one name are told apart by their paths") {
  CHECK(expand_sweep("lookahead(lookahead(sgd(lr=1), k={1}), k={2}, alpha={0.5})")[0].choices ==
        Choices{{"inner/k", "1"}, {"k", "2"}, {"alpha", "0.5"}});
  CHECK(expand_sweep("outer_loop(sgd(lr={1}), sgd(lr={2}), k=5)")[0].choices ==
        Choices{{"inner/lr", "1"}, {"outer/lr", "2"}});
  CHECK(expand_sweep("outer_loop({sgd}, {adam}, k={5})")[0].choices ==
        Choices{{"inner/rule", "sgd"}, {"outer/rule", "adam"}, {"k", "5"}});
  CHECK(expand_sweep("sgd(lr=linear(total={9}), weight_decay=linear(total={8}))")[0].choices ==
        Choices{{"lr/total", "9"}, {"weight_decay/total", "8"}});
  CHECK(expand_sweep("sgd(lr={1}*{linear})")[0].choices == Choices{{"lr", "1"}, {"lr 2", "linear"}});
}

TEST_CASE("what a sweep refuses, with columns") {
  const auto error = [](const std::string& text) { return message([&] { expand_sweep(text); }); };
  CHECK(error("adam(lr={})") == "sweep: the list is empty at column 9: in \"adam(lr={})\"");
  CHECK(error("adam(lr={1,,2})") == "sweep: an entry is empty in the list at column 9: in \"adam(lr={1,,2})\"");
  CHECK(error("adam(lr={1,2)") == "sweep: unexpected \")\" in a list at column 13: in \"adam(lr={1,2)\"");
  CHECK(error("adam(lr={1,2") == "sweep: \"}\" is missing for the \"{\" at column 9: in \"adam(lr={1,2\"");
  CHECK(error("adam(lr=1,2})") == "sweep: \"}\" without a \"{\" at column 12: in \"adam(lr=1,2})\"");
  CHECK(error("{sgd(lr={1,2}),adam}") ==
        "sweep: a list inside a list at column 9: in \"{sgd(lr={1,2}),adam}\"; write its combinations out as entries");
  CHECK(error("{sgd(lr=1,adam}") ==
        "sweep: \")\" is missing in the list that ends at column 15: in \"{sgd(lr=1,adam}\"");
  CHECK(error("  ").find("sweep: there is no rule at column 1") == 0);
  CHECK(error("=adam") == "sweep: the name before \"=\" is empty at column 1: in \"=adam\"");
  const std::string ten = "{1,2,3,4,5,6,7,8,9,10}";
  const std::string four = "x(a=" + ten + ",b=" + ten + ",c=" + ten + ",d=" + ten + ")";
  CHECK(expand_sweep(four).size() == 10000);
  CHECK(error("y(e={1,2}, z=" + four + ")").find("sweep: more than 10000 combinations at column 1") == 0);
}
