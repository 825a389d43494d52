// All calculations.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Runs() {
  return (
    <Screen title="Runs">
      <Empty title="Runs" next="This screen is not there yet." />
    </Screen>
  );
}
