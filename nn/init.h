// Initial values, written into a tensor in place without recording. Names and formulas as torch.nn.init.
#pragma once
#include "nn/parameter.h"

namespace tapetum::nn::init {

enum class FanMode { fan_in, fan_out };
enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

struct Fans {
  double in, out;
};
Fans fans(const Tensor& t);  // [out, in, r, s]: in * r * s and out * r * s; throws ShapeError below two dimensions

// The factor that keeps the variance through the nonlinearity; `slope` is leaky_relu's.
double gain(Nonlinearity nonlinearity, double slope = 0.01);

struct KaimingOptions {
  double a = 0;  // negative slope, used with leaky_relu
  FanMode mode = FanMode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};

struct TruncatedNormalOptions {
  double mean = 0, std = 1, a = -2, b = 2;  // values outside [a, b] are drawn again
};

// While one lives, the functions below leave tensors of this thread as they are: for a model whose weights are loaded right after.
class Skip {
 public:
  Skip();
  ~Skip();
  Skip(const Skip&) = delete;

 private:
  bool before_;
};

void constant_(Tensor& t, double value);
inline void zeros_(Tensor& t) { constant_(t, 0); }
inline void ones_(Tensor& t) { constant_(t, 1); }
void eye_(Tensor& t);  // of a matrix
void uniform_(Tensor& t, double low = 0, double high = 1);
void normal_(Tensor& t, double mean = 0, double std = 1);
void trunc_normal_(Tensor& t, const TruncatedNormalOptions& options = {});
void kaiming_uniform_(Tensor& t, const KaimingOptions& options = {});  // He et al. 2015
void kaiming_normal_(Tensor& t, const KaimingOptions& options = {});
void xavier_uniform_(Tensor& t, double gain = 1);  // Glorot and Bengio 2010
void xavier_normal_(Tensor& t, double gain = 1);

// What convolutions and Linear start from: uniform in +-1 / sqrt(fan in of the weight), which is kaiming_uniform_ with a = sqrt(5).
Parameter default_weight(const Shape& shape);
Parameter default_bias(const Tensor& weight, int64_t size);

}  // namespace tapetum::nn::init
