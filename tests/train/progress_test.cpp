// The progress bar as a line: what it says, and what goes where the terminal is narrow.
#include <tandem/train/progress.h>

#include <doctest/doctest.h>

using namespace tandem::train;

TEST_CASE("the bar fits the terminal: it shrinks, then speed, metric and bar go, the time left stays") {
  const BarLine bar{"2-lookahead-adam-seed0", "test_accuracy 0.5000", 3, 10, 25, 100, 1.23456, 1234.4, 65};
  CHECK(bar_line(bar, 200) ==
        "2-lookahead-adam-seed0  epoch 3/10 [=====               ]  25%  loss 1.2346  test_accuracy 0.5000  1,234 "
        "examples/s  1:05 left");
  CHECK(bar_line(bar, 120) ==
        "2-lookahead-adam-seed0  epoch 3/10 [==        ]  25%  loss 1.2346  test_accuracy 0.5000  1,234 examples/s  "
        "1:05 left");
  CHECK(bar_line(bar, 100) ==
        "2-lookahead-adam-seed0  epoch 3/10 [==        ]  25%  loss 1.2346  test_accuracy 0.5000  1:05 left");
  CHECK(bar_line(bar, 80) == "2-lookahead-adam-seed0  epoch 3/10 [==        ]  25%  loss 1.2346  1:05 left");
  CHECK(bar_line(bar, 65) == "2-lookahead-adam-seed0  epoch 3/10  25%  loss 1.2346  1:05 left");
  CHECK(bar_line(bar, 20) == "2-lookahead-adam-see");
  for (std::size_t width = 0; width < 150; ++width) CHECK(bar_line(bar, width).size() <= width);
}

TEST_CASE("the bar is empty before the first step and full after the last; no metric before the first evaluation") {
  BarLine bar{"1-sgd-seed0", "", 1, 1, 0, 7, 2, 10, 0};
  CHECK(bar_line(bar, 200) ==
        "1-sgd-seed0  epoch 1/1 [                    ]   0%  loss 2.0000  10 examples/s  0 s left");
  bar.done = 7;
  CHECK(bar_line(bar, 200) ==
        "1-sgd-seed0  epoch 1/1 [====================] 100%  loss 2.0000  10 examples/s  0 s left");
}
