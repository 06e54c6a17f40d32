fn stat_shuffle(stat: Stat, distance: u32) -> Stat {
  return Stat(subgroupShuffleXor(stat.sum, distance), subgroupShuffleXor(stat.met, distance));
}
