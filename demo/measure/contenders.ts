// Names of what is measured, in the rows and on the screen. An adapter of WebGPU need not be a GPU.
export const GPU = 'WebGPU';
export const CPU = 'CPU';
export const GPU_COPY = 'copy by WebGPU';
export const CPU_COPY = 'copy by the CPU';

/** What each is compared with in bandwidth. */
export const COPY_OF: Readonly<Record<string, string>> = { [GPU]: GPU_COPY, [CPU]: CPU_COPY };
