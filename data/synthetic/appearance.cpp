#include "data/synthetic/appearance.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tapetum::data {
namespace {

// One staining: light = background * exp(-stain * amount) + glow * amount (Beer and Lambert's law; fluorescence adds).
struct Palette {
  Colour background, stain, nucleus, glow;
};
constexpr Palette kPalettes[] = {
    {{.70f, .57f, .66f}, {.60f, 1.20f, .50f}, {1.0f, 1.5f, .55f}, {.28f, .37f, .29f}},  // haematoxylin and eosin
    {{.10f, .27f, .33f}, {1.3f, 1.4f, 1.1f}, {1.4f, 1.2f, .25f}, {.16f, .58f, .34f}},   // green fluorescence
    {{.30f, .17f, .34f}, {1.0f, 1.2f, .8f}, {1.2f, 1.1f, .3f}, {.62f, .34f, .12f}},     // orange fluorescence
    {{.50f, .56f, .60f}, {1.15f, .85f, .55f}, {1.5f, 1.1f, .5f}, {.38f, .30f, .14f}},   // phase contrast
};

double smoothstep(double from, double to, double x) {
  const double t = std::clamp((x - from) / (to - from), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

struct Look {
  Look(RandomStream& stream, const Outline& cell)
      : bright(stream.chance(0.5)),
        body(stream.uniform(0.75, 1.05)),
        rim(stream.uniform(0.5, 0.9)),
        chromatin(stream.uniform(0.5, 1.0)),
        nucleus(stream, cell.y + cell.radius * stream.uniform(-0.2, 0.2), cell.x + cell.radius * stream.uniform(-0.2, 0.2),
                cell.radius * stream.uniform(0.34, 0.48), 0.06) {}
  bool bright;
  double body, rim, chromatin;
  Outline nucleus;
};

// What stands in the way of light and what gives light, at one pixel.
struct Matter {
  double stain = 0, nucleus = 0, glow = 0;
};

class Painter {
 public:
  Painter(RandomStream& stream, Size2 size)
      : palette_(kPalettes[stream.integer(std::size(kPalettes))]),
        light_(draw_illumination(stream, size)),
        coarse_(smooth_noise(stream, size, 7, 2)),
        fine_(smooth_noise(stream, size, 2.2, 2)),
        haze_(smooth_noise(stream, size, 24, 3)),
        matter_(static_cast<size_t>(size.h * size.w)),
        size_(size) {
    for (int64_t i = 0; i < size.h * size.w; ++i) {
      const auto n = static_cast<size_t>(i);
      matter_[n].stain = 0.05 * haze_.values[n] + 0.03 * coarse_.values[n] + 0.03 * fine_.values[n];
    }
  }

  void draw_debris(RandomStream& stream);
  void draw_cells(RandomStream& stream, const Tissue& tissue);
  Planes develop() const;

 private:
  void draw_speck(RandomStream& stream);
  void draw_ghost(RandomStream& stream);
  void draw_fibre(RandomStream& stream);
  Matter cell_matter(const Tissue& tissue, const Look& look, int64_t y, int64_t x) const;
  double random_y(RandomStream& stream) const { return stream.uniform(0, static_cast<double>(size_.h)); }
  double random_x(RandomStream& stream) const { return stream.uniform(0, static_cast<double>(size_.w)); }
  Matter& at(int64_t y, int64_t x) { return matter_[static_cast<size_t>(y * size_.w + x)]; }

  // f(y, x) for the pixels of the picture within `reach` of a point.
  template <class F> void for_each_near(double cy, double cx, double reach, F f) {
    const auto top = std::max<int64_t>(0, std::lround(cy - reach)), bottom = std::min<int64_t>(size_.h - 1, std::lround(cy + reach));
    const auto left = std::max<int64_t>(0, std::lround(cx - reach)), right = std::min<int64_t>(size_.w - 1, std::lround(cx + reach));
    for (int64_t y = top; y <= bottom; ++y)
      for (int64_t x = left; x <= right; ++x) f(y, x);
  }

  Palette palette_;
  Plane light_, coarse_, fine_, haze_;
  std::vector<Matter> matter_;
  Size2 size_;
};

void Painter::draw_debris(RandomStream& stream) {
  const double area = static_cast<double>(size_.h * size_.w) / (128 * 128);
  for (int64_t n = std::lround(area * stream.uniform(4, 11)); n > 0; --n) draw_speck(stream);
  for (int64_t n = std::lround(area * stream.uniform(1, 3)); n > 0; --n) draw_ghost(stream);
  for (int64_t n = std::lround(area * stream.uniform(0, 3)); n > 0; --n) draw_fibre(stream);
}

// A grain with a sharp edge, of the brightness of cells but small and without inner structure.
void Painter::draw_speck(RandomStream& stream) {
  const Outline speck(stream, random_y(stream), random_x(stream), stream.uniform(1.2, 3.6), 0.12);
  const bool bright = stream.chance(0.5);
  const double amount = stream.uniform(0.5, 1.3);
  for_each_near(speck.y, speck.x, speck.reach + 1, [&](int64_t y, int64_t x) {
    const double inside = 1 - smoothstep(0.7, 1.2, speck.distance(static_cast<double>(y), static_cast<double>(x)));
    (bright ? at(y, x).glow : at(y, x).stain) += amount * inside;
  });
}

// A cell far out of focus: as large as one, without edge or nucleus.
void Painter::draw_ghost(RandomStream& stream) {
  const Outline ghost(stream, random_y(stream), random_x(stream), stream.uniform(7, 15), 0.08);
  const bool bright = stream.chance(0.5);
  const double amount = stream.uniform(0.12, 0.3);
  for_each_near(ghost.y, ghost.x, 1.6 * ghost.reach, [&](int64_t y, int64_t x) {
    const double d = ghost.distance(static_cast<double>(y), static_cast<double>(x));
    (bright ? at(y, x).glow : at(y, x).stain) += amount * std::exp(-2.5 * d * d);
  });
}

void Painter::draw_fibre(RandomStream& stream) {
  double y = random_y(stream), x = random_x(stream), heading = stream.uniform(0, 2 * std::numbers::pi);
  const double bend = stream.normal(0, 0.03), width = stream.uniform(0.5, 1.0), amount = stream.uniform(0.25, 0.6);
  for (int64_t step = 20 + stream.integer(50); step > 0; --step) {
    for_each_near(y, x, 3, [&](int64_t py, int64_t px) {
      const double d = std::hypot(static_cast<double>(py) - y, static_cast<double>(px) - x) / width;
      Matter& m = at(py, px);
      m.stain = std::max(m.stain, amount * std::exp(-d * d));
    });
    heading += bend;
    y += std::sin(heading);
    x += std::cos(heading);
  }
}

Matter Painter::cell_matter(const Tissue& tissue, const Look& look, int64_t y, int64_t x) const {
  const double d = tissue.nearest(y, x), depth = tissue.depth(y, x);
  const double thickness = std::sqrt(std::max(0.0, 1 - 0.8 * d * d)), membrane = std::exp(-depth * depth / 2.2);
  const double grain = 1 + 0.28 * coarse_(y, x) + 0.22 * fine_(y, x);
  const double core = 1 - smoothstep(0.8, 1.12, look.nucleus.distance(static_cast<double>(y), static_cast<double>(x)));
  Matter m;
  (look.bright ? m.glow : m.stain) = look.body * grain * (0.35 + 0.65 * thickness);
  m.stain += look.rim * membrane * (look.bright ? 0.55 : 0.45);
  m.nucleus = look.chromatin * core * (0.85 + 0.5 * fine_(y, x));
  if (look.bright) m.glow *= 1 - 0.45 * core;
  return m;
}

void Painter::draw_cells(RandomStream& stream, const Tissue& tissue) {
  std::vector<Look> looks;
  for (const Outline& cell : tissue.cells) looks.emplace_back(stream, cell);
  for (int64_t y = 0; y < size_.h; ++y)
    for (int64_t x = 0; x < size_.w; ++x) {
      const int owner = tissue.owner[static_cast<size_t>(y * size_.w + x)];
      if (owner >= 0) {
        at(y, x) = cell_matter(tissue, looks[static_cast<size_t>(owner)], y, x);
      } else if (const double gap = (tissue.nearest(y, x) - 1) * 12; gap < 6) {
        at(y, x).glow += 0.08 * std::exp(-gap * gap / 6);  // light that the cell's edge bends outwards
      }
    }
}

Planes Painter::develop() const {
  Planes scene{Plane(size_), Plane(size_), Plane(size_)};
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < matter_.size(); ++i) {
      const Matter& m = matter_[i];
      const double passed = palette_.background[c] * std::exp(-m.stain * palette_.stain[c] - m.nucleus * palette_.nucleus[c]);
      scene[c].values[i] = static_cast<float>(light_.values[i] * (passed + m.glow * palette_.glow[c]));
    }
  return scene;
}

}  // namespace

Planes paint(RandomStream& stream, const Tissue& tissue) {
  Painter painter(stream, tissue.nearest.size);
  painter.draw_debris(stream);
  painter.draw_cells(stream, tissue);
  return painter.develop();
}

}  // namespace tapetum::data
