import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import manifest from '../../package.json' with { type: 'json' };

const require = createRequire(import.meta.url);

/** What ran: this package and its revision, Node, Dawn, the platform. */
export function versions(): Record<string, string> {
  return {
    'webgpu-loss': manifest.version,
    revision: revision(),
    node: process.version,
    webgpu: (require('webgpu/package.json') as { version: string }).version,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** The git revision, with a `+` where files have changed since; where there is no git, what WEBGPU_LOSS_REVISION says. */
function revision(): string {
  const given = process.env['WEBGPU_LOSS_REVISION'];
  if (given) return given;
  try {
    return git('describe', '--always', '--dirty=+', '--exclude=*');
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
