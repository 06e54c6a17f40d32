// Which WebGPU adapter the example and the tests run on.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WebGpuUnavailableError } from '../src/errors.js';
import { gpu } from '../src/node.js';
import { useSwiftShader, whyNoSwiftShader } from './swiftshader.js';

export interface OpenedGpu {
  /** `null`: no adapter; the CPU backend is left. */
  readonly gpu: GPU | null;
  readonly kind: 'hardware' | 'software' | 'none';
  /** Which adapter was taken and why, in a sentence for the user. */
  readonly why: string;
}

/** What a user may ask for: `'auto'`, `'hardware'`, `'swiftshader'`, `'lavapipe'`, or a part of an adapter's name. */
export type AdapterChoice = 'auto' | 'hardware' | 'swiftshader' | 'lavapipe' | (string & {});

export interface OpenOptions {
  readonly adapter?: AdapterChoice;
  /** Further flags for Dawn. */
  readonly flags?: readonly string[];
}

/**
 * A `GPU` to make contexts from, with `backend: 'webgpu'`.
 *
 * `'auto'` takes hardware if there is any, else the SwiftShader that came with npm, else none (`gpu: null`).
 * Every other choice rejects with `WebGpuUnavailableError` if it is not there.
 */
export async function openGpu(options: OpenOptions = {}): Promise<OpenedGpu> {
  const { adapter = 'auto', flags = [] } = options;
  switch (adapter) {
    case 'auto':
      return openBest(flags);
    case 'swiftshader': {
      const absent = await whyNoSwiftShader();
      if (absent !== undefined) {
        throw new WebGpuUnavailableError(`There is no SwiftShader: ${absent}.`);
      }
      return openSwiftShader('it was asked for', flags);
    }
    default:
      return openNamed(adapter, flags);
  }
}

async function openBest(flags: readonly string[]): Promise<OpenedGpu> {
  const probe = await probeAdapter();
  if (probe.found && !probe.found.software) {
    return {
      gpu: await gpu({ flags }),
      kind: 'hardware',
      why: `${probe.found.name}: the best adapter of this machine.`,
    };
  }
  const noHardware = probe.found
    ? `the machine has no hardware adapter, only ${probe.found.name}`
    : `the machine has no adapter${probe.failure ? ` (${probe.failure})` : ''}`;
  const absent = await whyNoSwiftShader();
  if (absent !== undefined) {
    return { gpu: null, kind: 'none', why: `No WebGPU: ${noHardware}, and ${absent}.` };
  }
  try {
    return await openSwiftShader(noHardware, flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      gpu: null,
      kind: 'none',
      why: `No WebGPU: ${noHardware}, and SwiftShader did not start: ${reason}`,
    };
  }
}

async function openSwiftShader(reason: string, flags: readonly string[]): Promise<OpenedGpu> {
  await useSwiftShader();
  const opened = gpu({ adapter: 'swiftshader', flags });
  return {
    gpu: await opened,
    kind: 'software',
    why: `${await nameOf(opened)}, from npm, which computes on the processor: ${reason}.`,
  };
}

async function openNamed(adapter: string, flags: readonly string[]): Promise<OpenedGpu> {
  const opened = await gpu({ adapter, flags });
  const info = await infoOf(opened);
  return {
    gpu: opened,
    kind: info?.isFallbackAdapter ? 'software' : 'hardware',
    why: `${info?.description || info?.device}: '${adapter}' was asked for.`,
  };
}

async function infoOf(opened: GPU): Promise<GPUAdapterInfo | undefined> {
  return (await opened.requestAdapter({ powerPreference: 'high-performance' }))?.info;
}

async function nameOf(opened: GPU | Promise<GPU>): Promise<string> {
  const info = await infoOf(await opened);
  return info?.description || info?.device || 'an adapter without a name';
}

export interface Probe {
  readonly found?: { readonly software: boolean; readonly name: string };
  /** Why the probe itself failed, where it did. */
  readonly failure?: string;
}

/**
 * The first adapter of this machine, looked at from a process of its own: a driver that crashes takes only that one down,
 * what drivers print stays there, and this process is free to load SwiftShader alone.
 */
export async function probeAdapter(): Promise<Probe> {
  const script = fileURLToPath(new URL('./probe.ts', import.meta.url));
  const options = { cwd: fileURLToPath(new URL('..', import.meta.url)), timeout: 60_000 };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], options);
    return { found: JSON.parse(stdout) ?? undefined };
  } catch (error) {
    const { signal, stderr = '', message } = error as Error & { signal?: string; stderr?: string };
    const reason = /Error: (.*)/.exec(stderr)?.[1] ?? message;
    return { failure: signal ? `the probe ended with ${signal}` : reason };
  }
}
