// gemm: 1x1 filters of stride 1 make products of matrices [pixels, channels], which the kernels of matmul_forward compute. It is one product
// where pixels lie evenly through all images, as in channels_last, else one for each image.
#include <algorithm>
#include <utility>

#include "kernels/candidates.h"
#include "kernels/conv.h"
#include "kernels/matmul.h"

namespace tapetum::kernels {
namespace {

// x or y as matrices of pixels (rows) and channels (columns).
struct PixelMatrices {
  bool even_rows, even_images;  // pixels lie evenly within an image; through all of them
  Matrix stride;
  int64_t image_stride;
  PixelMatrices(int64_t n, int64_t h, int64_t w, const int64_t (&s)[4]) {
    const int64_t pixel = w > 1 ? s[3] : h > 1 ? s[2] : s[0];
    even_rows = w == 1 || h == 1 || s[2] == w * s[3];
    even_images = even_rows && (n == 1 || s[0] == h * w * pixel);
    stride = {pixel, s[1]}, image_stride = s[0];
  }
};

struct Pointwise {
  PixelMatrices x, y;
  explicit Pointwise(const Conv2dShape& z) : x(z.n, z.h, z.w, z.x_stride), y(z.n, z.p, z.q, z.y_stride) {}
  bool even_rows() const { return x.even_rows && y.even_rows; }
  bool even_images() const { return x.even_images && y.even_images; }
};

Matrix transposed(const Matrix& m) { return {m.column, m.row}; }

// c = a b^T + bias over the pixels of each image: b is the filter, as [channels written, channels read].
MatmulArgs pixel_product(const Conv2dArgs& a, const void* from, const PixelMatrices& in, int64_t channels_in, const Matrix& filter, void* to,
                         const PixelMatrices& out, int64_t channels_out) {
  const Conv2dShape& z = a.shape;
  const bool at_once = Pointwise(z).even_images();
  MatmulShape s{{}, at_once ? z.n * z.h * z.w : z.h * z.w, channels_out, channels_in, in.stride, transposed(filter), out.stride, z.dtype};
  s.batch.count = at_once ? 1 : z.n;
  if (!at_once) s.batch.ndim = 1, s.batch.size[0] = z.n, s.batch.stride[0][0] = in.image_stride, s.batch.stride[2][0] = out.image_stride;
  const MatmulArgs product{s, from, a.w, to, a.bias};
  if (a.bias || out.stride.column == 1) return product;
  // Rows of c are dense where channels are its rows.
  MatmulArgs other = product;
  MatmulShape& t = other.shape;
  std::swap(other.a, other.b), std::swap(t.m, t.n);
  t.a = transposed(s.b), t.b = transposed(s.a), t.c = transposed(s.c);
  std::swap(t.batch.stride[0], t.batch.stride[1]);
  return other;
}

MatmulArgs forward_product(const Conv2dArgs& a) {
  const Pointwise p(a.shape);
  const auto& w = a.shape.w_stride;
  return pixel_product(a, a.x, p.x, a.shape.c, {w[0], w[1]}, a.y, p.y, a.shape.k);
}
MatmulArgs grad_input_product(const Conv2dArgs& a) {
  const Pointwise p(a.shape);
  const auto& w = a.shape.w_stride;
  return pixel_product(a, a.y, p.y, a.shape.k, {w[1], w[0]}, a.x, p.x, a.shape.c);
}
// w = y^T x
MatmulArgs grad_weight_product(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  const Pointwise p(z);
  MatmulShape s{{}, z.k, z.c, z.n * z.h * z.w, transposed(p.y.stride), p.x.stride, {z.w_stride[0], z.w_stride[1]}, z.dtype};
  s.batch.count = 1;
  return {s, a.y, a.x, a.w};
}

// TF32 is a choice for products that are called so.
bool supports(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  return z.r == 1 && z.s == 1 && z.stride_h == 1 && z.stride_w == 1 && z.padding_h == 0 && z.padding_w == 0 && z.groups == 1 && z.h == z.p &&
         z.w == z.q && !a.is_fused() && Pointwise(z).even_rows() &&
         (z.dtype != DType::f32 || float32_matmul_precision() == Float32MatmulPrecision::highest);
}
bool supports_grad_weight(const Conv2dArgs& a) { return supports(a) && Pointwise(a.shape).even_images(); }

// Many small products leave tiles empty. So do few channels: convolutions have tiles of their own for 64 and fewer, though none in f64.
constexpr int64_t kManyPixels = 256, kNarrow = 64, kFewest = 8;
bool has_many_pixels(const Conv2dShape& z) { return Pointwise(z).even_images() || z.h * z.w >= kManyPixels; }
bool has_many(const Conv2dShape& z, int64_t channels) { return z.dtype == DType::f64 ? channels >= kFewest : channels > kNarrow; }
bool prefers_forward(const Conv2dArgs& a) { return has_many(a.shape, a.shape.k) && has_many_pixels(a.shape); }
bool prefers_grad_input(const Conv2dArgs& a) { return has_many(a.shape, a.shape.c) && has_many_pixels(a.shape); }
// The sums are long, and of the products' kernels only those of tensor cores split them: others need as many tiles.
bool prefers_grad_weight(const Conv2dArgs& a) {
  constexpr int64_t kTile = 64, kManyTiles = 64, kChunk = 8;
  const Conv2dShape& z = a.shape;
  const bool is_16_bit = z.dtype == DType::f16 || z.dtype == DType::bf16;
  if (is_16_bit && z.c % kChunk == 0 && z.k % kChunk == 0) return std::min(z.c, z.k) > kNarrow;
  return ((z.c + kTile - 1) / kTile) * ((z.k + kTile - 1) / kTile) >= kManyTiles;
}

double error(const Conv2dArgs&) { return 0; }  // beyond that of the product, which is a run of its own

template <auto product_of> Status run(const Conv2dArgs& a, Workspace& workspace) { return matmul_forward.run(workspace.queue, product_of(a)); }

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_forward_gemm_cuda){
    .name = "gemm", .supports = supports, .prefers = prefers_forward, .error = error, .run = run<forward_product>};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_input_gemm_cuda){
    .name = "gemm", .supports = supports, .prefers = prefers_grad_input, .error = error, .run = run<grad_input_product>};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_weight_gemm_cuda){
    .name = "gemm", .supports = supports_grad_weight, .prefers = prefers_grad_weight, .error = error, .run = run<grad_weight_product>};

}  // namespace tapetum::kernels
