// One thread a process: points are what is parallel, and results do not depend on how many processes share them.
#include "measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/nn/accuracy.h>
#include <tandem/nn/running_statistics.h>
#include <tandem/train/images.h>
#include <tandem/train/program.h>

#include "plane_file.h"

namespace tandem::landscape {

std::vector<Batch> spread_batches(const Dataset& dataset, std::int64_t count, std::int64_t batch) {
  const Dataset few = spread(dataset, count);
  Loader loader(
      few,
      {.batch = std::min(batch, few.size()), .shuffle = false, .workers = 0, .transform = normalize(few.statistics)});
  std::vector<Batch> batches;
  while (auto next = loader.next()) batches.push_back({next->images.clone(), next->labels.clone()});
  return batches;
}

Meter::Meter(Survey& survey) {
  constexpr std::int64_t kBatch = 250, kGathered = 128;
  auto [model, info] = nn::load_model(survey.model);
  model_ = model;
  if (survey.dataset.empty())
    if (const auto found = info.extra.find("dataset"); found != info.extra.end()) survey.dataset = found->second;
  if (survey.dataset.empty())
    fail_usage("--dataset", fmt::format("{} does not say what it was trained on", survey.model), {}, "name the set");
  train::Options options;
  options.data = survey.data;
  options.dataset = survey.dataset;
  if (info.input.size() == 3 && info.input[1] == info.input[2] && options.dataset == "folder")
    options.size = info.input[1];
  const train::ImageData data = train::open_images(options);
  if (!info.classes.empty() && info.classes != data.train.classes)
    fail(survey.model, "the model knows other classes than the data have",
         fmt::format("{} and {}", info.classes.size(), data.train.classes.size()));
  Dataset part = survey.part == "train" ? data.train : data.test;
  train_ = data.train;
  for (Dataset* set : {&part, &train_})
    if (!info.mean.empty()) set->statistics = {info.mean, info.deviation};
  pictures_ = spread_batches(part, survey.images, kBatch);
  if (survey.reestimate > 0) gathered_ = spread_batches(train_, survey.reestimate * kGathered, kGathered);
  const std::string sum = fmt::format("{:016x}", checksum(part));
  if (survey.checksum.empty()) survey.checksum = sum;
  if (survey.checksum != sum)
    fail(survey.dataset, "the pictures are not those that the survey was begun with",
         fmt::format("checksum {}, then {}", sum, survey.checksum));
}

std::vector<Batch> Meter::training_batches(std::int64_t count, std::int64_t batch) const {
  return spread_batches(train_, count, batch);
}

Measured Meter::measure(std::span<const float> values, const NamedArrays& buffers) {
  put_values(*model_, values);
  put_buffers(*model_, buffers);
  if (!gathered_.empty())
    nn::reestimate_running_statistics(*model_, [&] {
      for (const Batch& batch : gathered_) (*model_)(batch.images);
    });
  model_->evaluate();
  const NoGradGuard no_grad;
  double loss = 0;
  std::int64_t correct = 0, count = 0;
  for (const Batch& batch : pictures_) {
    const Tensor logits = (*model_)(batch.images);
    loss += cross_entropy(logits, batch.labels).item() * static_cast<double>(batch.labels.size());
    correct += nn::count_correct(logits, batch.labels);
    count += batch.labels.size();
  }
  return {loss / static_cast<double>(count), static_cast<double>(correct) / static_cast<double>(count)};
}

bool measure_part(const std::filesystem::path& folder, std::size_t part, std::size_t parts, bool is_told) {
  constexpr std::size_t kLines = 20;
  set_threads(1);
  const train::InterruptGuard interrupts;
  Survey survey = read_survey(folder);
  survey.grid.assign(survey.x.size() * survey.y.size(), {});
  for (std::size_t task = 0; task < survey.path_points(); ++task) survey.result(task) = {};
  // What is gathered in one file is the same for all processes; what they add stands in others.
  take_results(folder / "measured.csv", survey);
  const std::vector<std::size_t> open = survey.open_tasks();
  const PlaneFile file = load_plane(folder);
  Meter meter(survey);
  LogFile log(folder / fmt::format("measured-{}.csv", part));
  const std::size_t columns = survey.x.size();
  std::size_t done = 0, told = 0;
  for (std::size_t i = part; i < open.size(); i += parts) {
    const std::size_t task = open[i], points = file.points.size();
    Measured found;
    if (task < points)
      found = meter.measure(file.points[task].values, file.points[task].buffers);
    else
      found = meter.measure(file.plane.at(survey.x[(task - points) % columns], survey.y[(task - points) / columns]),
                            file.buffers);
    log.append(result_line(task, found));
    if (train::interrupt_signal() != 0) return false;
    done += parts;
    if (!is_told || part != 0 || done * kLines < (told + 1) * open.size()) continue;
    told = done * kLines / open.size();
    fmt::print("measured   {} of {} points\n", std::min(done, open.size()), open.size());
    std::fflush(stdout);
  }
  return true;
}

}  // namespace tandem::landscape
