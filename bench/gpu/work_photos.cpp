// Photographs on their way into a network: read, changed and put into batches by workers.
#include <cstdlib>
#include <memory>

#include "bench/gpu/work_makers.h"
#include "core/error.h"
#include "data/folder.h"
#include "data/labelled_files.h"
#include "data/loader.h"
#include "data/prepared.h"
#include "data/transforms.h"

namespace tapetum::bench {
namespace {

// photos, workers: an epoch. The photographs of TAPETUM_DATA, again and again: shorter side 256, a window of 224, flipped, jittered, normalised.
Work photos(const Bench& b) {
  const char* folder = std::getenv("TAPETUM_DATA");
  if (!folder) throw Error("bench_gpu: photos needs TAPETUM_DATA, the folder of the public data sets");
  const auto paths = data::image_files(std::string(folder) + "/imagenet_samples");
  std::vector<data::LabelledFile> files;
  for (int64_t i = 0; i < b.size(0); ++i) {
    const std::string& path = paths[static_cast<size_t>(i) % paths.size()];
    files.push_back({path, path, 0});
  }
  const data::Compose augment{.transforms = {data::SmallestMaxSize{.max_size = 256}, data::RandomCrop{.height = 224, .width = 224},
                                             data::HorizontalFlip{}, data::ColorJitter{.brightness = 0.4, .contrast = 0.4, .saturation = 0.4}}};
  using Loader = data::DataLoader<data::Prepared>;
  const auto loader = std::make_shared<Loader>(data::Prepared(data::LabelledFiles(files, {"photo"}, {}), {}, augment),
                                               data::LoaderOptions{.batch_size = 32, .workers = static_cast<int>(b.size(1))});
  return [=] {
    for (auto& batch : *loader)
      if (batch.image.size(2) != 224) throw Error("bench_gpu: a photograph has the wrong size");
  };
}

}  // namespace

const Makers& photo_makers() {
  static const Makers makers{{"photos", photos}};
  return makers;
}

}  // namespace tapetum::bench
