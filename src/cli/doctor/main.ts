import { createContext } from '../../context.js';
import { OptionError, readArguments } from '../arguments.js';
import { toJsonText } from '../json.js';
import { packageVersion } from '../version.js';
import { installedWebgpu } from './adapters.js';
import { inspectApart } from './child.js';
import type { Inspection } from './inspect.js';
import { type Diagnosis, formatReport, isHealthy, toJson } from './report.js';
import { type Finding, selfTest } from './selfTest.js';

export const HELP: string = `Tells what WebGPU this machine has, tests whether it and the CPU compute right, and says what to install.

Usage: npx webgpu-loss doctor [options]

  --adapter NAME   auto (default): tests the GPU, or else a software adapter, if there is any
                   hardware, swiftshader, lavapipe, or a part of an adapter's name: tests that one or fails
  --json           print one JSON object and nothing else
  -h, --help       print this

The exit code is 1 where a self-test fails. To have no GPU is no failure.
`;

const ARGUMENTS = {
  adapter: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `webgpu-loss doctor`: what it finds goes to stdout. Sets the exit code; throws OptionError. */
export async function doctor(args: readonly string[]): Promise<void> {
  const { values } = readArguments(args, ARGUMENTS);
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  const adapter = values.adapter ?? 'auto';
  if (adapter.trim() === '') throw new OptionError('--adapter must not be empty');
  const webgpu = installedWebgpu();
  const absent: Inspection = { adapters: [] };
  const diagnosis: Diagnosis = {
    version: packageVersion(),
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    webgpu,
    // Not to have the package is nothing wrong, unless an adapter was asked for.
    inspection: webgpu === undefined && adapter === 'auto' ? absent : await inspectApart(adapter),
    cpu: await testCpu(),
  };
  console.log(values.json === true ? toJsonText(toJson(diagnosis)) : formatReport(diagnosis));
  if (!isHealthy(diagnosis)) process.exitCode = 1;
}

async function testCpu(): Promise<readonly Finding[]> {
  const context = await createContext({ backend: 'cpu' });
  try {
    return await selfTest(context);
  } finally {
    context.destroy();
  }
}
