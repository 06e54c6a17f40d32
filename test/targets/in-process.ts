// The targets that run in this process: the CPU backend, and Dawn on one adapter.
import { type AdapterChoice, openGpu } from '../../scripts/adapters.js';
import { WebGpuUnavailableError } from '../../src/errors.js';
import { type Context, type ContextOptions, createContext } from '../../src/index.js';
import { loadGolden } from '../support/goldenFiles.js';
import type { TargetName } from './names.js';
import { runChecks } from './run.js';
import type { MissingTarget, Target } from './target.js';
import { withoutSubgroups } from './without-subgroups.js';

const installHints: Partial<Record<TargetName, string>> = {
  swiftshader: 'run `npm ci`',
  lavapipe: 'install Mesa 25 or newer (Debian 12: mesa-vulkan-drivers from bookworm-backports)',
};

export async function openInProcess(name: Exclude<TargetName, 'chromium'>): Promise<Target | MissingTarget> {
  const golden = loadGolden();
  if (name === 'cpu') {
    return runChecks({
      target: name,
      golden,
      createContext: (options) => createContext({ backend: 'cpu', ...options }),
    });
  }
  const adapter = name.replace('-no-subgroups', '') as AdapterChoice & TargetName;
  let gpu: GPU;
  try {
    // Only 'auto' gives no GPU without throwing.
    gpu = (await openGpu({ adapter })).gpu as GPU;
  } catch (error) {
    if (!(error instanceof WebGpuUnavailableError)) {
      throw error;
    }
    const reason = error.message.replace(/^gpu: /, '').replace(/\.$/, '');
    return { missing: [reason, installHints[adapter]].filter(Boolean).join('; ') };
  }
  const seen = name.endsWith('-no-subgroups') ? withoutSubgroups(gpu) : gpu;
  return runChecks({
    target: name,
    golden,
    createContext: (options: ContextOptions = {}): Promise<Context> =>
      createContext({ backend: 'webgpu', gpu: seen, ...options }),
  });
}
