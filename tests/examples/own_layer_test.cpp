// own_layer: a layer with an op of its own is checked, learns and is saved, as its reader sees it.
#include <doctest/doctest.h>

#include "examples/child_process.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("own_layer shows a layer with an op of its own from its formula to a trained model") {
  const Finished run = run_child("own_layer", {});
  CHECK(run.code == 0);
  CHECK(run.error.empty());
  CHECK(run.output.find("the op: gradcheck: passed, tolerance 1e-06\n") == 0);
  CHECK(run.output.find("second order, input 1 [3]: ok") != std::string::npos);
  CHECK(run.output.find("the model: gradcheck: passed") != std::string::npos);
  CHECK(run.output.find("snake.a [32]: ok") != std::string::npos);
  CHECK(run.output.find("FAILED") == std::string::npos);
  CHECK(run.output.find("in 300 steps\n") != std::string::npos);
  CHECK(run.output.find("layer \"snake\" Snake(32): snake: a must hold one number a feature: x [2, 31], a [32]\n") !=
        std::string::npos);
}
