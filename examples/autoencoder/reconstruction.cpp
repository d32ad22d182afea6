// Reconstructions measured, drawn and written; see reconstruction.h.
#include "reconstruction.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include <tandem/tandem.h>
#include <tandem/train/ranks.h>

using namespace tandem;

namespace reconstruction {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kWindow = 11;   // of SSIM
constexpr std::int64_t kMultiple = 8;  // of sides: they are halved three times
constexpr double kExact = 100;         // decibels of a picture that came back exactly

bool fits(std::int64_t side) { return side >= kWindow && side % kMultiple == 0; }

std::string wanted() { return fmt::format("must be a multiple of {}, and at least {}", kMultiple, kWindow); }

/// A model that is made for one size says so in its options.
void check_fit(const nn::ModelInfo& info, const Dataset& set, const std::string& path) {
  const Array& images = set.images;
  const std::string* const size = info.options.find("size");
  const auto channels = info.input.empty() ? images.shape(1) : info.input[0];
  if (images.shape(1) == channels && (size == nullptr || *size == std::to_string(images.shape(2)))) return;
  fail(path, "the model is made for other pictures",
       fmt::format("{}x{}x{}, trained on {}", images.shape(1), images.shape(2), images.shape(3),
                   fmt::join(info.input, "x")),
       size == nullptr ? "" : fmt::format("--size {} makes a folder's pictures so", *size));
}

/// Where the reconstruction of each file by each model goes: by model, then by file.
std::vector<std::vector<fs::path>> targets_of(const train::Options& options,
                                              const std::vector<train::SavedModel>& models) {
  const fs::path folder = options.out.empty() ? fs::path(".") : options.out;
  std::map<fs::path, std::string> taken;
  std::vector<std::vector<fs::path>> targets;
  for (const train::SavedModel& model : models) {
    targets.emplace_back();
    const std::string run = options.evaluate.empty() ? "reconstruction" : model.run;
    for (const std::string& file : options.predict) {
      const fs::path path = folder / fmt::format("{}-{}.png", fs::path(file).stem().string(), run);
      const auto [first, is_new] = taken.emplace(path, file);
      if (!is_new)
        fail_usage("--predict", "two pictures would get one name", fmt::format("{} and {}", first->second, file));
      targets.back().push_back(path);
    }
  }
  for (const auto& [path, file] : taken)
    if (std::error_code ignored; fs::exists(fs::symlink_status(path, ignored)) && !options.overwrite)
      fail(path.string(), "is there already", {}, "take another --out, or replace it with --overwrite");
  make_writable_folder(folder);
  return targets;
}

}  // namespace

void Measures::add(const Array& x, const Array& reconstruction) {
  const NoGradGuard no_grad;
  const std::int64_t n = x.shape(0);
  const Array y = reconstruction.to(x.dtype());
  squared_error_ += mse_loss(y, x).item() * static_cast<double>(n);
  double psnr = 0, ssim = 0;
  for (const double value : tandem::psnr(x, y)) psnr += std::min(value, kExact);
  for (const double value : tandem::ssim(x, y)) ssim += value;
  psnr_ += psnr;
  ssim_ += ssim;
  images_ += n;
}

void Measures::add_up() { train::add_up(squared_error_, psnr_, ssim_, images_); }

std::string metric_name(const std::string& part, const std::string& name) {
  return part == "test" ? name : part + "_" + name;
}

std::string picture_of(const Array& images) {
  return encode_png(image_grid(images, {.columns = kPictures, .scale = images.shape(3) < 48 ? 2 : 1}));
}

void check_size(const train::Options& options) {
  if (options.size != 0 && !fits(options.size))
    fail_usage("--size", fmt::format("is {}, {}", options.size, wanted()), "pixels");
}

void check_pictures(const train::ImageData& data) {
  const Array& images = data.train.images;
  if (fits(images.shape(2)) && fits(images.shape(3))) return;
  fail(data.dataset, fmt::format("height and width of pictures {}", wanted()),
       fmt::format("they are {}x{}", images.shape(2), images.shape(3)),
       data.dataset == "folder" ? "--size 32 makes them fit" : "");
}

nn::ModelInfo describe_pictures(const Dataset& dataset) {
  const auto channels = static_cast<std::size_t>(dataset.images.shape(1));
  nn::ModelInfo info;
  info.mean.assign(channels, 0);
  info.deviation.assign(channels, 1);
  info.input = {dataset.images.shape(1), dataset.images.shape(2), dataset.images.shape(3)};
  return info;
}

int evaluate(const train::CommandLine& line, const Measure& measure) {
  return train::evaluate_images(
      line, [&](nn::Module& model, const nn::ModelInfo& info, const train::ImageData& data, const std::string& path) {
        check_pictures(data);
        check_fit(info, data.test, path);
        Loader loader(data.test, {.batch = kTestBatch, .shuffle = false, .transform = to_unit()});
        return measure(model, loader, "test");
      });
}

int predict(const train::Options& options) {
  const std::vector<train::SavedModel> models = train::models_to_use(options);
  const std::vector<std::vector<fs::path>> targets = targets_of(options, models);
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::size_t m = 0; m < models.size(); ++m) {
    const auto [model, info] = nn::load_model(models[m].path);
    if (info.input.size() != 3) fail(models[m].path.string(), "the model file does not say how large its pictures are");
    if (!info.classes.empty())
      fail(models[m].path.string(), "the model classifies, it gives no pictures back", info.name);
    model->evaluate();
    const NoGradGuard no_grad;
    for (std::size_t i = 0; i < options.predict.size(); ++i) {
      const Array picture = train::read_picture(options.predict[i], info, to_unit());
      const Array back = (*model)(picture).value();
      write_png(targets[m][i], back);
      Measures measures;
      measures.add(picture, back);
      json.push_back({{"model", models[m].run},
                      {"file", options.predict[i]},
                      {"written", targets[m][i].string()},
                      {"psnr", measures.psnr()},
                      {"ssim", measures.ssim()}});
      if (!options.json)
        fmt::print("{}  psnr {:.4f}  ssim {:.4f}\n", targets[m][i].string(), measures.psnr(), measures.ssim());
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return train::kExitDone;
}

}  // namespace reconstruction
