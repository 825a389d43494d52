// Attainment of a manager's reports.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Team() {
  return (
    <Screen title="Team">
      <Empty title="Team" next="This screen is not there yet." />
    </Screen>
  );
}
