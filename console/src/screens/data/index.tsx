// Entities as tables.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Data() {
  return (
    <Screen title="Data">
      <Empty title="Data" next="This screen is not there yet." />
    </Screen>
  );
}
