// Writes what the first adapter of this machine is, as JSON: run in a process of its own by `probeAdapter`.
import { gpu } from '../src/node.js';

const adapter = await (await gpu()).requestAdapter({ powerPreference: 'high-performance' });
const info = adapter?.info;
process.stdout.write(
  JSON.stringify(info ? { software: info.isFallbackAdapter, name: info.description || info.device } : null),
  // A driver may fail while it is taken down; the answer is out by now.
  () => process.exit(0),
);
