const int mine = n - lane * kWarp;  // so many points, of this lane's and behind
unsigned open = mine >= kWarp ? 0xffffffff : mine > 0 ? (1u << mine) - 1 : 0, stay = 0;
while (const unsigned lanes = __ballot_sync(0xffffffff, open != 0)) {
  const int owner = __ffs(lanes) - 1, bit = __ffs(__shfl_sync(0xffffffff, open, owner)) - 1;
  if (lane == owner) stay |= 1u << bit;
  if (lane < words) open &= ~near[(owner * kWarp + bit) * words + lane];
}
for (int word = 0; word < words; ++word) {
  const unsigned bits = __shfl_sync(0xffffffff, stay, word);
  if (const int i = word * kWarp + lane; i < n) y[i] = bits >> lane & 1;
}
