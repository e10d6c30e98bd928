import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { findChromium } from 'dialoglens/testing/live-stack';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const axeScript = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Starts Chromium without a window. Installs it where that is possible; throws what to install where it is not. */
export async function startChromium(args: string[] = []): Promise<Browser> {
  const executablePath = await findChromium();
  // Chromium's sandbox needs rights that containers do not give.
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...args] });
}

/** A tab in a browser profile of its own, which remembers what the page complained about. */
export interface Tab {
  page: Page;
  context: BrowserContext;
  /** Errors of scripts, refusals of the content security policy, requests to other origins. */
  complaints: string[];
  close(): Promise<void>;
}

export async function openTab(
  browser: Browser,
  baseURL: string,
  {
    allowedOrigins = [],
    ...options
  }: Parameters<Browser['newContext']>[0] & {
    /** Where it may go besides. */ allowedOrigins?: string[];
  } = {},
): Promise<Tab> {
  const context = await browser.newContext({ baseURL, ...options });
  const allowed = [baseURL, ...allowedOrigins].map((url) => new URL(url).host);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url());
    if (protocol !== 'blob:' && !allowed.includes(host)) complaints.push(`asked ${request.url()}`);
  });
  return { page, context, complaints, close: () => context.close() };
}

/** What axe finds wrong on the page as it stands, one line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Colours that are still on their way to those of another theme are no fault.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  // By the debugger and not as an element: the policy of the page lets no script in.
  await page.evaluate(await readFile(axeScript, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: AxeViolation[] }> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
    );
  });
}

interface AxeViolation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}
