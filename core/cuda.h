// CUDA devices, as a program asks for them.
#pragma once

namespace tapetum::cuda {

bool is_available();  // this build has CUDA and this machine a device; never throws

}  // namespace tapetum::cuda
