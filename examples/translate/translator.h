// Translator: a Transformer with the subwords that it was trained with, read from its model file alone: lines in one
// language to lines in another; and --evaluate.
// Not here: training one (translate.cpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pairs.h"

namespace translation {

/// What a model file says beside the weights.
tandem::nn::ModelInfo describe_model(const std::string& model, const tandem::BytePairs& codes, const Own& own);

struct Translator {
  tandem::BytePairs codes;
  std::shared_ptr<tandem::nn::Transformer> model;  ///< in evaluation behaviour
  std::string dataset, from, to;                   ///< of training
  std::optional<std::uint64_t> training_checksum;
  tandem::nn::BeamOptions beam = {};

  /// The subwords of a line, which is called `where`:number in errors. Throws Error for one that is not UTF-8, or has
  /// more tokens than the model has positions.
  std::vector<std::int64_t> encode(std::string_view line, const std::string& where, std::int64_t number) const;
  /// Translations of what encode() gave, in order; a sentence without a word gives an empty line.
  std::vector<std::string> translate(std::vector<std::vector<std::int64_t>> sentences) const;
};

/// Throws Error naming the file when it is no model of this program, or its subwords are of another number than its
/// embedding.
Translator load_translator(const std::filesystem::path& path);

/// Translates a stream line by line to another, which is written after every `lines` of them. A byte-order mark in
/// front is left out. Throws Error as encode() does, once the lines before the bad one are written.
void translate_stream(const Translator& translator, std::istream& in, std::ostream& out, std::size_t lines,
                      const std::string& where);

/// Standard input by the one model of --evaluate or --init.
int translate_input(const tandem::train::Options& options, std::int64_t beams);

/// The models of --evaluate on a test set, by beam search: Multi30k's; of the two files of training the lines that were
/// held out for the test; of any other two files all lines.
int evaluate(const tandem::train::CommandLine& line, const Own& own);

}  // namespace translation
