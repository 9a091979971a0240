import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

/** The browser asks nobody but the server of the test. */
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Nothing on the page takes so long, also on a slow machine. */
export const PATIENCE_SECONDS = 120;

/** Why the tests cannot run; false if they can. */
export const skip =
  !process.env["CI"] && !existsSync(CHROMIUM)
    ? "test/page/provide-chromium could not install chromium"
    : false;

/** A browser, and what went wrong on its pages. */
export interface Browser {
  readonly context: BrowserContext;
  /** Errors, messages of the console, and requests to elsewhere */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** Starts the browser with an empty profile. */
export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "ipvsadm-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: FLAGS.split(" "),
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(PATIENCE_SECONDS * 1000);
  const complaints: string[] = [];
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  context.on("weberror", (error) => {
    complaints.push(error.error().message);
  });
  context.on("request", (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:)/.test(request.url()))
      complaints.push(`a request to ${request.url()}`);
  });
  return {
    context,
    complaints,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, maxRetries: 20 });
    },
  };
}

/** Opens the page and waits for the first rows. */
export async function openPage(
  { context }: Browser,
  url: string,
  size = { width: 1440, height: 900 },
): Promise<Page> {
  const page = await context.newPage();
  await page.setViewportSize(size);
  await page.goto(url);
  await page.locator("#rows .row[data-key]").first().waitFor();
  return page;
}
