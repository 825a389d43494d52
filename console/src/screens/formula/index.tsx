// One formula: its editor, cases, impact in money, history.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function FormulaEditor() {
  return (
    <Screen title="Formula">
      <Empty title="Formula" next="This screen is not there yet." />
    </Screen>
  );
}
