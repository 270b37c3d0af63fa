// Every error that a user can cause: one base, one class per kind. Text: "op: what was expected, got what".
#pragma once
#include <stdexcept>

#include "core/device.h"
#include "core/shape.h"

namespace tapetum {

struct Error : std::runtime_error {
  using runtime_error::runtime_error;
};

#define TAPETUM_ERROR(Name) \
  struct Name : Error {     \
    using Error::Error;     \
  }
TAPETUM_ERROR(ShapeError);
TAPETUM_ERROR(IndexError);  // an index outside its dimension, a label outside the classes
TAPETUM_ERROR(DTypeError);
TAPETUM_ERROR(DeviceError);
TAPETUM_ERROR(OutOfMemory);
TAPETUM_ERROR(UnsupportedKernel);  // a candidate that was forced by name and cannot do this call
TAPETUM_ERROR(AutogradError);      // a saved tensor that was changed, a graph that was freed, an in-place change of what is recorded
TAPETUM_ERROR(FormatError);        // a file or a byte stream that does not say what it should
TAPETUM_ERROR(IoError);            // the operating system refused: the text names the file and its reason
#undef TAPETUM_ERROR

std::string to_string(const Shape& shape);  // "[2, 3]"
std::string to_string(Device device);

}  // namespace tapetum
