fn stat_shuffle(stat: Stat, distance: u32) -> Stat {
  let s = stat.softmax;
  return Stat(
    Softmax(subgroupShuffleXor(s.top, distance), subgroupShuffleXor(s.ties, distance), subgroupShuffleXor(s.rest, distance)),
    subgroupShuffleXor(stat.moment, distance),
  );
}
