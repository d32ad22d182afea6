// cifar: image classification on CIFAR-10, CIFAR-100 or the pictures that come with Tandem; optimizers compared from
// the same initial weights on the same batches. Training images are padded by 4, cropped, flipped and normalised.
//   cifar --model resnet20 --epochs 5 --schedule "cosine(warmup=0.1)" --seed 0 --seed 1
// Read next: common/train.cpp, the training loop.
#include <tandem/data/catalog.h>
#include <tandem/data/cifar.h>
#include <tandem/nn/models/make_model.h>

#include <memory>

#include "common/classification.h"
#include "common/options.h"
#include "common/program.h"
#include "common/run_task.h"

using namespace tandem;
using namespace tandem::examples;

namespace {

Options cifar_defaults() {
  Options o;
  o.program = "cifar";
  o.model = "resnet20";
  o.epochs = 5;
  o.schedule = "cosine(warmup=0.1)";
  o.optimizers = {"momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)",
                  "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), k=5, alpha=0.8)",
                  "momentum(lr=0.08, momentum=0.9, weight_decay=5e-4)"};  // the control: inner at alpha * lr
  return o;
}

/// CIFAR-10 where it is found or --data says that it is there, else the pictures that come with Tandem.
std::string choose_dataset(const Options& options) {
  if (!options.dataset.empty()) return options.dataset;
  return !options.data.empty() || has_cifar10() ? "cifar10" : "synthetic";
}

}  // namespace

int main(int argc, char** argv) {
  return run_program([&] {
    CommandLine line("Trains image classifiers and compares optimizers.", cifar_defaults(),
                     {dataset_names(), nn::model_names(nn::ModelTask::classification)});
    std::int64_t cutout_size = 0;
    line.add("--cutout", cutout_size, "Side of the square that is cut out of training images, in pixels; 0: none");
    if (!line.parse(argc, argv)) return kExitDone;

    bool was_named = true;
    return run_task(
        line.options(),
        [&](Options& o) {
          was_named = !o.dataset.empty();
          o.dataset = choose_dataset(o);
        },
        [&](const Options& o) {
          const bool is_stand_in = !was_named && o.dataset == "synthetic";
          return std::make_unique<ImageClassification>(
              open_dataset(o.dataset, open_options(o)),
              ClassificationOptions{.dataset = o.dataset,
                                    .model = o.model,
                                    .batch = o.batch,
                                    .cutout = cutout_size,
                                    .note = is_stand_in ? "CIFAR-10 was not found, examples/get_data.sh cifar10 gets it"
                                                        : image_dataset_note(o.dataset, o.data)});
        });
  });
}
