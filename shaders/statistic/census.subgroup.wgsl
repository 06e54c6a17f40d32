fn stat_shuffle(stat: Stat, distance: u32) -> Stat {
  return Stat(
    subgroupShuffleXor(stat.kept, distance),
    subgroupShuffleXor(stat.weight, distance),
    subgroupShuffleXor(stat.met, distance),
    subgroupShuffleXor(stat.bad_row, distance),
    subgroupShuffleXor(stat.bad_value, distance),
  );
}
