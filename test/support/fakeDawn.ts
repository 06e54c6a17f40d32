// Dawn for Node on a machine that is made up: this one may have one adapter or none. For `vi.mock('webgpu', fakeDawn)`.

export interface FakeAdapter {
  readonly name: string;
  readonly api?: string;
  readonly software?: boolean;
}

/** Dawn as `dawn.node` binds it, up to what the library asks of it. */
export class FakeDawn {
  /** Of the machine, in Dawn's order. */
  adapters: readonly FakeAdapter[] = [];
  /** How it lists them; undefined: as Dawn does. */
  listing: string | undefined;

  /** What stands for the package `webgpu`. */
  readonly module = {
    create: (flags: readonly string[]) => {
      const wanted = flags.find((flag) => flag.startsWith('adapter='))?.slice('adapter='.length) ?? '';
      return { requestAdapter: async () => this.#request(wanted) };
    },
    globals: {},
  };

  /** The first adapter whose name contains `wanted`, letter by letter; null where the machine has none at all. */
  #request(wanted: string): GPUAdapter | null {
    const { adapters } = this;
    if (adapters.length === 0) return null;
    const found = adapters.find(({ name }) => name.includes(wanted));
    if (found !== undefined) return adapterOf(found);
    const lines = adapters.map(({ name, api = 'vulkan' }) => `\n * backend: '${api}', name: '${name}'`);
    throw new Error(this.listing ?? `no suitable backends found\nAvailable adapters:${lines.join('')}`);
  }
}

function adapterOf({ name, software = false }: FakeAdapter): GPUAdapter {
  const info = {
    device: name,
    isFallbackAdapter: software,
    vendor: 'v',
    architecture: '',
    description: `driver of ${name}`,
  };
  return { info, features: new Set(['subgroups']), limits: {} } as unknown as GPUAdapter;
}
