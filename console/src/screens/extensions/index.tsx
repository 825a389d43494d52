// What is installed and active at each point.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Extensions() {
  return (
    <Screen title="Extensions">
      <Empty title="Extensions" next="This screen is not there yet." />
    </Screen>
  );
}
