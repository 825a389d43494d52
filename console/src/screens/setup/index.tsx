// The first user of a new server.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Setup() {
  return (
    <Screen title="Set up">
      <Empty title="Set up" next="This screen is not there yet." />
    </Screen>
  );
}
