import type { Page } from 'puppeteer-core';

/**
 * Collects what the page prints as an error, what it fails to catch, and every request that fails. A test that ends with some of them
 * has failed, whatever it saw on the page.
 */
export function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Not warnings: Chromium prints a shader's errors as such, even where the page captures them.
    if (message.type() === 'error') {
      complaints.push(`console.error: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) =>
    complaints.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`),
  );
  page.on('requestfailed', (request) =>
    complaints.push(`request failed: ${request.url()}: ${request.failure()?.errorText}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) {
      complaints.push(`request failed: ${response.url()}: status ${response.status()}`);
    }
  });
  return complaints;
}
