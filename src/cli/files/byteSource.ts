import { type FileHandle, open } from 'node:fs/promises';

/** A file that cannot be used. The message names it, says what is wrong, and what would do. */
export class FileError extends Error {
  override name = 'FileError';
  readonly file: string;

  constructor(file: string, what: string, cause?: unknown) {
    super(`${file}: ${what}`, cause === undefined ? undefined : { cause });
    this.file = file;
  }
}

/** Bytes to be read piece by piece. */
export interface ByteSource {
  /** How messages call it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Fills `into` with the bytes from `position` on; throws FileError if there are not as many. */
  read(into: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file; throws FileError if there is none, or if it is not one that can be read from any place. */
export async function openFile(path: string): Promise<ByteSource> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw new FileError(path, reasonOf(cause), cause);
  }
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new FileError(path, 'is a folder; name a file in it.');
    if (!stats.isFile()) {
      throw new FileError(path, 'is not a regular file; save what it gives in one, and name that.');
    }
    return {
      name: path,
      size: stats.size,
      read: (into, position) => readFully(path, handle, into, position),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readFully(
  path: string,
  handle: FileHandle,
  into: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle
      .read(into, done, into.length - done, position + done)
      .catch((cause: unknown) => {
        throw new FileError(path, reasonOf(cause), cause);
      });
    if (bytesRead === 0) {
      throw new FileError(path, `ends at byte ${position + done}; it became shorter while it was read.`);
    }
    done += bytesRead;
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file.';
    case 'EACCES':
      return 'may not be read: permission is denied.';
    default:
      return message;
  }
}
