// The open table of models, and options as text: every model is made again from its origin.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/models/transformer.h>
#include <tandem/nn/models/vae.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

std::vector<std::string> shapes_of(const nn::Module& model) {
  std::vector<std::string> all;
  for (const NamedTensor& t : model.state_dict()) all.push_back(t.name + " " + to_string(t.tensor.shape()));
  return all;
}

/// The model made again from its origin, its options having been text in between.
std::shared_ptr<nn::Module> again(const nn::Module& model) {
  return nn::make_model(model.origin().name, nn::ModelOptions::from_text(model.origin().options.to_text()));
}

}  // namespace

TEST_CASE("model options are text and back") {
  const nn::ModelOptions options{{"classes", 100},   {"widths", std::vector<std::int64_t>{16, 32}},
                                 {"dropout", 0.1},   {"tied", true},
                                 {"kind", "double"}, {"large", std::int64_t{1} << 62}};
  CHECK(options.to_text() ==
        "classes=100, dropout=0.1, kind=double, large=4611686018427387904, tied=true, widths=16/32");
  CHECK(nn::ModelOptions::from_text(options.to_text()) == options);
  CHECK(nn::ModelOptions::from_text("  a=1,b=2\n c=3 ,") == nn::ModelOptions{{"a", 1}, {"b", 2}, {"c", 3}});
  CHECK(nn::ModelOptions::from_text("").empty());
  for (const char* bad : {"a", "=1", "a=", "a=1=2", "a=1, b"})
    CHECK_THROWS_AS(nn::ModelOptions::from_text(bad), UsageError);
  CHECK(error_text([] { nn::ModelOptions::from_text("size=3 4"); }) ==
        "model options: expected name=value: 4; e.g. classes=10, widths=16/32/64");
  CHECK(error_text([] { nn::ModelOptions::from_text("a=1, a=2"); }) == "model options: an option is given twice: a");
  CHECK(error_text([] {
          nn::ModelOptions{{"a", "b c"}};
        }) == "model options: names and values are not empty and hold no blank, comma or \"=\": \"a\" = \"b c\"");
}

TEST_CASE("every model of the table is made again from its origin, all its numbers included") {
  nn::seed(1);
  const std::vector<std::shared_ptr<nn::Module>> models{
      nn::make_model("resnet20", {{"classes", 7}, {"channels", 1}}),
      nn::make_model("resnet18", {{"classes", 3}}),
      std::make_shared<nn::ResNet>(nn::ResNetOptions{
          .widths = {4, 8}, .blocks = 1, .shortcut = nn::Shortcut::projection, .classes = 5, .channels = 2}),
      nn::make_model("autoencoder", {{"channels", 1}, {"code", 6}}),
      std::make_shared<nn::ConvAutoencoder>(nn::AutoencoderOptions{.channels = 2, .widths = {4, 8}, .code = 3}),
      nn::make_model("vae", {{"size", 16}, {"latent", 9}, {"channels", 1}}),
      std::make_shared<nn::ConvVae>(
          nn::VaeOptions{.channels = 2, .size = 8, .latent = 4, .widths = {4, 8}, .deviation = 0.3}),
      nn::make_model("char-lstm", {{"tokens", 11}}),
      std::make_shared<nn::LstmLanguageModel>(nn::LstmLanguageModelOptions{
          .tokens = 9, .width = 4, .hidden = {6, 4}, .tied = true, .weight_dropout = 0.25, .locked = true}),
      std::make_shared<nn::Transformer>(nn::TransformerOptions{.source_tokens = 8,
                                                               .target_tokens = 9,
                                                               .width = 8,
                                                               .heads = 2,
                                                               .feedforward = 12,
                                                               .encoder_layers = 1,
                                                               .decoder_layers = 2,
                                                               .positions = 20,
                                                               .dropout = 0.2,
                                                               .norm_first = false}),
      nn::make_model("gpt", {{"tokens", 7}, {"width", 8}, {"heads", 2}, {"layers", 2}, {"dropout", 0.1}}),
  };
  for (const auto& model : models) {
    CAPTURE(model->origin().name);
    const auto copy = again(*model);
    CHECK(shapes_of(*copy) == shapes_of(*model));
    CHECK(copy->describe() == model->describe());
    CHECK(copy->origin().options == model->origin().options);
  }
  CHECK(models[0]->origin().options.to_text() == "channels=1, classes=7");
  CHECK(models[6]->origin().options.to_text() == "channels=2, deviation=0.3, latent=4, size=8, widths=4/8");
  const auto made_again = again(*models[8]);
  const auto& lstm = dynamic_cast<nn::LstmLanguageModel&>(*made_again).options();
  CHECK(lstm.weight_dropout == 0.25);
  CHECK(lstm.locked);
  const auto transformer = again(*models[9]);
  CHECK_FALSE(dynamic_cast<nn::Transformer&>(*transformer).options().norm_first);
  CHECK(dynamic_cast<nn::Transformer&>(*transformer).options().dropout == 0.2);
}

TEST_CASE("make_model: names of language models, and errors of options") {
  CHECK(nn::model_names(nn::ModelTask::language) == nn::lstm_language_model_names());
  CHECK(nn::model_names(nn::ModelTask::translation) == std::vector<std::string>{"transformer"});
  CHECK(error_text([] {
          nn::make_model("resnet20", {{"clases", 3}});
        }) == "model \"resnet20\": option \"clases\" is not known: known: channels, classes; did you mean classes?");
  CHECK(error_text([] {
          nn::make_model("vae", {{"size", 3.5}});
        }) == "model \"vae\": size is 3.5, must be a whole number");
  CHECK(error_text([] {
          nn::make_model("vae", {{"widths", "16/x"}});
        }) == "model \"vae\": widths is 16/x, must be whole numbers like 16/32/64");
  CHECK(error_text([] {
          nn::make_model("vae", {{"deviation", "wide"}});
        }) == "model \"vae\": deviation is wide, must be a number");
  CHECK(error_text([] {
          nn::make_model("lstm", {{"tied", 1}});
        }) == "model \"lstm\": tied is 1, must be true or false");
  CHECK(error_text([] {
          nn::make_model("resnet", {{"shortcut", "none"}});
        }) == "model \"resnet\": shortcut is none, must be one of zero_padded, projection");
  CHECK(error_text([] {
          nn::make_model("resnet", {{"blocks", std::int64_t{1} << 40}});
        }) == "model \"resnet\": blocks is 1099511627776, must be a whole number below 2^31");
  CHECK_THROWS_AS(nn::make_model("vae", {{"size", "x"}}), UsageError);
}

TEST_CASE("a model of one's own is registered, made by name, and described") {
  nn::register_model("two-layers", {.task = nn::ModelTask::other,
                                    .description = "For this test",
                                    .make = [](nn::OptionReader& option) -> std::shared_ptr<nn::Module> {
                                      std::int64_t in = 3;
                                      std::string kind = "plain";
                                      option("in", in);
                                      option("kind", kind);
                                      return std::make_shared<nn::Linear>(nn::Linear::Options{.in = in, .out = 2});
                                    }});
  const auto model = nn::make_model("two-layers", {{"in", 5}});
  CHECK(model->describe() == "Linear(5 -> 2)");
  CHECK(model->origin().options.to_text() == "in=5, kind=plain");
  CHECK(nn::describe_model("two-layers") == "For this test");
  const auto names = nn::model_names(nn::ModelTask::other);
  CHECK(std::find(names.begin(), names.end(), "two-layers") != names.end());
  const auto make = [](nn::OptionReader&) { return std::shared_ptr<nn::Module>(); };
  CHECK(error_text([&] { nn::register_model("resnet20", {.make = make}); }) ==
        "register_model: \"resnet20\": the name is taken");
  CHECK(error_text([&] { nn::register_model("x", {}); }) ==
        "register_model: \"x\": a model needs a name and a function that makes it");
  nn::register_model("nothing", {.make = make});
  CHECK(error_text([] { nn::make_model("nothing"); }) == "model \"nothing\": its function made nothing");
}
