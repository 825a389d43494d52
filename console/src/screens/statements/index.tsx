// All statements of one payee.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Statements() {
  return (
    <Screen title="Statements">
      <Empty title="Statements" next="This screen is not there yet." />
    </Screen>
  );
}
