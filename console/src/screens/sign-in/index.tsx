// How a person signs in.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function SignIn() {
  return (
    <Screen title="Sign in">
      <Empty title="Sign in" next="This screen is not there yet." />
    </Screen>
  );
}
