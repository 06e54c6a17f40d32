// `node --import tsx --import ./scripts/software.ts PROGRAM` runs a program that asks for WebGPU on SwiftShader, which comes with npm.
import { useSwiftShader } from './swiftshader.js';

await useSwiftShader();
