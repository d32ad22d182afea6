// vae: a convolutional variational autoencoder; optimizers compared from the same initial weights on the same batches,
// by the evidence lower bound, reconstructions, samples and a walk between two images.
//   vae --dataset cifar100 --epochs 20 --seed 0 --seed 1
// Read next: common/vae_task.cpp, then common/train.cpp, the training loop.
#include <tandem/data/catalog.h>

#include <memory>

#include "common/options.h"
#include "common/program.h"
#include "common/run_task.h"
#include "common/vae_task.h"

using namespace tandem;
using namespace tandem::examples;

namespace {

Options vae_defaults() {
  Options o;
  o.program = "vae";
  o.epochs = 10;
  o.batch = 64;
  o.optimizers = {"adam(lr=1e-3)", "lookahead(adam(lr=1e-3), k=5, alpha=0.5)",
                  "adam(lr=5e-4)"};  // the control: inner at alpha * lr
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program([&] {
    CommandLine line("Trains convolutional variational autoencoders and compares optimizers.", vae_defaults(),
                     {dataset_names(), {}});
    VariationalOptions task_options;
    line.add("--latent", task_options.latent, "Numbers in the code of an image");
    if (!line.parse(argc, argv)) return kExitDone;

    return run_task(
        line.options(), [](Options& o) { o.dataset = choose_image_dataset(o.dataset, o.data, "cifar100"); },
        [&](const Options& o) {
          task_options.dataset = o.dataset;
          task_options.batch = o.batch;
          task_options.note = image_dataset_note(o.dataset, o.data);
          return std::make_unique<VariationalAutoencoding>(open_dataset(o.dataset, open_options(o)), task_options);
        });
  });
}
