// Shows what a pipeline of augmentation makes of one picture, with its mask and boxes: show_augmentation --help
#include <fmt/format.h>
#include <tapetum/tapetum.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "data/file.h"
#include "data/folder.h"
#include "data/transforms/augmentation.h"
#include "examples/common/command_line.h"
#include "viz/canvas.h"

namespace tp = tapetum;
using tp::viz::Color, tp::viz::Rect;

namespace {

struct Options {
  std::string photo, pipeline, preset = "strong", mask, boxes, yolo, out = "augmentation.png";
  int64_t count = 15, columns = 4, cell = 280, seed = 0;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line("show_augmentation", "Draws a picture as a pipeline of augmentation changes it, time after time.");
  line.add("photo", o.photo, "PHOTO", "The image (none: a procedural one of cells, with its mask)");
  line.add("--out", o.out, "FILE", "The sheet, a PNG file");
  line.add("--pipeline", o.pipeline, "FILE", "JSON: [{\"transform\": \"HorizontalFlip\", \"p\": 0.5}, ...]");
  line.add_choice("--preset", o.preset, tp::data::augmentation_names(), "A pipeline by name, where no file is given");
  line.add("--mask", o.mask, "FILE", "Its labels: an image of class ids");
  line.add("--boxes", o.boxes, "FILE", "Its boxes, one a line: left top right bottom [label], in pixels");
  line.add("--yolo", o.yolo, "FILE", "The same as: label, centre x, centre y, width, height, in parts of the sides");
  line.add("--count", o.count, "Changed pictures");
  line.add("--columns", o.columns, "Pictures a row");
  line.add("--cell", o.cell, "Longest side of a picture on the sheet, pixels");
  line.add("--seed", o.seed, "Where the random numbers start");
  if (!line.parse(argc, argv)) return false;
  if (o.photo.empty() && !(o.mask.empty() && o.boxes.empty() && o.yolo.empty()))
    throw programs::UsageError("--mask, --boxes and --yolo belong to a PHOTO");
  if (!o.boxes.empty() && !o.yolo.empty()) throw programs::UsageError("--boxes and --yolo: give one of them");
  const auto within = [](const char* flag, int64_t value, int64_t least, int64_t most) {
    if (value < least || value > most) throw programs::UsageError(fmt::format("{}: expected {} to {}, got {}", flag, least, most, value));
  };
  within("--count", o.count, 1, 400);
  within("--columns", o.columns, 1, 20);
  within("--cell", o.cell, 32, 2000);
  return true;
}

// The numbers of each line that has some.
std::vector<std::vector<double>> lines_of(const std::string& path) {
  const std::string text = tp::data::read_file(path);
  std::vector<std::vector<double>> lines;
  int64_t number = 1;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::vector<double> values;
    for (const char* p = text.data() + at; p < text.data() + end;) {
      if (*p == ' ' || *p == '\t' || *p == ',' || *p == '\r') {
        ++p;
        continue;
      }
      const auto [rest, error] = std::from_chars(p, text.data() + end, values.emplace_back());
      if (error != std::errc()) throw tp::FormatError(fmt::format("{}: line {}: expected numbers", path, number));
      p = rest;
    }
    if (!values.empty()) {
      const bool yolo_or_labelled = values.size() == 5, plain = values.size() == 4;
      if (!yolo_or_labelled && !plain)
        throw tp::FormatError(fmt::format("{}: line {}: expected 4 or 5 numbers, got {}", path, number, values.size()));
      lines.push_back(std::move(values));
    }
    at = end + 1;
  }
  return lines;
}

void read_boxes(const Options& o, const tp::data::Image& image, tp::data::ImageSample& sample) {
  const bool yolo = !o.yolo.empty();
  const auto lines = lines_of(yolo ? o.yolo : o.boxes);
  const auto count = static_cast<int64_t>(lines.size());
  sample.boxes = tp::empty({count, 4});
  sample.labels = tp::empty({count}, tp::DType::i64);
  const double w = static_cast<double>(image.width()), h = static_cast<double>(image.height());
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<double>& v = lines[static_cast<size_t>(i)];
    if (yolo && v.size() != 5) throw tp::FormatError(fmt::format("{}: expected a label and four numbers a line", o.yolo));
    const std::array<double, 4> box =
        yolo ? std::array<double, 4>{(v[1] - v[3] / 2) * w, (v[2] - v[4] / 2) * h, (v[1] + v[3] / 2) * w, (v[2] + v[4] / 2) * h}
             : std::array<double, 4>{v[0], v[1], v[2], v[3]};
    for (size_t k = 0; k < 4; ++k) sample.boxes.mutable_data<float>()[4 * i + static_cast<int64_t>(k)] = static_cast<float>(box[k]);
    sample.labels.mutable_data<int64_t>()[i] = static_cast<int64_t>(yolo ? v[0] : v.size() == 5 ? v[4] : 0);
  }
}

tp::data::ImageSample read_sample(const Options& o) {
  if (o.photo.empty()) return tp::data::SyntheticCells({.count = 1, .size = {210, 280}, .seed = static_cast<uint64_t>(o.seed)}).get(0);
  const tp::data::Image image = tp::data::read_image(o.photo);
  tp::data::ImageSample sample;
  sample.image = image.tensor();
  if (!o.mask.empty()) sample.mask = tp::data::read_labels(o.mask);
  if (!o.boxes.empty() || !o.yolo.empty()) read_boxes(o, image, sample);
  check_sample("show_augmentation", sample);
  return sample;
}

// The picture as bytes; one that Normalize has changed is stretched to the range of bytes.
tp::Tensor to_bytes(const tp::Tensor& image) {
  if (image.dtype() == tp::DType::u8) return image;
  const float *begin = image.data<float>(), *end = begin + image.numel(), low = *std::min_element(begin, end), high = *std::max_element(begin, end);
  if (low >= 0 && high <= 1) return tp::data::from_float(image).tensor();
  return tp::data::from_float((image - low) / std::max(high - low, 1e-6f)).tensor();
}

constexpr Color kPaper = Color::hex(0xffffff), kInk = Color::hex(0x171b24), kMuted = Color::hex(0x717987);
constexpr double kMargin = 40, kGap = 18, kCaption = 30, kHeader = 84;

struct Picture {
  std::string title, note;
  tp::data::ImageSample sample;
};

// What a picture takes on the sheet: its longer side fills the cell.
Rect frame_of(const Picture& picture, double left, double top, double cell) {
  const tp::Size2 size = size_of_image(picture.sample);
  const double factor = cell / static_cast<double>(std::max(size.h, size.w));
  const auto side = [&](int64_t n) { return std::max(1., std::round(static_cast<double>(n) * factor)); };
  return {left, top, side(size.w), side(size.h)};
}

// Boxes in the sheet's own resolution; text may take `room`.
void draw(tp::viz::Canvas& canvas, const Picture& picture, const Rect& frame, double room) {
  tp::Tensor image = tp::viz::to_rgb(to_bytes(picture.sample.image));
  const double factor = frame.width / static_cast<double>(image.size(1)), left = frame.x, top = frame.y;
  if (picture.sample.mask.defined()) image = tp::viz::overlay(image, picture.sample.mask);
  canvas.draw(image, frame, factor > 2 ? tp::viz::Scaling::nearest : tp::viz::Scaling::bilinear, 4);
  if (picture.sample.boxes.defined())
    for (int64_t i = 0; i < picture.sample.boxes.size(0); ++i) {
      const float* b = picture.sample.boxes.data<float>() + 4 * i;
      const double x = left + b[0] * factor, y = top + b[1] * factor;
      const Rect box{x, y, (b[2] - b[0]) * factor, (b[3] - b[1]) * factor};
      canvas.stroke_rect(box, 3.5, kInk.with_alpha(0.45), 2);
      canvas.stroke_rect(box, 2, tp::viz::class_color(picture.sample.labels.data<int64_t>()[i] + 1), 2);
    }
  canvas.text(picture.title, left, top + frame.height + 19, {.size = 14.5, .weight = tp::viz::Weight::bold, .color = kInk});
  const double title = tp::viz::text_width(picture.title, {.size = 14.5, .weight = tp::viz::Weight::bold});
  const tp::viz::TextStyle note{.size = 13, .color = kMuted};
  canvas.text(tp::viz::fit_text(picture.note, note, room - title - 8), left + title + 8, top + frame.height + 19, note);
}

std::string note_of(const tp::data::ImageSample& s) {
  const tp::Size2 size = size_of_image(s);
  std::string note = fmt::format("{} \u00d7 {}", size.w, size.h);
  if (s.boxes.defined()) note += fmt::format(", {} box{}", s.boxes.size(0), s.boxes.size(0) == 1 ? "" : "es");
  return note;
}

tp::Tensor sheet(const std::vector<Picture>& pictures, const Options& o, const std::string& title, const std::string& subtitle) {
  const int64_t columns = std::min<int64_t>(o.columns, static_cast<int64_t>(pictures.size()));
  const double cell = static_cast<double>(o.cell);
  std::vector<double> rows;  // the height of each: its tallest picture
  double room = std::min(cell, 190.);
  for (size_t i = 0; i < pictures.size(); ++i) {
    const Rect frame = frame_of(pictures[i], 0, 0, cell);
    if (i % static_cast<size_t>(columns) == 0) rows.push_back(0);
    rows.back() = std::max(rows.back(), frame.height);
    room = std::max(room, frame.width);
  }
  double bottom = kMargin + kHeader;
  for (const double height : rows) bottom += height + kCaption + kGap;
  const double width = 2 * kMargin + static_cast<double>(columns) * (room + kGap) - kGap;
  tp::viz::Canvas canvas(static_cast<int64_t>(width), static_cast<int64_t>(bottom - kGap + kMargin), kPaper);
  const tp::viz::TextStyle head{.size = 30, .weight = tp::viz::Weight::bold, .color = kInk}, sub{.size = 15.5, .color = kMuted};
  canvas.text(tp::viz::fit_text(title, head, width - 2 * kMargin), kMargin, kMargin + 25, head);
  canvas.text(tp::viz::fit_text(subtitle, sub, width - 2 * kMargin), kMargin, kMargin + 52, sub);
  double top = kMargin + kHeader;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const size_t column = i % static_cast<size_t>(columns);
    if (i && column == 0) top += rows[i / static_cast<size_t>(columns) - 1] + kCaption + kGap;
    draw(canvas, pictures[i], frame_of(pictures[i], kMargin + static_cast<double>(column) * (room + kGap), top, cell), room);
  }
  return canvas.image();
}

int show(const Options& o) {
  if (!o.photo.empty() && std::filesystem::weakly_canonical(o.out) == std::filesystem::weakly_canonical(o.photo))
    throw tp::Error(fmt::format("{}: is the photo and would be overwritten", o.out));
  const tp::data::Transform augment = o.pipeline.empty() ? tp::data::augmentation(o.preset) : tp::data::read_transform(o.pipeline);
  const tp::data::ImageSample original = read_sample(o);
  std::vector<Picture> pictures = {{"original", note_of(original), original}};
  for (int64_t i = 0; i < o.count; ++i) {
    tp::data::ImageSample sample = original;
    tp::RandomStream stream(static_cast<uint64_t>(o.seed), static_cast<uint64_t>(i));
    augment(sample, stream);
    pictures.push_back({fmt::format("{}", i + 1), note_of(sample), sample});
  }
  const std::string name = o.pipeline.empty() ? fmt::format("preset {}", o.preset) : o.pipeline;
  write_png(o.out, tp::data::Image(sheet(pictures, o, o.photo.empty() ? "Procedural cells" : tp::data::stem_of(o.photo),
                                         fmt::format("{}, seed {}", name, o.seed))));
  fmt::print("{}\n{}\n", to_string(augment), o.out);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("show_augmentation", argc, argv, [](int c, char** v) {
    Options options;
    return parse(options, c, v) ? show(options) : 0;
  });
}
