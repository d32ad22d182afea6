// Settings: how each named language model is trained where the command line does not say it.
// Not here: the models (nn/models/lstm_lm.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/data/text.h>
#include <tandem/train/train.h>

namespace language {

struct Setting {
  const char* model;
  tandem::TokenKind tokens;
  std::int64_t batch, bptt, epochs;
  const char* schedule;
  double sgd_lr, adam_lr, clip, weight_decay;
};

/// Of one of nn::lstm_language_model_names(); nullptr for any other name.
const Setting* find_setting(const std::string& model);

/// SGD and Adam, alone, inside Lookahead, and the control: inner at alpha * lr. The gradient's norm is clipped first.
std::vector<std::string> default_optimizers(const Setting& setting);

/// What a command line is complete without: all of lstm-medium's.
tandem::train::Options defaults();

/// --help of what depends on the model, and of what means something of its own here.
void describe_options(tandem::train::CommandLine& line);

}  // namespace language
