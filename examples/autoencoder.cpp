// autoencoder: images through a bottleneck of an eighth of their numbers and back; optimizers compared from the same
// initial weights on the same batches. With --noise: the clean image from a noisy one.
//   autoencoder --dataset folder --data scenes64 --epochs 30 --seed 0 --seed 1 --seed 2
// Read next: common/autoencoder_task.cpp, then common/train.cpp, the training loop.
#include <tandem/data/catalog.h>

#include <memory>

#include "common/autoencoder_task.h"
#include "common/options.h"
#include "common/program.h"
#include "common/run_task.h"

using namespace tandem;
using namespace tandem::examples;

namespace {

Options autoencoder_defaults() {
  Options o;
  o.program = "autoencoder";
  o.epochs = 10;
  o.batch = 64;
  o.optimizers = {"adam(lr=1e-3)", "lookahead(adam(lr=1e-3), k=5, alpha=0.5)",
                  "adam(lr=5e-4)"};  // the control: inner at alpha * lr
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program([&] {
    CommandLine line("Trains convolutional autoencoders and compares optimizers.", autoencoder_defaults(),
                     {dataset_names(), {}});
    AutoencodingOptions task_options;
    line.add("--noise", task_options.noise, "Standard deviation of the noise on the input, images in [0, 1]; 0: none");
    line.add("--code", task_options.code, "Channels of the bottleneck, at an eighth of height and width");
    if (!line.parse(argc, argv)) return kExitDone;

    return run_task(
        line.options(), [](Options& o) { o.dataset = choose_image_dataset(o.dataset, o.data, "cifar10"); },
        [&](const Options& o) {
          task_options.dataset = o.dataset;
          task_options.batch = o.batch;
          task_options.note = image_dataset_note(o.dataset, o.data);
          return std::make_unique<Autoencoding>(open_dataset(o.dataset, open_options(o)), task_options);
        });
  });
}
