// The audit trail.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Audit() {
  return (
    <Screen title="Audit">
      <Empty title="Audit" next="This screen is not there yet." />
    </Screen>
  );
}
