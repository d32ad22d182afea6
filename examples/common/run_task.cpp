// See run_task.h.
#include "run_task.h"

#include <vector>

#include "compare.h"

namespace tandem::examples {

int run_task(Options options, const std::function<void(Options&)>& choose_dataset, const MakeTask& make_task) {
  std::vector<SavedModel> saved;
  if (!options.evaluate.empty()) {
    saved = load_saved_models(options.evaluate);
    adopt_saved(options, saved);
  }
  choose_dataset(options);
  const std::unique_ptr<Task> task = make_task(options);
  return saved.empty() ? compare(*task, options) : evaluate_saved(*task, options, saved);
}

}  // namespace tandem::examples
