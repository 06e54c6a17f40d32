// A target: somewhere to run the conformance checks, one by one, by name.
import type { LedgerEntry } from '../support/ledger.js';
import type { TargetName } from './names.js';

export interface Target {
  /** What it runs on, for the report. */
  readonly adapter: string;
  /** The features of the device. */
  readonly features: readonly string[];
  /** The names of the checks, in order. */
  readonly checks: readonly string[];
  /** Runs one check; rejects if it fails. */
  run(check: string): Promise<void>;
  /** Worst error / bound of each quantity so far. */
  ledger(): Promise<readonly LedgerEntry[]>;
  close(): Promise<void>;
}

/** A target that this machine does not have. */
export interface MissingTarget {
  /** Why, and what to install. */
  readonly missing: string;
}

/** Opens the target `name`, or says why this machine does not have it. Rejects if it is there but does not work. */
export async function openTarget(name: TargetName): Promise<Target | MissingTarget> {
  if (name === 'chromium') {
    const { openChromium } = await import('./chromium.js');
    return openChromium();
  }
  const { openInProcess } = await import('./in-process.js');
  return openInProcess(name);
}
