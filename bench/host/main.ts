// What a step costs the host: `npm run bench:host -- --help`.
import { createContext } from 'webgpu-loss';
import { openGpu } from '../../scripts/adapters.js';
import { timeCalls } from './calls.js';
import { hostCases } from './cases.js';
import { timeEncode } from './encode.js';
import { HELP, parseOptions } from './options.js';
import { appendRows, type HostRow, printRows, type Setting } from './report.js';

const options = parseOptions(process.argv.slice(2));
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const { gpu, why } = await openGpu({ adapter: options.adapter });
// An adapter that was named is there, or the call has thrown.
const adapter = (await gpu?.requestAdapter()) as GPUAdapter;
// With the limits that WebGPU guarantees: an adapter that allows more would bind in one what is to be bound in chunks.
const device = await adapter.requestDevice({
  requiredFeatures: [...adapter.features].filter((feature) => feature === 'subgroups') as GPUFeatureName[],
});
const context = await createContext({ device });
console.log(why);
const setting: Setting = {
  adapter: context.info.description,
  node: process.version,
  date: new Date().toISOString(),
};
const rows: HostRow[] = [];
for (const { name, call } of hostCases().filter(({ name }) => name.includes(options.only))) {
  rows.push({ ...setting, kind: 'encode', name, ...(await timeEncode(context, call, options.time)) });
}
for (const figures of await timeCalls(context, options.only, options.time)) {
  rows.push({ ...setting, kind: 'call', ...figures });
}
if (rows.length === 0) throw new Error(`no case has '${options.only}' in its name`);
printRows(rows);
if (options.out !== undefined) appendRows(options.out, rows);
context.destroy();
device.destroy();
