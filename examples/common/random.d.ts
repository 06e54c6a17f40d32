export declare function seededRandom(seed: number): () => number;
export declare function normals(random: () => number, count: number): Float32Array<ArrayBuffer>;
