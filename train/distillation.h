// A small network that learns from a large one's probabilities (Hinton et al. 2015, Distilling the Knowledge in a Neural Network).
#pragma once
#include "core/tensor.h"

namespace tapetum::train {

struct DistillationOptions {
  double temperature = 4;  // above 0: logits are divided by it, so that the teacher's small probabilities are seen
  double alpha = 0.5;      // the teacher's share of the loss, the labels have the rest; 1: labels may be left out, as Tensor()
};

// alpha T^2 KL(softmax(teacher / T) || softmax(student / T)) + (1 - alpha) cross_entropy(student, labels), a mean over samples. T^2 keeps the
// gradient's scale whatever T is. student, teacher: logits [N, C, ...] of one shape; labels as cross_entropy takes them. No gradient goes to
// the teacher. Throws ShapeError, DTypeError, and Error for options that make no sense.
Tensor distillation_loss(const Tensor& student, const Tensor& teacher, const Tensor& labels, const DistillationOptions& options = {});

}  // namespace tapetum::train
