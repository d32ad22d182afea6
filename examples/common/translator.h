// Translator: a Transformer with the subwords that it was trained with: lines in one language to lines in another.
// Not here: training one (translation_task.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/data/byte_pairs.h>
#include <tandem/nn/models/decode.h>

#include "compare.h"

namespace tandem::examples {

/// Names for --model: "transformer-tiny" (for tests), "transformer-small", "transformer-base" (Vaswani et al. 2017,
/// table 3), all with one table of subwords for both languages and the output.
const std::vector<std::string>& translation_models();
/// Throws UsageError for a name that is not known.
nn::TransformerOptions translation_model(const std::string& name, std::int64_t tokens, double dropout);

struct Translator {
  BytePairs codes;
  std::shared_ptr<nn::Transformer> model;
  nn::BeamOptions beam = {};

  /// The subwords of a line, which is called `where`:number in errors. Throws Error for one that is not UTF-8, or has
  /// more tokens than the model has positions.
  std::vector<std::int64_t> encode(std::string_view line, const std::string& where, std::int64_t number) const;
  /// Translations of what encode() gave, in order; a sentence without a word gives an empty line.
  std::vector<std::string> translate(std::vector<std::vector<std::int64_t>> sentences) const;
};

/// Throws Error "FILE:LINE: a sentence of 300 tokens is longer than the model's 256 positions" when a sentence with its
/// end (or begin) does not fit.
void check_positions(const std::vector<std::int64_t>& ids, std::int64_t positions, const std::string& file,
                     std::int64_t line);

/// Translates a stream line by line to another, which is written after every `lines` of them. A byte-order mark in
/// front is left out. Throws Error as encode() does, once the lines before the bad one are written.
void translate_stream(const Translator& translator, std::istream& in, std::ostream& out, std::size_t lines,
                      const std::string& where);

/// OUT/byte_pairs.txt.
std::filesystem::path byte_pairs_path(const std::filesystem::path& run_folder);
/// The checksum as the metadata of models have it, under "byte_pairs".
std::string byte_pairs_checksum(const BytePairs& codes);
/// The subwords of the models of a run folder, or of one of its runs. Throws Error when the file is missing, or is not
/// the one that each of them was trained with.
BytePairs load_byte_pairs(const std::filesystem::path& folder, const std::vector<SavedModel>& models);
/// The value of a key of a model's metadata. Throws Error when it has none: it is no model of `translate`.
std::string saved_value(const SavedModel& model, const std::string& key);
/// The translator of a run's folder, or of a run folder with one run. Throws Error when there are several, or the model
/// does not fit its subwords.
Translator load_translator(const std::filesystem::path& folder);

}  // namespace tandem::examples
