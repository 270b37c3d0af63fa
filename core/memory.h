// How much memory tensors take, in bytes. Of the meta device: what its tensors and their operations' workspaces would take on the CPU.
#pragma once
#include "core/error.h"
#include "core/tensor.h"

namespace tapetum {

size_t memory_allocated(Device device = {});  // by tensors and workspaces that are alive
size_t peak_memory(Device device = {});       // the greatest memory_allocated() since the start, or the last reset
size_t memory_reserved(Device device = {});   // what the process keeps, in use or for reuse
size_t workspace_at_peak();                   // of the meta device: the part of its peak that was an operation's workspace
void reset_peak_memory(Device device = {});
void release_memory(Device device = {});      // gives back to the system what is kept for reuse
std::string held_memory(Device device = {});  // in words: how much tensors hold, in which blocks, and what is kept for reuse

}  // namespace tapetum
