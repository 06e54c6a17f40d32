// An array of a file, whatever the format.
import { type ByteSource, FileError, openFile } from './byteSource.js';
import { NPY_MAGIC, readNpy } from './npy.js';
import { readSafetensors } from './safetensors.js';
import { type StoredArray, storedBytes } from './stored.js';

/** Where an array is: a file and, if it holds several, a name in it. */
export interface Place {
  readonly path: string;
  readonly tensor?: string | undefined;
}

/** `file.safetensors:name` names a tensor; everything else is the name of a file. */
export function placeOf(text: string): Place {
  const match = /^(.+\.safetensors):(.+)$/i.exec(text);
  return match ? { path: match[1] as string, tensor: match[2] as string } : { path: text };
}

/** An array to be read piece by piece. */
export interface ArrayFile extends Pick<StoredArray, 'dtype' | 'shape'> {
  /** How messages call it. */
  readonly name: string;
  /** Fills `into` with the bytes of the elements from `first` on. */
  read(into: Uint8Array, first: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an array of an .npy or a safetensors file. Nothing but its header is read before it is asked for.
 *
 * @param usual what the tensor is called where a safetensors file holds several and `place` names none
 * @throws FileError
 */
export async function openArray(place: Place, usual: string): Promise<ArrayFile> {
  const file = await openFile(place.path);
  try {
    const { dtype, shape, offset } = await readFormat(file, place, usual);
    return {
      name: place.tensor === undefined ? place.path : `${place.path}:${place.tensor}`,
      dtype,
      shape,
      read: (into, first) => file.read(into, offset + first * storedBytes(dtype)),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Other formats that such data comes in, by their first bytes. */
const OTHERS: readonly { readonly magic: readonly number[]; readonly what: string }[] = [
  {
    magic: [0x50, 0x4b],
    what: 'is a zip archive, such as .npz and .pt of PyTorch; save each array by itself with np.save, or as safetensors.',
  },
  { magic: [0x80], what: 'is pickled; save the array with np.save, or as safetensors.' },
  { magic: [0x1f, 0x8b], what: 'is compressed with gzip; unpack it first.' },
  {
    magic: [0x89, 0x48, 0x44, 0x46],
    what: 'is an HDF5 file; save the array with np.save, or as safetensors.',
  },
];

async function readFormat(file: ByteSource, { path, tensor }: Place, usual: string): Promise<StoredArray> {
  if (file.size === 0) throw new FileError(file.name, 'is empty.');
  const head = new Uint8Array(Math.min(file.size, 9));
  await file.read(head, 0);
  const begins = (magic: readonly number[]): boolean => magic.every((byte, i) => head[i] === byte);
  if (begins(NPY_MAGIC)) {
    if (tensor === undefined) return readNpy(file);
    throw new FileError(file.name, `is an .npy file with one array; leave the name "${tensor}" out.`);
  }
  // Behind the length of a header begins its JSON.
  const opens = head[8] === '{'.charCodeAt(0);
  if (opens || /\.safetensors$/i.test(path)) return readSafetensors(file, tensor, usual);
  const other = OTHERS.find(({ magic }) => begins(magic));
  if (other !== undefined) throw new FileError(file.name, other.what);
  if (/\.npy$/i.test(path)) return readNpy(file);
  throw new FileError(file.name, 'is neither an .npy nor a safetensors file.');
}
