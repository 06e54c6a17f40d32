fn stat_shuffle(stat: Stat, distance: u32) -> Stat {
  let s = stat.softmax;
  return Stat(
    Softmax(subgroupShuffleXor(s.top, distance), subgroupShuffleXor(s.ties, distance), subgroupShuffleXor(s.rest, distance)),
    subgroupShuffleXor(stat.mass, distance),
    subgroupShuffleXor(stat.gap, distance),
    subgroupShuffleXor(stat.mass_met, distance),
    subgroupShuffleXor(stat.gap_met, distance),
  );
}
