#include "core/cuda.h"

#include "kernels/device.h"

namespace tapetum::cuda {

bool is_available() {
  const kernels::DeviceApi* api = kernels::device_api(DeviceKind::cuda);
  return api && api->available();
}

}  // namespace tapetum::cuda
