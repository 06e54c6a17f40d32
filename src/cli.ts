#!/usr/bin/env node
// The command line of the package: npx webgpu-loss eval, npx webgpu-loss doctor.
import { OptionError, runProgram } from './cli/arguments.js';
import { packageVersion } from './cli/version.js';

const HELP = `Usage: npx webgpu-loss COMMAND

  eval LOGITS TARGETS   scores logits in .npy or safetensors files: loss, perplexity, accuracy, calibration
  doctor                what WebGPU this machine has, whether it computes right, and what to install

  COMMAND --help lists the options of a command; --version prints the version.
`;

const [command, ...args] = process.argv.slice(2);
const help =
  command === 'eval' || command === 'doctor' ? `npx webgpu-loss ${command} --help` : 'npx webgpu-loss --help';

// What cannot be written is no success, though console.log takes it for one. Who reads no further, as `head`, has what they want.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return;
  console.error(`error: the results cannot be written: ${message}`);
  process.exitCode = 1;
});

await runProgram(help, async () => {
  switch (command) {
    case 'eval':
      return (await import('./cli/eval/main.js')).evaluate(args);
    case 'doctor':
      return (await import('./cli/doctor/main.js')).doctor(args);
    case '--version':
      console.log(packageVersion());
      return;
    case '--help':
    case '-h':
      console.log(HELP);
      return;
    case undefined:
      throw new OptionError('a command is missing: eval or doctor');
    default:
      throw new OptionError(`there is no command "${command}"; there are eval and doctor`);
  }
});
