// What runs by the clock.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Schedules() {
  return (
    <Screen title="Schedules">
      <Empty title="Schedules" next="This screen is not there yet." />
    </Screen>
  );
}
