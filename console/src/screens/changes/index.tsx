// What waits for a second person.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Changes() {
  return (
    <Screen title="Changes">
      <Empty title="Changes" next="This screen is not there yet." />
    </Screen>
  );
}
