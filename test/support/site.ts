// A folder of files, served from this machine.
import { type PreviewOptions, preview } from 'vite';

export interface Site {
  /** Ends in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `folder` as it is on a free port of 127.0.0.1. A file that is not there gets a 404, not the page. */
export async function serve(
  folder: string,
  { headers }: Pick<PreviewOptions, 'headers'> = {},
): Promise<Site> {
  const server = await preview({
    configFile: false,
    root: folder,
    appType: 'mpa',
    logLevel: 'error', // It warns of every folder that is served as it is.
    build: { outDir: folder },
    preview: { host: '127.0.0.1', port: 0, strictPort: false, ...(headers && { headers }) },
  });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) {
    await server.close();
    throw new Error(`the server of ${folder} has no address`);
  }
  return { url, close: () => server.close() };
}
