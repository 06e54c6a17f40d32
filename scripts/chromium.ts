// A headless Chromium with WebGPU for the tests: the one from the npm package @sparticuz/chromium, or an installed one.
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { packedChromium, unpackOnce, unpackProgram, unpackTar } from './unpack.js';

/** A Chromium or Chrome to start, and the environment variables that it needs. */
export interface ChromiumProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The browser to use: the one that `CHROME_PATH` names, else the one from npm, unpacked if need be (4 s, 210 MB).
 * Throws an `Error` that says what to do where there is neither.
 */
export async function findChromium(): Promise<ChromiumProgram> {
  const chosen = process.env['CHROME_PATH'];
  if (chosen) {
    try {
      await access(chosen, constants.X_OK);
    } catch (cause) {
      throw new Error(`CHROME_PATH is ${chosen}, which is not a program that can be run`, { cause });
    }
    return { path: chosen, env: {} };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `the Chromium from npm is for Linux on x64, this is ${process.platform} on ${process.arch}; set CHROME_PATH to an installed Chrome`,
    );
  }
  const packed = await packedChromium();
  if (packed === undefined) {
    throw new Error(
      'the package @sparticuz/chromium is not installed; run npm ci, or set CHROME_PATH to a Chrome',
    );
  }
  const folder = await unpackOnce(`chromium-${packed.version}`, async (part) => {
    // SwiftShader lies next to the program, where Chromium looks for it; `lib` holds what a bare system lacks.
    for (const archive of ['swiftshader', 'al2023', 'fonts']) {
      await unpackTar(join(packed.bin, `${archive}.tar.br`), part);
    }
    // The file that comes along names folders of another system.
    await writeFile(
      join(part, 'fonts.conf'),
      '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n' +
        '<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n',
    );
    await unpackProgram(join(packed.bin, 'chromium.br'), join(part, 'chromium'));
  });
  return {
    path: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_PATH: folder },
  };
}

export interface RunningChromium {
  readonly browser: Browser;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** Starts a headless Chromium whose WebGPU runs on SwiftShader, with a profile of its own and no word to any server. */
export async function launchChromium(program?: ChromiumProgram): Promise<RunningChromium> {
  const { path, env } = program ?? (await findChromium());
  const home = await mkdtemp(join(tmpdir(), 'webgpu-loss-chromium-'));
  const removeHome = () => rm(home, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await puppeteer.launch({
      executablePath: path,
      headless: 'shell',
      userDataDir: join(home, 'profile'),
      protocolTimeout: 300_000, // Some checks compile dozens of kernels.
      env: { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), ...env },
      args: [
        '--no-sandbox', // Chromium's sandbox does not work as root, nor in most containers.
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--disable-dev-shm-usage', // Containers often have a /dev/shm of 64 MB.
        // Everything below keeps it from calling home.
        '--no-first-run',
        '--no-default-browser-check',
        '--no-pings',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-default-apps',
        '--disable-domain-reliability',
        '--disable-extensions',
        '--disable-quic',
        '--disable-sync',
        '--metrics-recording-only',
        // Whatever is left resolves to nothing: only this machine is reachable.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      ],
    });
    return {
      browser,
      close: async () => {
        await browser.close();
        await removeHome();
      },
    };
  } catch (error) {
    await removeHome();
    throw error;
  }
}
