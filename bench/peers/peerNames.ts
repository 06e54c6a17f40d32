export const PEERS = ['tfjs', 'onnxruntime', 'jax-js'] as const;

export type PeerName = (typeof PEERS)[number];
