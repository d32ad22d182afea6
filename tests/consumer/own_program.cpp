// A program of one's own outside the tree: its own model, its own rule on the command line; comparison, seeds, sweeps,
// resume and report by tandem::train.   own_program --optimizer "signed(lr={0.01,0.1})" --seed 0 --seed 1
#include <tandem/tandem.h>
#include <tandem/train/train.h>

using namespace tandem;

struct SignedOptions {
  Schedule lr = 0.01;
  void fields(Fields& f) { f("lr", lr, kNotNegative, kAlways); }
};
template <class T>
struct Signed {  // w <- w - lr sign(g)
  using Options = SignedOptions;
  static constexpr const char* kName = "signed";
  static constexpr std::array<State, 0> kState = {};
  T lr;
  Signed(const Options& h, Step t) : lr(static_cast<T>(h.lr(t))) {}
  void operator()(T& w, T g) const { w -= g > 0 ? lr : g < 0 ? -lr : T{0}; }
};

struct Own : nn::Module {
  nn::Linear hidden{{.in = 768, .out = 32}}, head{{.in = 32, .out = 10}};
  Own() { child("hidden", hidden), child("head", head); }
  Tensor forward(const Tensor& x) override { return head(relu(hidden(flatten(x, 1)))); }
};

int main(int argc, char** argv) try {
  register_leaf<Signed>();
  nn::register_model("own", {.make = [](nn::OptionReader&) { return std::make_shared<Own>(); }});
  train::CommandLine line("An own model and an own rule.",
                          {.program = "own_program", .optimizers = {"signed(lr=0.003)"}, .epochs = 2});
  if (!line.parse(argc, argv)) return train::kExitDone;
  const TrainTest set = solids({.train = 2000, .test = 500});
  const train::ImageData data{set.train, set.test, set.test, "solids", "solids: 2,000 pictures"};
  Loader test(set.test, {.batch = 500, .shuffle = false, .transform = normalize(set.train.statistics)});
  train::Comparison comparison(line, train::image_experiment(data, "own", "test_accuracy", line.options().batch));
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    const auto model = nn::make_model("own");
    run.prepare(*model);
    run.describe_model(train::describe_images(set.train));
    Optimizer optimizer(model->parameters(), run.rule());
    Loader batches(set.train,
                   {.batch = line.options().batch, .seed = run.seed(), .transform = standard_augmentation(set.train)});
    run.start(*model, optimizer, batches);
    while (run.next_epoch()) {
      model->train();
      for (auto& step : run.steps(batches)) {
        run.step(optimizer.step([&] {
          for (const auto& [images, labels] : step) step.backward(cross_entropy((*model)(images), labels));
          return step.loss();
        }));
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        run.record({{"test_accuracy", nn::accuracy(*model, test)}});
      }
    }
  }
  return comparison.finish();
} catch (...) {
  return train::end_by_exception();
}
