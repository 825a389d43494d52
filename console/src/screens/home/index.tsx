// The seller's own page.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Home() {
  return (
    <Screen title="My earnings">
      <Empty title="My earnings" next="This screen is not there yet." />
    </Screen>
  );
}
