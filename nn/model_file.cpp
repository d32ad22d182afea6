// Model files over core/io/safetensors.h. See model_file.h.
#include <tandem/nn/model_file.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/utf8.h>
#include <tandem/nn/keep_generator.h>
#include <tandem/nn/models/make_model.h>

namespace tandem::nn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "tandem.";
constexpr const char* kModel = "tandem.model";
constexpr const char* kOptions = "tandem.options";
constexpr const char* kClasses = "tandem.classes";
constexpr const char* kMean = "tandem.mean";
constexpr const char* kDeviation = "tandem.deviation";
constexpr const char* kInput = "tandem.input";
constexpr const char* kVocabulary = "tandem.vocabulary";

/// Throws an error that came from `f` again with the file before it; misuse on a command line stays that.
template <class F>
auto naming(const std::filesystem::path& path, F&& f) {
  try {
    return f();
  } catch (const UsageError& error) {
    throw UsageError(path.string() + ": " + error.what());
  } catch (const Error& error) {
    throw Error(path.string() + ": " + error.what());
  }
}

// --- information

void check_info(const std::string& where, const ModelInfo& info) {
  const auto check_text = [&](std::string_view what, const std::string& text) {
    if (!is_utf8(text)) fail(where, fmt::format("{} is not UTF-8", what), text);
  };
  check_text("the name of the model", info.name);
  for (const std::string& name : info.classes) check_text("the name of a class", name);
  check_text("the vocabulary", info.vocabulary);
  for (const auto& [key, value] : info.extra) {
    check_text("a key", key);
    check_text(fmt::format("the value of \"{}\"", key), value);
    if (key == "format" || key.starts_with(kPrefix)) fail(where, fmt::format("the key \"{}\" is reserved", key));
  }
  if (info.mean.size() != info.deviation.size()) {
    fail(where, "mean and deviation have an entry a channel each",
         fmt::format("{} and {}", info.mean.size(), info.deviation.size()));
  }
  for (const std::vector<double>& values : {info.mean, info.deviation}) {
    const bool finite = std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    if (!finite) fail(where, "mean and deviation must be finite");
  }
}

Metadata to_metadata(const ModelInfo& info) {
  Metadata metadata = info.extra;
  metadata["format"] = "pt";
  const auto put = [&](const char* key, bool is_there, const Json& value) {
    if (is_there) metadata[key] = value.dump();
  };
  put(kModel, !info.name.empty(), info.name);
  put(kOptions, !info.name.empty(), info.options.values());
  put(kClasses, !info.classes.empty(), info.classes);
  put(kMean, !info.mean.empty(), info.mean);
  put(kDeviation, !info.deviation.empty(), info.deviation);
  put(kInput, !info.input.empty(), info.input);
  put(kVocabulary, !info.vocabulary.empty(), info.vocabulary);
  return metadata;
}

/// metadata[key], which is taken out, as JSON into `value`.
template <class T>
void take(const std::string& where, Metadata& metadata, const char* key, T& value) {
  const auto at = metadata.find(key);
  if (at == metadata.end()) return;
  try {
    value = Json::parse(at->second).template get<T>();
  } catch (const Json::exception&) {
    fail(where, fmt::format("the metadata value of \"{}\" is damaged", key), at->second);
  }
  metadata.erase(at);
}

ModelInfo to_info(const std::string& where, Metadata metadata) {
  ModelInfo info;
  std::map<std::string, std::string> options;
  metadata.erase("format");
  take(where, metadata, kModel, info.name);
  take(where, metadata, kOptions, options);
  take(where, metadata, kClasses, info.classes);
  take(where, metadata, kMean, info.mean);
  take(where, metadata, kDeviation, info.deviation);
  take(where, metadata, kInput, info.input);
  take(where, metadata, kVocabulary, info.vocabulary);
  for (const auto& [name, value] : options) info.options.set({name, value});
  info.extra = std::move(metadata);
  if (info.mean.size() != info.deviation.size())
    fail(where, "the information is damaged", "mean and deviation have different lengths");
  return info;
}

// --- weights

void check_finite(const std::string& where, const NamedArrays& arrays) {
  for (const NamedArray& entry : arrays) {
    if (!kernels::all_finite(entry.array)) fail(where, fmt::format("\"{}\" is not finite", entry.name));
  }
}

NamedTensors tensors_of(const NamedArrays& arrays) {
  NamedTensors tensors;
  for (const NamedArray& entry : arrays) tensors.push_back({entry.name, Tensor(entry.array)});
  return tensors;
}

Safetensors read(const std::filesystem::path& path) {
  Safetensors file = load_safetensors(path);
  check_finite(path.string(), file.arrays);
  return file;
}

}  // namespace

void save_model(const std::filesystem::path& path, const Module& model, const ModelInfo& info) {
  const std::string where = "save_model: " + path.string();
  ModelInfo whole = info;
  if (whole.name.empty()) {
    if (!whole.options.empty()) fail(where, "there are options without the name of a model", whole.options.to_text());
    whole.name = model.origin().name;
    whole.options = model.origin().options;
  }
  check_info(where, whole);
  NamedArrays arrays;
  for (const NamedTensor& t : model.state_dict()) arrays.push_back({t.name, t.tensor.value()});
  check_finite(where, arrays);
  save_safetensors(path, arrays, to_metadata(whole));
}

LoadedModel load_model(const std::filesystem::path& path) {
  Safetensors file = read(path);
  LoadedModel loaded;
  loaded.info = to_info(path.string(), std::move(file.metadata));
  const ModelInfo& info = loaded.info;
  if (info.name.empty()) {
    fail(path.string(), "not a model file", "a safetensors file that names no model of Tandem",
         "make the model and give it the weights with load_weights");
  }
  const KeepGenerator keep;
  naming(path, [&] {
    loaded.model = make_model(info.name, info.options);
    loaded.model->load_state_dict(tensors_of(file.arrays));
  });
  loaded.model->evaluate();
  return loaded;
}

ModelInfo read_model_info(const std::filesystem::path& path) {
  return to_info(path.string(), load_safetensors(path).metadata);
}

void load_weights(Module& model, const std::filesystem::path& path) {
  const Safetensors file = read(path);
  naming(path, [&] { model.load_state_dict(tensors_of(file.arrays)); });
}

LoadReport load_fitting_weights(Module& model, const std::filesystem::path& path) {
  const Safetensors file = read(path);
  return naming(path, [&] {
    LoadReport report = model.load_state_dict(tensors_of(file.arrays), {.strict = false, .skip_misshapen = true});
    if (report.loaded.empty()) fail("load_weights", fmt::format("nothing in the file fits {}", model.describe()));
    return report;
  });
}

}  // namespace tandem::nn
