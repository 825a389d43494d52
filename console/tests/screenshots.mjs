// The pictures of the documentation, taken from the running server of `ATTAIN_URL` into `ATTAIN_IMAGES`. To add one: a line in PICTURES.

import { join } from "node:path";
import { chromium } from "playwright-core";

const PICTURES = [
  { name: "home-phone", persona: "seller", path: "/home", width: 390, height: 844, scheme: "light" },
  { name: "home", persona: "seller", path: "/home", width: 1280, height: 860, scheme: "light" },
  { name: "statement", persona: "seller", path: "/statements/{period}?line=2", width: 1280, height: 860, scheme: "light" },
  { name: "what-if", persona: "seller", path: "/what-if?deals=d~250000~{day}", width: 1280, height: 860, scheme: "dark" },
  { name: "team", persona: "manager", path: "/team", width: 1280, height: 860, scheme: "light" },
];

const url = process.env.ATTAIN_URL?.replace(/\/$/, "");
const links = JSON.parse(process.env.ATTAIN_LINKS ?? "{}");
const images = process.env.ATTAIN_IMAGES;
if (!url || !images) throw new Error("set `ATTAIN_URL`, `ATTAIN_LINKS` and `ATTAIN_IMAGES`");

const browser = await chromium.launch({
  executablePath: process.env.ATTAIN_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const sessions = new Map();
for (const picture of PICTURES) {
  const context = await browser.newContext({
    viewport: { width: picture.width, height: picture.height },
    colorScheme: picture.scheme,
    deviceScaleFactor: 2,
    locale: "en-US",
    reducedMotion: "reduce",
    storageState: sessions.get(picture.persona),
  });
  const page = await context.newPage();
  if (!sessions.has(picture.persona)) {
    const { pathname, hash } = new URL(links[picture.persona]);
    await page.goto(url + pathname + hash);
    await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
    sessions.set(picture.persona, await context.storageState());
  }
  const session = await (await context.request.get(`${url}/api/v1/session`)).json();
  const day = session.periods.find((period) => period.period_id === session.current_period)?.from ?? session.today;
  await page.goto(url + picture.path.replace("{period}", session.current_period).replace("{day}", day));
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector('[role="status"][aria-label^="Loading"], [aria-busy="true"]') === null);
  await page.waitForLoadState("load");
  await page.evaluate(() => document.activeElement?.blur?.());
  await page.screenshot({ path: join(images, `${picture.name}.png`) });
  await context.close();
}
await browser.close();
console.log(`screenshots: ${PICTURES.length} pictures in ${images}`);
