import { dawnInstance, messageOf } from './dawn.js';

/** An adapter as Dawn lists it. */
export interface ListedAdapter {
  readonly name: string;
  /** The API under WebGPU, such as vulkan, metal or d3d12. */
  readonly api: string;
}

/**
 * The adapters of this machine, in Dawn's order; none where this version of Dawn lists in other words, or not at all. Of those that have
 * the same name, such as one that is there through several APIs, the first, which is the one that Dawn takes.
 *
 * WebGPU gives one adapter of all, but Dawn names them all where none has the name that is asked for.
 */
export async function listAdapters(flags: readonly string[] = []): Promise<readonly ListedAdapter[]> {
  const instance = await dawnInstance(['adapter=no adapter has this name', ...flags]);
  const message = await instance
    .requestAdapter({ powerPreference: 'high-performance' })
    .then(() => '', messageOf);
  const lines = [...message.matchAll(/\* backend: '([^']*)', name: '([^\n]*)'/g)];
  const all = lines.map(([, api = '', name = '']) => ({ name, api }));
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
}

/** The adapters, among those listed, that are meant by a part of their name in whatever case: the one with just this name, or all that contain it. */
export function namesMeant(wanted: string, listed: readonly ListedAdapter[]): readonly string[] {
  const names = listed.map(({ name }) => name);
  const sought = wanted.toLowerCase();
  // A name may be a part of another one: "RTX 3060", "RTX 3060 Ti".
  const exact = names.find((name) => name === wanted) ?? names.find((name) => name.toLowerCase() === sought);
  return exact === undefined ? names.filter((name) => name.toLowerCase().includes(sought)) : [exact];
}
