import { dawnInstance, messageOf } from './dawn.js';

/** An adapter as Dawn lists it. */
export interface ListedAdapter {
  readonly name: string;
  /** The API under WebGPU, such as vulkan, metal or d3d12. */
  readonly api: string;
}

/**
 * All adapters of this machine, in Dawn's order; none where this version of Dawn lists in other words, or not at all.
 *
 * WebGPU gives one adapter of all, but Dawn names them all where none has the name that is asked for.
 */
export async function listAdapters(flags: readonly string[] = []): Promise<readonly ListedAdapter[]> {
  const instance = await dawnInstance(['adapter=no adapter has this name', ...flags]);
  const message = await instance
    .requestAdapter({ powerPreference: 'high-performance' })
    .then(() => '', messageOf);
  const lines = [...message.matchAll(/\* backend: '([^']*)', name: '([^\n]*)'/g)];
  return lines.map(([, api = '', name = '']) => ({ name, api }));
}

/** The adapters, among those listed, that are meant by a part of their name in whatever case: the one with just this name, or all that contain it. Each name once. */
export function namesMeant(wanted: string, listed: readonly ListedAdapter[]): readonly string[] {
  const names = [...new Set(listed.map(({ name }) => name))];
  const sought = wanted.toLowerCase();
  // A name may be a part of another one: "RTX 3060", "RTX 3060 Ti".
  const exact = names.find((name) => name === wanted) ?? names.find((name) => name.toLowerCase() === sought);
  return exact === undefined ? names.filter((name) => name.toLowerCase().includes(sought)) : [exact];
}
