// Makes the pictures of the README in docs/images from the demo company, with the environment of run.mjs. To add one: a line in the list.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Stage } from "./stage.mjs";

const IMAGES = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const DESKTOP = { width: 1280, height: 800, scale: 1.5 };
const PHONE = { width: 390, height: 844, scale: 2 };

const FORMULA = "spif-automation";
/** A change that pays some more, for the formula editor to show its cost. */
const CHANGED = "\n+ if to_date > 0 && to_date < settings.hurdle { 250 } else { 0 }";

const pictures = [
  { file: "seller-home-phone", persona: "ana", look: PHONE, show: (visitor) => visitor.go("/home") },
  { file: "seller-home", persona: "ana", look: DESKTOP, show: (visitor) => visitor.go("/home") },
  {
    file: "statement-trace",
    persona: "ana",
    look: DESKTOP,
    async show(visitor) {
      const { payee_id, current_period: period } = await visitor.api("/session");
      const { components } = await visitor.api(`/payees/${payee_id}/periods/${period}/statement`);
      const line = components.find((one) => one.quota !== null) ?? components[0];
      await visitor.go(`/statements/${period}?line=${line.line}`);
      await visitor.page.getByRole("tree").first().waitFor();
    },
  },
  {
    file: "what-if",
    persona: "ana",
    look: DESKTOP,
    async show(visitor) {
      await visitor.go("/what-if");
      await visitor.button("Add a deal").click();
      await visitor.page.getByLabel("Amount of deal 1").fill("480000");
      await visitor.page.waitForURL(/deals=/);
      await visitor.settled();
    },
  },
  {
    file: "formula-editor",
    persona: "cora",
    look: { ...DESKTOP, width: 1440, height: 900 },
    async show(visitor) {
      const { current_period: period } = await visitor.api("/session");
      await visitor.go(`/formulas/${FORMULA}`);
      const textbox = visitor.page.getByRole("textbox", { name: `Text of ${FORMULA}` });
      await textbox.click();
      await visitor.page.keyboard.press("Control+End");
      const [answer] = await Promise.all([
        visitor.page.waitForResponse((response) => response.url().includes("/impact") && (response.request().postData() ?? "").includes("to_date < settings.hurdle") && response.ok()),
        visitor.page.keyboard.insertText(CHANGED),
      ]);
      if (!(await answer.json()).complete) throw new Error(`the changed formula does not calculate in ${period}`);
      await visitor.page.getByRole("table", { name: /^Largest changes/ }).waitFor();
      await visitor.page.getByText(/^all \d+ green$/).waitFor();
      await visitor.settled();
    },
  },
  {
    file: "runs",
    persona: "cora",
    look: DESKTOP,
    async show(visitor) {
      const [run] = (await visitor.api("/runs?limit=1")).items;
      await visitor.go(`/runs/${run.run_id}`);
    },
  },
  { file: "team", persona: "mia", look: DESKTOP, show: (visitor) => visitor.go("/team") },
];

mkdirSync(IMAGES, { recursive: true });
const stage = await Stage.open();
try {
  for (const picture of pictures) {
    const visitor = await stage.signedIn(picture.persona, picture.look);
    await picture.show(visitor);
    await visitor.expectQuiet(picture.file);
    const path = `${IMAGES}${picture.file}.png`;
    await visitor.page.screenshot({ path, animations: "disabled" });
    console.log(`docs/images/${picture.file}.png`);
    await visitor.close();
  }
} finally {
  await stage.close();
}
