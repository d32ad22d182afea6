// make_model: models by the names that command lines take.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/nn/module.h>

namespace tandem::nn {

struct ModelOptions {
  std::int64_t classes = 10;
};

/// A new model; its weights are drawn from default_generator(). Throws UsageError that lists the names, and suggests
/// one, for a name that is not known.
std::shared_ptr<Module> make_model(std::string_view name, const ModelOptions& options = {});

/// "resnet20", "resnet32", "resnet56", "resnet18".
const std::vector<std::string>& model_names();

/// One line that says which model of the literature the name means. Throws UsageError as make_model does.
std::string describe_model(std::string_view name);

}  // namespace tandem::nn
