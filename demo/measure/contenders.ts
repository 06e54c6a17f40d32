// Names of what is measured, in the rows and on the screen.
export const GPU = 'GPU';
export const CPU = 'CPU';
export const GPU_COPY = 'copy on the GPU';
export const CPU_COPY = 'copy on the CPU';

/** What each is compared with in bandwidth. */
export const COPY_OF: Readonly<Record<string, string>> = { [GPU]: GPU_COPY, [CPU]: CPU_COPY };
