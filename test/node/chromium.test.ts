import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ChromiumProgram, findChromium, launchChromium } from '../../scripts/chromium.js';

afterEach(() => vi.unstubAllEnvs());

const program: ChromiumProgram | undefined = await findChromium().catch(() => undefined);

describe('findChromium', () => {
  test('CHROME_PATH is taken at its word', async () => {
    vi.stubEnv('CHROME_PATH', process.execPath);
    expect(await findChromium()).toEqual({ path: process.execPath, env: {} });
  });

  test('a CHROME_PATH that is no program is refused', async () => {
    vi.stubEnv('CHROME_PATH', '/nonexistent/chrome');
    await expect(findChromium()).rejects.toThrow(/CHROME_PATH.*\/nonexistent\/chrome/);
  });
});

describe.runIf(program)('launchChromium', () => {
  test('reaches no other machine, and takes its profile away with it', async () => {
    // A temporary folder of its own, so that what is left there is left by this browser.
    const temporary = mkdtempSync(join(tmpdir(), 'webgpu-loss-test-'));
    vi.stubEnv('TMPDIR', temporary);
    try {
      const { browser, close } = await launchChromium(program);
      const process = browser.process();
      expect(readdirSync(temporary).some((name) => name.startsWith('webgpu-loss-chromium-'))).toBe(true);
      const page = await browser.newPage();
      await expect(page.goto('http://webgpu-loss.example/')).rejects.toThrow('ERR_NAME_NOT_RESOLVED');
      await close();
      expect(process?.exitCode === null && process.signalCode === null).toBe(false);
      expect(readdirSync(temporary).filter((name) => name.startsWith('webgpu-loss-chromium-'))).toEqual([]);
    } finally {
      rmSync(temporary, { recursive: true });
    }
  });

  test('a program that is no browser is an error, and leaves no profile', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'webgpu-loss-test-'));
    vi.stubEnv('TMPDIR', temporary);
    await expect(launchChromium({ path: '/bin/false', env: {} })).rejects.toThrow();
    expect(readdirSync(temporary)).toEqual([]);
    rmSync(temporary, { recursive: true });
    expect(existsSync(temporary)).toBe(false);
  });
});
