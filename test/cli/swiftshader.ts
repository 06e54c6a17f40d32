// Loaded before a program: there is SwiftShader then, and no other Vulkan driver.
import { useSwiftShader } from '../../scripts/swiftshader.js';

await useSwiftShader();
