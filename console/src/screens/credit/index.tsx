// Who would get credit for a deal, and why others would not. The real rules answer; nothing is stored. The deal is in the address.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { useWrite } from "@/api/read";
import { useCurrency, useSession } from "@/api/session";
import type { CreditPreview, CreditPreviewAsked } from "@/api/settlement";
import { compare, money, percent, typed } from "@/money";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { SelectField, TextField } from "@/parts/Field";
import { Money } from "@/parts/Money";
import { PayeeField } from "@/parts/PayeeField";
import { Screen } from "@/parts/Screen";
import { Empty, FormProblem, Loading } from "@/parts/states";
import { useAllSearch, useChangeSearch } from "@/url";
import { plain, showPeriod } from "@/words";
import { nearestFirst, pathWords, whyNot } from "./words";

const KINDS = ["order", "invoice", "payment", "return", "cancellation"];

export default function Credit() {
  const session = useSession();
  const currency = useCurrency();
  const search = useAllSearch();
  const change = useChangeSearch();
  const [on, setOn] = useState(search.on ?? session.today);
  const [amount, setAmount] = useState(search.amount ?? "");
  const [account, setAccount] = useState(search.account ?? "");
  const [product, setProduct] = useState(search.product ?? "");
  const [owner, setOwner] = useState(search.owner ?? "");
  const [kind, setKind] = useState(search.kind ?? "order");
  const [about, setAbout] = useState(search.about ?? "");
  const value = typed(amount);
  const wrong = amount.trim() !== "" && value === null;
  const ask = useWrite((given: CreditPreviewAsked) => api.post<CreditPreview>("/credit-preview", given));
  const send = () => {
    if (value === null || on === "") return;
    change({ on, amount: value, account: account.trim(), product: product.trim(), owner: owner.trim(), kind: kind === "order" ? undefined : kind, about: about.trim() });
    ask.mutate({
      on,
      amount: value,
      ...(kind === "order" ? {} : { kind }),
      ...(account.trim() ? { account_id: account.trim() } : {}),
      ...(product.trim() ? { product_id: product.trim() } : {}),
      ...(owner.trim() ? { payee_id: owner.trim() } : {}),
      ...(about.trim() ? { about: about.trim() } : {}),
    });
  };
  return (
    <Screen title="Who would get credit?" lead="Suppose a deal. The company's own rules answer who is credited, and why others are not. Nothing is stored.">
      <div className="grid items-start gap-4 lg:grid-cols-[20rem_1fr]">
        <Card title="The deal">
          <form
            className="flex flex-col gap-3.5"
            onSubmit={(event) => {
              event.preventDefault();
              send();
            }}
          >
            <TextField label={`Amount${currency ? ` (${currency})` : ""}`} inputMode="decimal" required error={wrong ? "Write an amount such as 48,000." : null} value={amount} onChange={(event) => setAmount(event.target.value)} />
            <TextField label="Day" type="date" required value={on} onChange={(event) => setOn(event.target.value)} />
            <TextField label="Account" hint="Its id. May stay empty." value={account} onChange={(event) => setAccount(event.target.value)} />
            <TextField label="Product" hint="Its id. May stay empty." value={product} onChange={(event) => setProduct(event.target.value)} />
            <PayeeField label="Named on the deal" hint="The seller that the order names, if it does." value={owner} onChange={setOwner} />
            <SelectField label="Kind" value={kind} onChange={(event) => setKind(event.target.value)}>
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {plain(one, true)}
                </option>
              ))}
            </SelectField>
            <PayeeField label="Why not" hint="Somebody of whom you want to know why she gets none." value={about} onChange={setAbout} />
            <FormProblem error={ask.error} />
            <Button type="submit" look="primary" busy={ask.isPending} disabled={value === null || on === ""}>
              Ask the rules
            </Button>
          </form>
        </Card>
        <div aria-live="polite" className="flex min-w-0 flex-col gap-4">
          {ask.isPending ? (
            <Loading />
          ) : ask.data ? (
            <Answer of={ask.data} />
          ) : (
            <div className="card">
              <Empty icon="target" title="Suppose a deal" next="An amount and a day are enough; an account or a product make the answer exact." />
            </div>
          )}
        </div>
      </div>
    </Screen>
  );
}

function Answer({ of: found }: { of: CreditPreview }) {
  const names = new Map([...found.credits, ...found.not_credited].flatMap((one) => (one.payee_id ? [[one.payee_id, one.payee_name] as const] : [])));
  const nameOf = (id: string) => names.get(id) ?? id;
  return (
    <>
      <p className="flex flex-wrap items-center gap-2 text-ink-2">
        <Money amount={found.amount} currency={found.currency} className="font-medium text-ink" />
        {found.period_id ? `counts in ${showPeriod(found.period_id)}` : "would be set aside: no period takes it"}
        {found.territory_id ? `, territory ${found.territory_id}` : ""}
        {found.house ? <Badge tone="warn">the house keeps it</Badge> : null}
        {found.windfall ? <Badge tone="warn">a windfall: somebody looks at it first</Badge> : null}
        {found.complete ? null : <Badge tone="bad">the rules did not answer</Badge>}
      </p>
      <Card flush title="Credited">
        {found.credits.length === 0 ? (
          <p className="px-4 pb-4 text-ink-2 sm:px-5">Nobody.</p>
        ) : (
          <ul className="divide-y divide-line border-t border-line">
            {nearestFirst(found.credits).map((credit, at) => (
              <li key={at} className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-2.5 sm:px-5">
                <span className="min-w-0 flex-1 basis-52">
                  {credit.payee_id ? (
                    <Link className="link font-medium" to="/statements" search={{ payee: credit.payee_id } as never}>
                      {credit.payee_name}
                    </Link>
                  ) : (
                    <span className="text-ink-2">somebody else</span>
                  )}{" "}
                  <Badge>{plain(credit.kind)}</Badge>
                  <span className="block text-[0.87rem] text-ink-2">{credit.via.length > 0 ? credit.via.map((path) => pathWords(path, nameOf)).join("; ") : `rule ${credit.rule}`}</span>
                </span>
                <span className="num text-right">
                  <span className="font-semibold">{money(credit.amount, found.currency)}</span>
                  {compare(credit.share, "1") === 0 ? null : <span className="block text-[0.83rem] text-ink-3">{percent(credit.share, 2)}</span>}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {found.not_credited.length > 0 ? (
        <Card flush title="Not credited">
          <ul className="divide-y divide-line border-t border-line">
            {found.not_credited.map((one, at) => (
              <li key={at} className="px-4 py-2.5 sm:px-5">
                <span className="font-medium">{one.payee_id ? one.payee_name : one.via.position_id ? `Position ${one.via.position_id}` : "Somebody else"}</span>
                <span className="block text-[0.87rem] text-ink-2">
                  {one.why.map(whyNot).join("; ")}
                  <span className="text-ink-3"> · {pathWords(one.via, nameOf)}</span>
                </span>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
      {found.findings.length > 0 ? (
        <Card title="Findings">
          <ul className="flex flex-col gap-1.5">
            {found.findings.map((finding, at) => (
              <li key={at}>
                <Badge tone={finding.severity === "error" ? "bad" : "warn"}>{plain(finding.code)}</Badge> {finding.message}
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
    </>
  );
}
