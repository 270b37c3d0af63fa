#include "bench/gpu/work.h"

#include "bench/gpu/work_makers.h"
#include "core/error.h"
#include "models/create.h"

namespace tapetum::bench {

Work make_work(const Row& row, Device device) {
  const Bench bench{row, device};
  for (const Makers& makers : {product_makers(), memory_makers(), search_makers(), model_makers(), photo_makers()})
    if (const auto maker = makers.find(row.op); maker != makers.end()) return maker->second(bench);
  for (const auto& entry : models::list())
    if (row.op == entry.name) return classifier(bench);
  throw Error("bench_gpu: no op " + row.op);
}

}  // namespace tapetum::bench
