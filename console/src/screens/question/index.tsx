// One question and its answers.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Question() {
  return (
    <Screen title="Question">
      <Empty title="Question" next="This screen is not there yet." />
    </Screen>
  );
}
