// Runs the built command line in a process of its own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));
export const program: string = join(root, 'dist/cli.js');

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Flags of Node. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly program?: string;
}

/** `npx webgpu-loss …args`, without npx. */
export function cli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  if (!existsSync(program)) throw new Error('there is no build: run `npm run build`');
  const { flags = [], env = {}, cwd = root } = options;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, options.program ?? program, ...args],
      { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 24 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** Flags of Node that make SwiftShader, from npm, the one Vulkan driver of the process and of those it starts. */
export const onSwiftShader: readonly string[] = [
  '--import',
  pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href,
  '--import',
  new URL('./swiftshader.ts', import.meta.url).href,
];
