// Initial values that several architectures share, as torchvision sets them.
#pragma once
#include "nn/linear.h"

namespace tapetum::models::initial {

// Every convolution below `root`: normal with the deviation sqrt(2 / fan out), which keeps the gradient's variance through ReLU (He et al.
// 2015), and zero biases.
void kaiming_fan_out(nn::Module& root);
// Every Linear, or every convolution, below: normal, and zero biases. (Where torchvision's is cut, it is a hundred deviations away.)
void normal_linear(nn::Module& root, double std);
void normal_convolutions(nn::Module& root, double std);
// Uniform in +-1 / sqrt(outputs), and a zero bias.
void uniform_by_outputs(nn::Linear& layer);

}  // namespace tapetum::models::initial
