// Boxes lie coordinate by coordinate, so that a register holds one coordinate of several.
#include "kernels/boxes.h"

#include <algorithm>

#include "kernels/box_overlap.h"
#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

template <class T> Vec<T> greater_of(Vec<T> a, Vec<T> b) { return max(a, b); }
template <class T> Vec<T> lesser_of(Vec<T> a, Vec<T> b) { return min(a, b); }
template <class T> using Mask = decltype(Vec<T>(T(0)) > Vec<T>(T(0)));

bool any(const auto& mask) {
  uint64_t words[sizeof mask / sizeof(uint64_t)], all = 0;
  std::memcpy(words, &mask, sizeof mask);
  for (uint64_t word : words) all |= word;
  return all;
}

template <class T> Box<Vec<T>> repeated(const Box<T>& b) { return {b.x1, b.y1, b.x2, b.y2, b.area}; }

template <class T> struct Boxes {
  T *x1, *y1, *x2, *y2, *area;

  Boxes(void* memory, int64_t room) {
    T* p = static_cast<T*>(memory);
    for (T** part : {&x1, &y1, &x2, &y2, &area}) *part = p, p += room;
  }
  static size_t bytes(int64_t room) { return static_cast<size_t>(5 * room) * sizeof(T); }

  Boxes from(int64_t i) const {
    Boxes b = *this;
    for (T** part : {&b.x1, &b.y1, &b.x2, &b.y2, &b.area}) *part += i;
    return b;
  }
  void set(int64_t i, const Box<T>& b) const { x1[i] = b.x1, y1[i] = b.y1, x2[i] = b.x2, y2[i] = b.y2, area[i] = b.area; }
  Box<T> at(int64_t i) const { return {x1[i], y1[i], x2[i], y2[i], area[i]}; }
  Box<Vec<T>> load(int64_t i, int64_t n) const {
    const auto part = [=](const T* p) { return Vec<T>::load(p + i, n); };
    return {part(x1), part(y1), part(x2), part(y2), part(area)};
  }
};

bool supports_iou(const BoxIouArgs& a) { return serves(a.shape.dtype); }
size_t iou_workspace(const BoxIouArgs& a) { return Boxes<char>::bytes(a.shape.columns) * size_of(a.shape.dtype); }

template <class T, bool generalized> void box_iou_rows(const BoxIouArgs& a, void* memory) {
  const int64_t columns = a.shape.columns, grain = std::max<int64_t>(1, 16384 / columns);
  const Boxes<T> boxes(memory, columns);
  for (int64_t j = 0; j < columns; ++j) boxes.set(j, box_at(static_cast<const T*>(a.b), j));
  parallel_ranges(a.shape.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Box<Vec<T>> row = repeated(box_at(static_cast<const T*>(a.a), i));
      T* y = static_cast<T*>(a.y) + i * columns;
      for (int64_t j = 0; j < columns; j += Vec<T>::lanes) {
        const Box<Vec<T>> column = boxes.load(j, columns - j);
        (generalized ? generalized_iou(row, column) : iou(row, column)).store(y + j, columns - j);
      }
    }
  });
}

Status box_iou(const BoxIouArgs& a, Workspace& w) {
  if (a.shape.rows == 0 || a.shape.columns == 0) return Status::ok;
  with_served_type(a.shape.dtype, [&]<class T>() { a.shape.generalized ? box_iou_rows<T, true>(a, w.data) : box_iou_rows<T, false>(a, w.data); });
  return Status::ok;
}

constexpr int64_t kTile = 512;       // boxes that are first compared with all that were kept before them, and then settle among themselves
constexpr int64_t kRows = 8;         // kept boxes that a register is compared with before anybody looks whether it touches one
constexpr int64_t kPairs = 1 << 16;  // of a unit of work

// Lanes where the box meets the row or is close to it: elsewhere they share nothing. (Fewer operations than the intersection.)
template <class T> Mask<T> meets(const Box<Vec<T>>& row, const Box<Vec<T>>& column) {
  return (row.x1 < column.x2) & (column.x1 < row.x2) & (row.y1 < column.y2) & (column.y1 < row.y2);
}

// Lanes that overlap too much with one of the boxes [begin, end).
template <class T> Mask<T> struck_by(const Boxes<T>& boxes, int64_t begin, int64_t end, const Box<Vec<T>>& column, T threshold) {
  Mask<T> struck{};
  for (int64_t first = begin; first < end; first += kRows) {
    const int64_t last = std::min(first + kRows, end);
    Mask<T> met{};
    for (int64_t i = first; i < last; ++i) met |= meets(repeated(boxes.at(i)), column);
    if (threshold >= 0 && !any(met)) continue;
    for (int64_t i = first; i < last; ++i) struck |= iou(repeated(boxes.at(i)), column) > Vec<T>(threshold);
    if (!any(~struck)) break;
  }
  return struck;
}

// `boxes` come best first; those that stay move to the front, and stays(i) is called for each. A box is read into a register once, and
// compared with what was kept before it.
template <class T, class F> void suppress(const Boxes<T>& boxes, int64_t count, T threshold, F stays) {
  constexpr int64_t lanes = Vec<T>::lanes;
  Mask<T> struck[kTile / lanes];
  int64_t kept = 0;
  for (int64_t tile = 0; tile < count; tile += kTile) {
    const int64_t end = std::min(tile + kTile, count), before = kept;
    const int64_t grain = std::max(lanes, kPairs / (before + 1) / lanes * lanes);
    parallel_ranges(end - tile, grain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; i += lanes) struck[i / lanes] = struck_by(boxes, 0, before, boxes.load(tile + i, end - tile - i), threshold);
    });
    for (int64_t i = tile; i < end; i += lanes) {
      const Box<Vec<T>> column = boxes.load(i, end - i);
      Mask<T> gone = struck[(i - tile) / lanes] | struck_by(boxes, before, kept, column, threshold);
      for (int64_t lane = 0; lane < lanes && i + lane < end; ++lane) {
        if (gone[lane]) continue;
        const Box<T> box = boxes.at(i + lane);
        gone |= iou(repeated(box), column) > Vec<T>(threshold);  // the lanes before are decided already
        boxes.set(kept++, box);
        stays(i + lane);
      }
    }
  }
}

// A box's class and its place among all, best first.
struct Member {
  int64_t group, rank;
  bool operator<(const Member& o) const { return group < o.group || (group == o.group && rank < o.rank); }
};

// Workspace: the members by class, each class's first, the boxes in that order, and who stays.
template <class T> struct Room {
  Member* members;
  int64_t* begins;
  Boxes<T> boxes;
  bool* stays;

  Room(const NmsArgs& a, void* memory)
      : members(static_cast<Member*>(memory)),
        begins(reinterpret_cast<int64_t*>(members + a.count)),
        boxes(begins + a.count + 1, a.count),
        stays(reinterpret_cast<bool*>(boxes.area + a.count)) {}
};
size_t nms_workspace(const NmsArgs& a) {
  return static_cast<size_t>(a.count) * (sizeof(Member) + sizeof(int64_t) + 5 * size_of(a.dtype) + sizeof(bool)) + sizeof(int64_t);
}

// Each class by itself: fewer comparisons than of all with all.
template <class T> void nms_groups(const NmsArgs& a, const Room<T>& r) {
  for (int64_t rank = 0; rank < a.count; ++rank) r.members[rank] = {a.classes ? a.classes[a.order[rank]] : 0, rank};
  if (a.classes) std::sort(r.members, r.members + a.count);
  int64_t groups = 0;
  for (int64_t i = 0; i < a.count; ++i)
    if (i == 0 || r.members[i].group != r.members[i - 1].group) r.begins[groups++] = i;
  r.begins[groups] = a.count;
  std::fill(r.stays, r.stays + a.count, false);
  const T threshold = threshold_in<T>(a.threshold);
  parallel_for(groups, [&](int64_t group) {
    const Member* members = r.members + r.begins[group];
    const int64_t count = r.begins[group + 1] - r.begins[group];
    const Boxes<T> boxes = r.boxes.from(r.begins[group]);
    for (int64_t i = 0; i < count; ++i) boxes.set(i, box_at(static_cast<const T*>(a.boxes), a.order[members[i].rank]));
    suppress(boxes, count, threshold, [&](int64_t i) { r.stays[members[i].rank] = true; });
  });
}

bool supports_nms(const NmsArgs& a) { return serves(a.dtype); }

Status nms(const NmsArgs& a, Workspace& w) {
  *a.found = 0;
  with_served_type(a.dtype, [&]<class T>() {
    const Room<T> room(a, w.data);
    nms_groups(a, room);
    for (int64_t rank = 0; rank < a.count; ++rank)
      if (room.stays[rank]) a.kept[(*a.found)++] = a.order[rank];
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(BoxIouArgs, box_iou_vec){.name = "vec", .supports = supports_iou, .workspace = iou_workspace, .run = box_iou};
TAPETUM_CPU_CANDIDATE(NmsArgs, nms_vec){.name = "vec", .supports = supports_nms, .workspace = nms_workspace, .run = nms};

}  // namespace tapetum::kernels
