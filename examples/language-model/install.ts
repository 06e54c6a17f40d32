// The tokenizer, which only this model needs.
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../scripts/packages.js';
import packages from './packages/package.json' with { type: 'json' };

/** Installs the tokenizer unless it is there. Throws where that fails, as without a network. */
export function installTokenizer(): void {
  installPackages(fileURLToPath(new URL('packages/', import.meta.url)), packages, 'the tokenizer (30 MB)');
}
