// Which backend computes, in words. Runs in pages and in workers.
import {
  type AdapterFacts,
  type Context,
  createContext,
  DeviceLostError,
  WebGpuUnavailableError,
} from 'webgpu-loss';

/** `'auto'`: hardware WebGPU if there is any, else the CPU. `'webgpu'`: software adapters too. */
export type Choice = 'auto' | 'webgpu' | 'cpu';

export const CHOICES: readonly Choice[] = ['auto', 'webgpu', 'cpu'];

/**
 * The choice in the query of an address: `?backend=webgpu`; without one `'auto'`.
 *
 * @throws RangeError for a backend that does not exist
 */
export function readChoice(search: string): Choice {
  const asked = new URLSearchParams(search).get('backend') ?? 'auto';
  const choice = CHOICES.find((known) => known === asked);
  if (choice === undefined) {
    throw new RangeError(
      `There is no backend "${asked}". Use ?backend=auto, webgpu or cpu; this page now runs as with auto.`,
    );
  }
  return choice;
}

export interface Opened {
  readonly context: Context;
  /** What computes and why, in a sentence for people. */
  readonly said: string;
}

/** Opens a context. Where WebGPU is asked for and there is none, the CPU computes, and `said` tells why. */
export async function openContext(choice: Choice): Promise<Opened> {
  if (choice === 'cpu') {
    return { context: await createContext({ backend: 'cpu' }), said: 'The CPU computes, as was asked for.' };
  }
  try {
    const context = await createContext({ backend: choice });
    const said =
      context.backend === 'webgpu'
        ? `WebGPU computes, on ${nameOfAdapter(context.info)}${context.info.isFallbackAdapter ? ', a software adapter' : ''}.`
        : `${await whyNoHardware()}, so the CPU computes.`;
    return { context, said };
  } catch (error) {
    if (!(error instanceof WebGpuUnavailableError)) throw error;
    return {
      context: await createContext({ backend: 'cpu' }),
      said: `${await whyNoHardware()}, so the CPU computes.`,
    };
  }
}

/** What an adapter calls itself; browsers keep some of it back. */
export function nameOfAdapter({ description, device, vendor, architecture }: AdapterFacts): string {
  return description || device || `${vendor} ${architecture}`.trim() || 'an adapter without a name';
}

/** The beginning of a sentence. */
async function whyNoHardware(): Promise<string> {
  if (!navigator.gpu) return 'This browser has no WebGPU here';
  const adapter = await navigator.gpu
    .requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (adapter === null) return 'WebGPU finds no adapter in this machine';
  if (adapter.info.isFallbackAdapter)
    return 'WebGPU has only a software adapter here, which is slower than the CPU backend';
  return 'WebGPU gave no device';
}

/** Losses of the device after which no other is tried: what is lost so often will be lost again. */
const MOST_LOSSES = 3;

/** A context that lasts: another takes its place when its device is lost. */
export interface LastingContext {
  /** The one to use now. */
  current(): Promise<Context>;
  /** Does some work, again if the device is lost meanwhile: the work must make all its tensors itself. */
  use<T>(work: (context: Context) => Promise<T>): Promise<T>;
}

/**
 * Opens a context, and another one, or at last the CPU, whenever its device is lost.
 *
 * @param onOpen told of each context, and of what to say about it: of a loss, too
 */
export function lastingContext(
  choice: Choice,
  onOpen: (said: string, context: Context) => void,
): LastingContext {
  let losses = 0;
  const open = async (lost?: DeviceLostError): Promise<Context> => {
    const { context, said } =
      losses < MOST_LOSSES
        ? await openContext(choice)
        : {
            context: await createContext({ backend: 'cpu' }),
            said: `It was lost ${losses} times, so the CPU computes.`,
          };
    void context.lost.then((error) => {
      losses++;
      opened = open(error);
      // Who uses it next is told.
      opened.catch(() => undefined);
    });
    onOpen(
      lost === undefined ? said : `The GPU device was lost, and another context was opened. ${said}`,
      context,
    );
    return context;
  };
  let opened = open();
  return {
    current: () => opened,
    async use(work) {
      for (;;) {
        const context = await opened;
        try {
          return await work(context);
        } catch (error) {
          if (!(error instanceof DeviceLostError)) throw error;
          // The next one is being opened when this is told.
          await context.lost;
        }
      }
    },
  };
}
