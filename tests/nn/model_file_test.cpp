// Model files: what comes back, what fine-tuning takes, and what is refused.
#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>

#include <tandem/core/io/file.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/model_file.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/sequential.h>

#include "core/temporary_folder.h"
#include "nn/error_text.h"

using namespace tandem;

namespace {

const nn::ModelInfo kInfo{.classes = {"cat, small", "m\u00fcll", "\"dog\""},
                          .mean = {0.1, 0.25, 1.0 / 3},
                          .deviation = {0.5, 1, 2},
                          .input = {3, 32, 32},
                          .vocabulary = "<unk>\nthe\n",
                          .extra = {{"optimizer", "sgd(lr=0.1)"}}};

void check_equal(const nn::Module& a, const nn::Module& b) {
  const NamedTensors x = a.state_dict(), y = b.state_dict();
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(x[i].name == y[i].name);
    CHECK(identical(x[i].tensor.value(), y[i].tensor.value()));
  }
}

}  // namespace

TEST_CASE("a model file alone is enough") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  nn::seed(3);
  const auto model = nn::make_model("resnet20", {{"classes", 3}});
  nn::save_model(path, *model, kInfo);
  const std::uint64_t position = nn::default_generator().position();
  const nn::LoadedModel loaded = nn::load_model(path);
  CHECK(nn::default_generator().position() == position);
  check_equal(*model, *loaded.model);
  CHECK_FALSE(loaded.model->is_training());
  nn::ModelInfo expected = kInfo;
  expected.name = "resnet20";
  expected.options = {{"classes", 3}, {"channels", 3}};
  CHECK(loaded.info == expected);
  CHECK(nn::read_model_info(path) == expected);

  const Safetensors plain = load_safetensors(path);
  CHECK(plain.metadata.at("format") == "pt");
  CHECK(plain.metadata.at("tandem.model") == "\"resnet20\"");
  CHECK(plain.metadata.at("tandem.classes") == "[\"cat, small\",\"m\u00fcll\",\"\\\"dog\\\"\"]");
  CHECK(plain.metadata.at("tandem.input") == "[3,32,32]");
  CHECK(plain.arrays.front().name == "conv1.weight");

  nn::LstmLanguageModel language({.tokens = 6, .width = 4, .hidden = {4}, .tied = true, .output_dropout = 0.5});
  nn::save_model(path, language);
  const nn::LoadedModel tied = nn::load_model(path);
  check_equal(language, *tied.model);
  CHECK(dynamic_cast<nn::LstmLanguageModel&>(*tied.model).options().output_dropout == 0.5);
  CHECK(tied.info.classes.empty());
}

TEST_CASE("a model that make_model does not know: its weights can be loaded, and the error says so") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  nn::Sequential model{nn::layer<nn::Linear>({.in = 2, .out = 3}), nn::layer<nn::ReLU>()};
  nn::save_model(path, model, {.classes = {"a", "b"}});
  CHECK(error_text([&] { nn::load_model(path); }) ==
        path.string() +
            ": not a model file: a safetensors file that names no model of Tandem; make the model and give "
            "it the weights with load_weights");
  CHECK(nn::read_model_info(path).classes == std::vector<std::string>{"a", "b"});
  nn::Sequential other{nn::layer<nn::Linear>({.in = 2, .out = 3}), nn::layer<nn::ReLU>()};
  nn::load_weights(other, path);
  check_equal(model, other);
  nn::Sequential larger{nn::layer<nn::Linear>({.in = 2, .out = 4})};
  CHECK(error_text([&] { nn::load_weights(larger, path); }) ==
        path.string() +
            ": load_state_dict: the state does not fit Sequential: misshapen (2): 0.weight is [3, 2], must be [4, 2], "
            "0.bias is [3], must be [4]");
}

TEST_CASE("fine-tuning: what fits is loaded, a new head keeps its own weights, and the rest is named") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  nn::seed(7);
  const auto trained = nn::make_model("resnet20", {{"classes", 10}});
  nn::save_model(path, *trained);
  const auto tuned = nn::make_model("resnet20", {{"classes", 3}});
  const Array head = tuned->parameters().back().tensor.value().clone();
  const nn::LoadReport report = nn::load_fitting_weights(*tuned, path);
  CHECK(report.misshapen ==
        std::vector<std::string>{"linear.weight is [10, 64], must be [3, 64]", "linear.bias is [10], must be [3]"});
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(report.loaded.size() + 2 == trained->state_dict().size());
  CHECK_FALSE(report.is_complete());
  CHECK(
      report.to_string().ends_with("entries; misshapen (2): linear.weight is [10, 64], must be [3, 64], "
                                   "linear.bias is [10], must be [3]"));
  CHECK(identical(tuned->parameters().back().tensor.value(), head));
  CHECK(identical(tuned->parameters().front().tensor.value(), trained->parameters().front().tensor.value()));
  CHECK(nn::load_fitting_weights(*trained, path).is_complete());

  nn::Linear foreign({.in = 1, .out = 1});
  CHECK(error_text([&] { nn::load_fitting_weights(foreign, path); }) ==
        path.string() + ": load_weights: nothing in the file fits Linear(1 -> 1)");
}

TEST_CASE("what a model file cannot hold is refused before anything is written") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const std::string where = "save_model: " + path.string() + ": ";
  nn::Linear model({.in = 2, .out = 2});
  const auto error = [&](const nn::ModelInfo& info) { return error_text([&] { nn::save_model(path, model, info); }); };
  CHECK(error({.classes = {"t\xe9"}}) == where + "the name of a class is not UTF-8: t\xe9");
  CHECK(error({.extra = {{"source", "t\xe9"}}}) == where + "the value of \"source\" is not UTF-8: t\xe9");
  CHECK(error({.extra = {{"format", "np"}}}) == where + "the key \"format\" is reserved");
  CHECK(error({.extra = {{"tandem.x", ""}}}) == where + "the key \"tandem.x\" is reserved");
  CHECK(error({.mean = {1}}) == where + "mean and deviation have an entry a channel each: 1 and 0");
  CHECK(error({.mean = {std::numeric_limits<double>::infinity()}, .deviation = {1}}) ==
        where + "mean and deviation must be finite");
  CHECK(error({.options = {{"in", 2}}}) == where + "there are options without the name of a model: in=2");
  model.bias.mutable_value().fill(std::numeric_limits<double>::quiet_NaN());
  CHECK(error({}) == where + "\"bias\" is not finite");
  CHECK(folder.count() == 0);
}

TEST_CASE("what a model file must not hold is refused with its name") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const std::string where = path.string() + ": ";
  const auto error = [&](const NamedArrays& arrays, const Metadata& metadata) {
    save_safetensors(path, arrays, metadata);
    return error_text([&] { nn::load_model(path); });
  };
  CHECK(error({{"w", Array::full({1}, std::numeric_limits<double>::infinity())}}, {}) == where + "\"w\" is not finite");
  CHECK(error({}, {{"tandem.model", "\"resnet2\""}}).starts_with(where + "model: \"resnet2\" is not known: known are"));
  CHECK(error({}, {{"tandem.model", "resnet20"}}) ==
        where + "the metadata value of \"tandem.model\" is damaged: resnet20");
  CHECK(error({}, {{"tandem.model", "\"resnet20\""}, {"tandem.options", "{\"classes\":\"many\"}"}}) ==
        where + "model \"resnet20\": classes is many, must be a whole number");
  CHECK(error({}, {{"tandem.model", "\"resnet20\""}})
            .starts_with(where + "load_state_dict: the state does not fit ResNet"));
  CHECK(error({}, {{"tandem.model", "\"resnet20\""}, {"tandem.mean", "[1]"}}) ==
        where + "the information is damaged: mean and deviation have different lengths");
  write_file(path, "text");
  CHECK(error_text([&] { nn::load_model(path); }) == where + "not a safetensors file: 4 bytes, at least 8 are needed");
  CHECK(error_text([&] { nn::load_model(folder / "none"); }) ==
        (folder / "none").string() + ": the file cannot be read: No such file or directory");
}
