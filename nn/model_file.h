// Model files: a trained model as one safetensors file that is enough to make it again, by Tandem or by other tools.
//
//   tensors        parameters and buffers under PyTorch's names, in its order
//   metadata       "format" = "pt"; "tandem.model" and the other parts of ModelInfo, each as JSON; what `extra` holds
//
// A tied parameter stands under its first name alone: PyTorch loads such a file with strict=False.
// Not here: everything that training needs to go on (core/io/checkpoint.h).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <tandem/core/io/safetensors.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// What a model file says beside the weights. Empty parts are left out of the file.
struct ModelInfo {
  std::string name = {};                  ///< what make_model takes; save_model takes the model's origin() where empty
  ModelOptions options = {};              ///< of the model, all of them
  std::vector<std::string> classes = {};  ///< the name of each label
  std::vector<double> mean = {}, deviation = {};  ///< of each channel: what pictures were normalized by
  std::vector<std::int64_t> input = {};           ///< of one example: channels, height, width
  std::string vocabulary = {};                    ///< the text of a Vocabulary or of BytePairs
  Metadata extra = {};  ///< anything else; keys do not begin with "tandem." and are not "format"

  bool operator==(const ModelInfo&) const = default;
};

struct LoadedModel {
  std::shared_ptr<Module> model;  ///< in evaluation behaviour; train() to go on
  ModelInfo info;
};

/// Writes the file, whole or not at all. A model whose origin is not known and that gets no name is written too: its
/// file is for load_weights. Throws Error naming the file, before anything is written, when a weight is not finite
/// (naming the entry), info is contradictory (mean without deviation), holds a reserved key, or is not UTF-8.
///   save_model("model.safetensors", *model, {.classes = set.train.classes, .mean = set.train.statistics.mean, ...});
void save_model(const std::filesystem::path& path, const Module& model, const ModelInfo& info = {});

/// The model that the file holds, made by make_model; default_generator() is where it was. Throws Error naming the
/// file: not a model file, damaged, a model that is not known (with those that are), options or weights that do not
/// fit, a weight that is not finite (naming the entry).
LoadedModel load_model(const std::filesystem::path& path);

/// What the file says beside the weights. Throws Error when it is not a safetensors file or the information is damaged;
/// a file that another tool wrote gives its metadata as `extra`.
ModelInfo read_model_info(const std::filesystem::path& path);

/// The weights of any safetensors file with PyTorch's names into a model, all or nothing. Throws Error naming the file,
/// as load_state_dict does, and for a weight that is not finite.
void load_weights(Module& model, const std::filesystem::path& path);

/// The weights that fit, for fine-tuning: a new head keeps its own. Throws Error as load_weights does but for what the
/// report names, and when nothing fits.
LoadReport load_fitting_weights(Module& model, const std::filesystem::path& path);

}  // namespace tandem::nn
