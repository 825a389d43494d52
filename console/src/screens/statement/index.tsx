// One statement.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Statement() {
  return (
    <Screen title="Statement">
      <Empty title="Statement" next="This screen is not there yet." />
    </Screen>
  );
}
