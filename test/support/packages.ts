// Tests that need packages of their own, from a folder with a package file and a lockfile (see `scripts/packages.ts`).
import { beforeAll, beforeEach } from 'vitest';
import { installTokenizer } from '../../examples/language-model/install.js';
import { installPackages } from '../../scripts/packages.js';
import { requiredTargets } from '../targets/names.js';

/**
 * Installs the packages before the tests of the file or group. Where that fails, as without a network, they are skipped and say why, or
 * fail if `WEBGPU_LOSS_REQUIRE` names anything: a run that may miss nothing.
 *
 * @param folder ends in a slash
 * @param what named in messages
 */
export function needPackages(
  folder: string,
  manifest: Parameters<typeof installPackages>[1],
  what: string,
): void {
  needInstalled(what, () => installPackages(folder, manifest, what));
}

/** The same for the tokenizer of the language model. */
export function needTokenizer(): void {
  needInstalled('the tokenizer', installTokenizer);
}

function needInstalled(what: string, install: () => void): void {
  let absent: string | undefined;
  beforeAll(() => {
    try {
      install();
    } catch (error) {
      absent = `${what} could not be installed: ${String(error)}`;
    }
  }, 600_000);
  beforeEach((context) => {
    if (absent === undefined) return;
    if (requiredTargets().size > 0) throw new Error(absent);
    context.skip(absent);
  });
}
