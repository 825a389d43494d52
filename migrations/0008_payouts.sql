-- Payouts: which postings are paid together, what each payee gets for them, the file that told payroll, and what came back.

create table payout_batches (
    batch_id text not null,
    pay_group_id text not null,
    period_id text not null,
    pay_on bigint not null,
    state text not null,
    -- What is paid in, and what the ledger is kept in.
    currency text not null,
    company_currency text not null,
    -- Hash of the lines and of the postings behind them: what is approved.
    content_hash text not null,
    version bigint not null,
    made_by text not null,
    made_at bigint not null,
    reviewed_by text,
    reviewed_at bigint,
    approved_by text,
    approved_at bigint,
    exported_by text,
    exported_at bigint,
    paid_by text,
    paid_at bigint,
    -- The day and the reference of the payment, as the bank says.
    paid_on bigint,
    reference text,
    constraint payout_batches_pk primary key (batch_id),
    constraint payout_batches_state check (state in ('draft', 'reviewed', 'approved', 'exported', 'paid', 'cancelled')),
    constraint payout_batches_approved check (state not in ('approved', 'exported', 'paid') or approved_by is not null),
    constraint payout_batches_paid check (state <> 'paid' or (paid_on is not null and reference is not null))
);

-- Everybody who had a hand in a batch, what for, and the payee whom she was then.
create table payout_hands (
    batch_id text not null,
    sequence bigint not null,
    user_id text not null,
    payee_id text,
    action text not null,
    note text not null,
    recorded_at bigint not null,
    constraint payout_hands_pk primary key (batch_id, sequence),
    constraint payout_hands_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- Postings whose payment came back from the bank: they are due again. Rows are added, never changed.
create table payout_releases (
    payee_id text not null,
    period_id text not null,
    origin_period_id text not null,
    plan_id text not null,
    component_id text not null,
    account text not null,
    revision bigint not null,
    attempt bigint not null,
    batch_id text not null,
    constraint payout_releases_pk primary key (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt),
    constraint payout_releases_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- The claims: a posting is in one batch. It is in another only as a further attempt, after the one before came back. A cancelled
-- draft gives its claims back by deleting them.
create table payout_items (
    batch_id text not null,
    run_id text not null,
    payee_id text not null,
    period_id text not null,
    origin_period_id text not null,
    plan_id text not null,
    component_id text not null,
    account text not null,
    revision bigint not null,
    attempt bigint not null,
    released_attempt bigint,
    amount bigint not null,
    constraint payout_items_once unique (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt),
    constraint payout_items_attempt check (
        (attempt = 1 and released_attempt is null) or (attempt > 1 and released_attempt is not null and released_attempt = attempt - 1)
    ),
    constraint payout_items_released
        foreign key (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, released_attempt)
        references payout_releases (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision, attempt),
    constraint payout_items_batch foreign key (batch_id) references payout_batches (batch_id)
);
create index payout_items_of_batch on payout_items (batch_id);

-- What each payee gets. `company_amount` is the sum of her claims, `left_amount` what is due to her and not in the batch.
create table payout_lines (
    batch_id text not null,
    payee_id text not null,
    state text not null,
    company_amount bigint not null,
    left_amount bigint not null,
    amount bigint not null,
    -- At 8 digits: what rounding to the digits of the currency left.
    residue bigint not null,
    -- `company_amount` before the last refresh that changed it.
    before_amount bigint,
    flags text not null,
    reference text not null,
    constraint payout_lines_pk primary key (batch_id, payee_id),
    constraint payout_lines_state check (state in ('due', 'left', 'excluded')),
    constraint payout_lines_amount check ((state = 'due') = (amount > 0)),
    constraint payout_lines_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- The parts of a line that were converted at a rate of their own.
create table payout_parts (
    batch_id text not null,
    payee_id text not null,
    position bigint not null,
    plan_id text not null,
    component_id text not null,
    policy text not null,
    rate_on bigint not null,
    quote text not null,
    rate bigint not null,
    company_amount bigint not null,
    -- At 8 digits.
    converted bigint not null,
    constraint payout_parts_pk primary key (batch_id, payee_id, position),
    constraint payout_parts_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- The rates of a batch as they were when they were first needed.
create table payout_rates (
    batch_id text not null,
    kind text not null,
    rate_on bigint not null,
    quote text not null,
    rate bigint not null,
    constraint payout_rates_pk primary key (batch_id, kind, rate_on),
    constraint payout_rates_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- What a reviewer said about a payee of a batch.
create table payout_marks (
    batch_id text not null,
    payee_id text not null,
    kind text not null,
    reason text not null,
    actor text not null,
    recorded_at bigint not null,
    constraint payout_marks_pk primary key (batch_id, payee_id),
    constraint payout_marks_kind check (kind in ('excluded', 'disputed', 'on-hold')),
    constraint payout_marks_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- The file that payroll got, made once.
create table payout_files (
    batch_id text not null,
    name text not null,
    sha256 text not null,
    mapping text not null,
    mapping_digest text not null,
    body blob not null,
    recorded_at bigint not null,
    constraint payout_files_pk primary key (batch_id),
    constraint payout_files_batch foreign key (batch_id) references payout_batches (batch_id)
);

-- Payments that came back.
create table payout_returns (
    batch_id text not null,
    payee_id text not null,
    returned_on bigint not null,
    reason text not null,
    actor text not null,
    recorded_at bigint not null,
    constraint payout_returns_pk primary key (batch_id, payee_id),
    constraint payout_returns_line foreign key (batch_id, payee_id) references payout_lines (batch_id, payee_id)
);

-- only postgres
create trigger payout_files_keep before update or delete on payout_files for each row execute function refuse_change();
create trigger payout_returns_keep before update or delete on payout_returns for each row execute function refuse_change();
create trigger payout_releases_keep before update or delete on payout_releases for each row execute function refuse_change();
create trigger payout_hands_keep before update or delete on payout_hands for each row execute function refuse_change();

-- only postgres
create function refuse_exported_payout() returns trigger language plpgsql as $$
declare own text;
begin
    if tg_op = 'INSERT' then own := new.batch_id; else own := old.batch_id; end if;
    if exists (select 1 from payout_batches where batch_id = own and state in ('exported', 'paid')) then
        raise exception 'payout `%` is exported: its rows are kept as they are', own;
    end if;
    if tg_op = 'DELETE' then return old; end if;
    return new;
end
$$;
create trigger payout_items_exported before insert or update or delete on payout_items
    for each row execute function refuse_exported_payout();
create trigger payout_lines_exported before insert or update or delete on payout_lines
    for each row execute function refuse_exported_payout();
create trigger payout_parts_exported before insert or update or delete on payout_parts
    for each row execute function refuse_exported_payout();

-- only postgres
create function refuse_payout_back() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'payout `%` is kept', old.batch_id;
    end if;
    if old.state in ('paid', 'cancelled') or (old.state = 'exported' and new.state <> 'paid') or new.batch_id <> old.batch_id then
        raise exception 'payout `%` is %: it does not go back', old.batch_id, old.state;
    end if;
    return new;
end
$$;
create trigger payout_batches_keep before update or delete on payout_batches for each row execute function refuse_payout_back();

-- only sqlite
create trigger payout_files_no_update before update on payout_files begin
    select raise(abort, 'rows of `payout_files` are only ever added');
end;
create trigger payout_files_no_delete before delete on payout_files begin
    select raise(abort, 'rows of `payout_files` are only ever added');
end;
create trigger payout_returns_no_update before update on payout_returns begin
    select raise(abort, 'rows of `payout_returns` are only ever added');
end;
create trigger payout_returns_no_delete before delete on payout_returns begin
    select raise(abort, 'rows of `payout_returns` are only ever added');
end;
create trigger payout_releases_no_update before update on payout_releases begin
    select raise(abort, 'rows of `payout_releases` are only ever added');
end;
create trigger payout_releases_no_delete before delete on payout_releases begin
    select raise(abort, 'rows of `payout_releases` are only ever added');
end;
create trigger payout_hands_no_update before update on payout_hands begin
    select raise(abort, 'rows of `payout_hands` are only ever added');
end;
create trigger payout_hands_no_delete before delete on payout_hands begin
    select raise(abort, 'rows of `payout_hands` are only ever added');
end;

-- only sqlite
create trigger payout_items_no_insert before insert on payout_items
when exists (select 1 from payout_batches where batch_id = new.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_items_no_update before update on payout_items
when exists (select 1 from payout_batches where batch_id = old.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_items_no_delete before delete on payout_items
when exists (select 1 from payout_batches where batch_id = old.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_lines_no_insert before insert on payout_lines
when exists (select 1 from payout_batches where batch_id = new.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_lines_no_update before update on payout_lines
when exists (select 1 from payout_batches where batch_id = old.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_lines_no_delete before delete on payout_lines
when exists (select 1 from payout_batches where batch_id = old.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_parts_no_update before update on payout_parts
when exists (select 1 from payout_batches where batch_id = old.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;
create trigger payout_parts_no_delete before delete on payout_parts
when exists (select 1 from payout_batches where batch_id = old.batch_id and state in ('exported', 'paid')) begin
    select raise(abort, 'the payout is exported: its rows are kept as they are');
end;

-- only sqlite
create trigger payout_batches_no_delete before delete on payout_batches begin
    select raise(abort, 'payouts are kept');
end;
create trigger payout_batches_no_way_back before update on payout_batches
when old.state in ('paid', 'cancelled') or (old.state = 'exported' and new.state <> 'paid') or new.batch_id <> old.batch_id begin
    select raise(abort, 'the payout does not go back');
end;
