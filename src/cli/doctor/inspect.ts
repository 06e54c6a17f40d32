// Looks at WebGPU in a process of its own, whose parent is told: a driver that crashes takes only this one down, and what drivers print
// stays here. The one argument is the adapter that is wanted: auto, or what `gpu({ adapter })` takes.
import { createContext } from '../../context.js';
import { messageOf } from '../../node/dawn.js';
import { gpu } from '../../node.js';
import { adapterName } from '../context.js';
import { bestOf, type FoundAdapter, findAdapters } from './adapters.js';
import { type Finding, selfTest } from './selfTest.js';

/** What was found. */
export interface Inspection {
  readonly adapters: readonly FoundAdapter[];
  /** The adapter that was tested; undefined where there is none. */
  readonly tested?: { readonly name: string; readonly findings: readonly Finding[] } | undefined;
  /** What went wrong, if something did. */
  readonly problem?: string | undefined;
}

async function inspect(wanted: string): Promise<Inspection> {
  let adapters: readonly FoundAdapter[] = [];
  try {
    adapters = await findAdapters();
    const name = wanted === 'auto' ? bestOf(adapters) : wanted;
    if (name === undefined) return { adapters };
    const context = await createContext({ backend: 'webgpu', gpu: await gpu({ adapter: name }) });
    try {
      return { adapters, tested: { name: adapterName(context.info), findings: await selfTest(context) } };
    } finally {
      context.destroy();
    }
  } catch (error) {
    return { adapters, problem: messageOf(error) };
  }
}

const report = await inspect(process.argv[2] ?? 'auto');
// A driver may fail while it is taken down; the answer is out by then.
process.send?.(report, () => process.exit(0));
