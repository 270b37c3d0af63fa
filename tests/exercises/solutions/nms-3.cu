__shared__ unsigned words[kWarps];
const bool stays = thread < length && x[thread] > 0;
const unsigned word = __ballot_sync(0xffffffff, stays);
if (lane == 0) words[warp] = word;
__syncthreads();
int before = __popc(word & ((1u << lane) - 1)), all = 0;
for (int w = 0; w < kWarps; ++w) {
  const int bits = __popc(words[w]);
  if (w < warp) before += bits;
  all += bits;
}
if (stays) y[before] = static_cast<float>(thread);
if (thread >= all && thread < length) y[thread] = -1;
