// Runs in the page: the comparison on the browser's own WebGPU, one case at a time, called from outside.
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { openPeerBench, type PeerBench, type PeerBenchOptions } from '../peerBench.js';

declare global {
  interface Window {
    openPeerBench(options: PeerBenchOptions): Promise<PeerBench>;
  }
}

window.openPeerBench = (options) => openPeerBench(options, { gpu: navigator.gpu, wasm });
