// Listens to one forward pass by hooks and prints what they heard. See summary.h.
#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include <tandem/autograd/record.h>
#include <tandem/nn/behaviour_scope.h>
#include <tandem/nn/summary.h>

namespace tandem::nn {

namespace {

/// "layer1.0" of "layer1.0.conv1"; "" of "conv1".
std::string parent_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

void count_parameters(Module& model, Summary& table, const std::unordered_map<std::string, std::size_t>& row_of) {
  for (const NamedTensor& p : model.parameters()) {
    table.rows[row_of.at(parent_of(p.name))].parameters += p.tensor.size();
    table.parameters += p.tensor.size();
    if (p.tensor.requires_grad()) table.trainable_parameters += p.tensor.size();
  }
}

DType input_dtype(const Module& model) {
  const NamedTensors parameters = model.parameters();
  return parameters.empty() ? DType::f32 : parameters.front().tensor.dtype();
}

/// model(x) in evaluation behaviour, unrecorded.
Tensor evaluated(Module& model, const Tensor& x) {
  const BehaviourScope scope(model);
  model.evaluate();
  const NoGradGuard no_grad;
  return model(x);
}

}  // namespace

Summary summary(Module& model, const Shape& input) {
  return summary(model, Tensor(Array::zeros(input, input_dtype(model))));
}

Summary summary(Module& model, const Tensor& x) {
  Summary table;
  table.input = x.shape();
  std::unordered_map<std::string, std::size_t> row_of_name;
  const std::vector<NamedModule> modules = model.modules();
  for (const NamedModule& m : modules) {
    SummaryRow row;
    row.name = m.name;
    row.depth = m.name.empty() ? 0 : 1 + static_cast<int>(std::count(m.name.begin(), m.name.end(), '.'));
    row.description = m.module->describe();
    row_of_name[m.name] = table.rows.size();
    table.rows.push_back(std::move(row));
  }
  count_parameters(model, table, row_of_name);

  std::vector<HookHandle> hooks;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    hooks.push_back(modules[i].module->register_forward_hook(
        [&table, &row = table.rows[i]](Module& module, const Tensor& in, const Tensor& out) {
          row.called = true;
          row.output = out.shape();
          const std::int64_t work = module.multiply_adds(in.shape(), out.shape());
          row.multiply_adds += work;
          table.multiply_adds += work;
        }));
  }
  evaluated(model, x);
  return table;
}

Shape output_shape(Module& model, const Shape& input) {
  return output_shape(model, Tensor(Array::zeros(input, input_dtype(model))));
}

Shape output_shape(Module& model, const Tensor& x) { return evaluated(model, x).shape(); }

namespace {

/// 269722 -> "269,722"; n >= 0.
std::string grouped(std::int64_t n) {
  const std::string digits = std::to_string(n);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// The last name of a path, indented by its depth.
std::string indented(const SummaryRow& row) {
  const std::size_t dot = row.name.rfind('.');
  const std::string last = dot == std::string::npos ? row.name : row.name.substr(dot + 1);
  return last.empty() ? std::string("(model)") : std::string(2 * static_cast<std::size_t>(row.depth), ' ') + last;
}

}  // namespace

std::string to_string(const Summary& summary) {
  struct Line {
    std::string name, description, output, parameters, multiply_adds;
  };
  const auto blank_zero = [](std::int64_t n) { return n == 0 ? std::string() : grouped(n); };
  std::vector<Line> lines{{"name", "layer", "output", "parameters", "multiply-adds"}};
  for (const SummaryRow& row : summary.rows) {
    lines.push_back({indented(row), row.description, row.called ? to_string(row.output) : "not called",
                     blank_zero(row.parameters), blank_zero(row.multiply_adds)});
  }
  lines.push_back({"total", "", "", grouped(summary.parameters), grouped(summary.multiply_adds)});

  std::size_t name = 0, description = 0, output = 0, parameters = 0, multiply_adds = 0;
  for (const Line& l : lines) {
    name = std::max(name, l.name.size());
    description = std::max(description, l.description.size());
    output = std::max(output, l.output.size());
    parameters = std::max(parameters, l.parameters.size());
    multiply_adds = std::max(multiply_adds, l.multiply_adds.size());
  }
  const std::string rule(name + description + output + parameters + multiply_adds + 8, '-');
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& l = lines[i];
    if (i == 1 || i + 1 == lines.size()) text += rule + "\n";
    std::string line = fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}", l.name, name, l.description, description,
                                   l.output, output, l.parameters, parameters, l.multiply_adds, multiply_adds);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += fmt::format("input {}", to_string(summary.input));
  if (summary.trainable_parameters != summary.parameters) {
    text += fmt::format(", {} parameters frozen", grouped(summary.parameters - summary.trainable_parameters));
  }
  return text + "\n";
}

}  // namespace tandem::nn
