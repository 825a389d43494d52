// All questions one may see.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Questions() {
  return (
    <Screen title="Questions">
      <Empty title="Questions" next="This screen is not there yet." />
    </Screen>
  );
}
