// What is to be done when memory that storage has borrowed is needed no more. (For core's own files. In a table beside the storages: few have one.)
#pragma once
#include "core/storage.h"

namespace tapetum {

// release(context) runs with the storage's destruction.
void release_with(const Storage& storage, void (*release)(void* context), void* context);

}  // namespace tapetum
