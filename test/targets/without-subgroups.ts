/**
 * The same `GPU`, but its adapters do not have the feature `subgroups`, nor can a device be made with it: what a browser
 * without subgroups shows.
 */
export function withoutSubgroups(gpu: GPU): GPU {
  return replace(gpu, {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options);
      if (adapter === null) {
        return null;
      }
      const features = new Set([...adapter.features].filter((feature) => feature !== 'subgroups'));
      return replace(adapter, {
        features,
        requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
          for (const feature of descriptor?.requiredFeatures ?? []) {
            if (!features.has(feature)) {
              throw new TypeError(`this adapter does not have the feature ${feature}`);
            }
          }
          return adapter.requestDevice(descriptor);
        },
      });
    },
  });
}

/** `target` with some members replaced; its own methods still get the native object they insist on. */
function replace<T extends object>(target: T, members: Partial<Record<keyof T, unknown>>): T {
  return new Proxy(target, {
    get(native, key) {
      if (Object.hasOwn(members, key)) {
        return members[key as keyof T];
      }
      const value: unknown = Reflect.get(native, key, native);
      return typeof value === 'function' ? value.bind(native) : value;
    },
  });
}
