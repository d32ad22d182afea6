// EnvironmentScope: variables of the environment for the length of a scope.
#pragma once

#include <stdlib.h>

#include <string>
#include <utility>
#include <vector>

namespace tandem::test {

class EnvironmentScope {
 public:
  explicit EnvironmentScope(std::vector<std::pair<std::string, std::string>> variables)
      : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~EnvironmentScope() {
    for (const auto& [name, value] : variables_) ::unsetenv(name.c_str());
  }
  EnvironmentScope(const EnvironmentScope&) = delete;
  EnvironmentScope& operator=(const EnvironmentScope&) = delete;

 private:
  std::vector<std::pair<std::string, std::string>> variables_;
};

}  // namespace tandem::test
