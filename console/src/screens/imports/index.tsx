// Files brought in, with their row errors.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Imports() {
  return (
    <Screen title="Imports">
      <Empty title="Imports" next="This screen is not there yet." />
    </Screen>
  );
}
