fn stat_shuffle(stat: Stat, distance: u32) -> Stat {
  return Stat(
    subgroupShuffleXor(stat.first, distance),
    subgroupShuffleXor(stat.second, distance),
    subgroupShuffleXor(stat.first_met, distance),
    subgroupShuffleXor(stat.second_met, distance),
  );
}
