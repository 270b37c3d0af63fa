// Event files for TensorBoard, with the names of torch.utils.tensorboard:
//
//   train::SummaryWriter writer("runs/a");
//   writer.add_scalar("loss/train", loss, step);
//
// A file is a row of records (length, masked CRC-32C, an Event of Protocol Buffers, masked CRC-32C), as TensorFlow's
// core/lib/io/record_writer.cc and core/util/event.proto define them. Each event is one write to the file: a process that is killed loses none.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace tapetum {
class ProtobufWriter;
}

namespace tapetum::train {

class SummaryWriter {
 public:
  // Makes events.out.tfevents.<seconds>.<host>.<pid>.<n> in `folder`, which is made with its parents. purge_step: of what older files in it
  // hold, steps from that one on are hidden, as a run needs that goes on from a checkpoint; -1: nothing. Throws IoError, as every call does.
  explicit SummaryWriter(const std::string& folder, int64_t purge_step = -1);
  ~SummaryWriter();
  SummaryWriter(const SummaryWriter&) = delete;
  SummaryWriter& operator=(const SummaryWriter&) = delete;

  const std::string& path() const { return path_; }  // of the file

  void add_scalar(const std::string& tag, double value, int64_t step);         // kept as f32; NaN may be shown, too
  void add_text(const std::string& tag, std::string_view text, int64_t step);  // Markdown
  // u8 [H, W, C], or f32 [C, H, W] in [0, 1], C = 1, 3 or 4: as PNG. Throws ShapeError, DTypeError.
  void add_image(const std::string& tag, const Tensor& image, int64_t step);
  // Of all elements, floating or integer, in buckets that grow by a tenth from 1e-12 on, as PyTorch's. Throws Error where one is not finite,
  // or there is none.
  void add_histogram(const std::string& tag, const Tensor& values, int64_t step);

 private:
  void write(const std::string& event) const;
  void add(int64_t step, const ProtobufWriter& value) const;

  std::string path_;
  int file_ = -1;
};

}  // namespace tapetum::train
