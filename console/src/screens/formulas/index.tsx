// All formulas and what uses them.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Formulas() {
  return (
    <Screen title="Formulas">
      <Empty title="Formulas" next="This screen is not there yet." />
    </Screen>
  );
}
