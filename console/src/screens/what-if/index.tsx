// What a deal would pay.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function WhatIf() {
  return (
    <Screen title="What if">
      <Empty title="What if" next="This screen is not there yet." />
    </Screen>
  );
}
