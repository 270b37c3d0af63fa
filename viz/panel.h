// The segmentation panel: one validation sample a row (image, truth, prediction, errors, IoU), with title, legend and facts.
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"
#include "viz/labels.h"

namespace tapetum::viz {

struct PanelRow {
  Tensor image;              // u8 [H, W, C], or f32 [C, H, W] in [0, 1], C = 1, 3 or 4; sizes may differ from row to row
  Tensor truth, prediction;  // integers [H, W]: class of each pixel
  std::string name = {};     // shown under the row's IoU, shortened to fit
};

struct Fact {
  std::string name, value;  // "Parameters", "1.9 M"
};

struct PanelOptions {
  std::string title = "Segmentation", subtitle = {};
  std::vector<std::string> classes = {};  // names for the legend; class 0 is the background
  std::vector<Fact> facts = {};           // of the run, in the footer
  int64_t ignore_index = kNoIgnore;       // pixels of this label in the truth are hatched and not judged
  bool background = true;                 // false: class 0 is a class like the others, and every error is a wrong class
  double cell = 264;                      // longest side of one picture, before `scale`
  double scale = 1;                       // of the whole panel: 2 for print
};

// The panel as a u8 image [H, W, 3]; without rows it is title, legend and footer. Errors: a pixel of the background that was given a
// class is a false positive, one of a class that was given the background a false negative, one of another class a wrong class.
// Throws ShapeError and DTypeError when a row's three pictures do not fit each other, Error for a label that is no class.
Tensor segmentation_panel(const std::vector<PanelRow>& rows, const PanelOptions& options);

}  // namespace tapetum::viz
