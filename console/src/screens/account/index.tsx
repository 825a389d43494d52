// One's own password and tokens.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Account() {
  return (
    <Screen title="Account">
      <Empty title="Account" next="This screen is not there yet." />
    </Screen>
  );
}
