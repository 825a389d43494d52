// One calculation.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Run() {
  return (
    <Screen title="Run">
      <Empty title="Run" next="This screen is not there yet." />
    </Screen>
  );
}
