import native from '../../shaders/arithmetic/native.wgsl?raw';

/** How kernels add, multiply, divide and take exp: the WGSL functions that all others use for it. */
export interface Arithmetic {
  readonly name: 'native' | 'reproducible';
  readonly source: string;
  /** Whether an epilogue has been written in these functions alone. */
  covers(epilogue: string): boolean;
}

/** As the device does it. */
export const nativeArithmetic: Arithmetic = { name: 'native', source: native, covers: () => true };
