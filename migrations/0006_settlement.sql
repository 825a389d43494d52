-- What settlement, crediting by hand and plans of the whole company need. Same form as the entities of the foundation.

create table receipts (
    receipt_id text not null,
    transaction_id text not null,
    received_on bigint not null,
    amount bigint not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint receipts_pk primary key (receipt_id, version)
);
create unique index receipts_current on receipts (receipt_id) where superseded_at is null;

create table periods (
    period_id text not null,
    state text not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint periods_pk primary key (period_id, version)
);
create unique index periods_current on periods (period_id) where superseded_at is null;

create table adjustments (
    adjustment_id text not null,
    payee_id text not null,
    period_id text not null,
    amount bigint not null,
    reason text not null,
    note text,
    plan_id text,
    component_id text,
    transaction_id text,
    dispute_id text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint adjustments_pk primary key (adjustment_id, version)
);
create unique index adjustments_current on adjustments (adjustment_id) where superseded_at is null;

create table holds (
    hold_id text not null,
    payee_id text,
    transaction_id text,
    plan_id text,
    component_id text,
    from_on bigint not null,
    until_on bigint,
    share bigint,
    reason text not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint holds_pk primary key (hold_id, version)
);
create unique index holds_current on holds (hold_id) where superseded_at is null;

create table manual_credits (
    credit_id text not null,
    transaction_id text not null,
    payee_id text not null,
    kind text not null,
    mode text not null,
    share bigint not null,
    reason text not null,
    note text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint manual_credits_pk primary key (credit_id, version)
);
create unique index manual_credits_current on manual_credits (credit_id) where superseded_at is null;

create table relationships (
    position_id text not null,
    name text not null,
    payee_id text not null,
    from_on bigint not null,
    until_on bigint,
    share bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint relationships_pk primary key (position_id, name, payee_id, from_on, version)
);
create unique index relationships_current on relationships (position_id, name, payee_id, from_on) where superseded_at is null;

create table teams (
    team_id text not null,
    name text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint teams_pk primary key (team_id, version)
);
create unique index teams_current on teams (team_id) where superseded_at is null;

create table team_members (
    team_id text not null,
    payee_id text not null,
    from_on bigint not null,
    until_on bigint,
    share bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint team_members_pk primary key (team_id, payee_id, from_on, version)
);
create unique index team_members_current on team_members (team_id, payee_id, from_on) where superseded_at is null;

create table objectives (
    payee_id text not null,
    period_id text not null,
    objective_id text not null,
    plan_id text,
    weight bigint not null,
    score bigint,
    text text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint objectives_pk primary key (payee_id, period_id, objective_id, version)
);
create unique index objectives_current on objectives (payee_id, period_id, objective_id) where superseded_at is null;

create table leaves (
    payee_id text not null,
    from_on bigint not null,
    until_on bigint,
    kind text not null,
    quota_relief bigint,
    target_relief bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint leaves_pk primary key (payee_id, from_on, version)
);
create unique index leaves_current on leaves (payee_id, from_on) where superseded_at is null;

create table plan_rules (
    rule_id text not null,
    plan_id text not null,
    position_id text,
    role text,
    team_id text,
    from_on bigint not null,
    until_on bigint,
    target bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint plan_rules_pk primary key (rule_id, version)
);
create unique index plan_rules_current on plan_rules (rule_id) where superseded_at is null;

create table plan_overrides (
    payee_id text not null,
    plan_id text not null,
    path text not null,
    from_on bigint not null,
    until_on bigint,
    value text not null,
    reason text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint plan_overrides_pk primary key (payee_id, plan_id, path, from_on, version)
);
create unique index plan_overrides_current on plan_overrides (payee_id, plan_id, path, from_on) where superseded_at is null;

create table pay_groups (
    pay_group_id text not null,
    name text,
    currency text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint pay_groups_pk primary key (pay_group_id, version)
);
create unique index pay_groups_current on pay_groups (pay_group_id) where superseded_at is null;

create table pay_group_members (
    payee_id text not null,
    from_on bigint not null,
    pay_group_id text not null,
    until_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint pay_group_members_pk primary key (payee_id, from_on, version)
);
create unique index pay_group_members_current on pay_group_members (payee_id, from_on) where superseded_at is null;

create table contracts (
    contract_id text not null,
    account_id text,
    transaction_id text,
    renews_id text,
    start_on bigint not null,
    life_months bigint not null,
    cost bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint contracts_pk primary key (contract_id, version)
);
create unique index contracts_current on contracts (contract_id) where superseded_at is null;

create table contract_events (
    contract_id text not null,
    happened_on bigint not null,
    kind text not null,
    life_months bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint contract_events_pk primary key (contract_id, happened_on, kind, version)
);
create unique index contract_events_current on contract_events (contract_id, happened_on, kind) where superseded_at is null;

-- What became of a period: who brought it from one state to the next, and for a closed one the run whose statements stand.
create table period_events (
    period_id text not null,
    sequence bigint not null,
    from_state text not null,
    to_state text not null,
    run_id text,
    actor text not null,
    reason text not null,
    recorded_at bigint not null,
    constraint period_events_pk primary key (period_id, sequence)
);

-- only postgres
-- A posting counts in `period_id`; `origin_period_id` is the period whose result it corrects, which is another one where that is closed.
alter table postings add column origin_period_id text;
alter table postings disable trigger postings_keep;
update postings set origin_period_id = period_id;
alter table postings enable trigger postings_keep;
alter table postings alter column origin_period_id set not null;
alter table postings drop constraint postings_once;
alter table postings add constraint postings_once
    unique (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision);

-- only sqlite
drop trigger postings_no_update;
drop trigger postings_no_delete;
create table postings_new (
    run_id text not null,
    payee_id text not null,
    period_id text not null,
    origin_period_id text not null,
    plan_id text not null,
    component_id text not null,
    account text not null,
    revision bigint not null,
    amount bigint not null,
    recorded_at bigint not null,
    constraint postings_once unique (payee_id, period_id, origin_period_id, plan_id, component_id, account, revision),
    constraint postings_run foreign key (run_id) references runs (run_id)
);
insert into postings_new select run_id, payee_id, period_id, period_id, plan_id, component_id, account, revision, amount, recorded_at from postings;
drop table postings;
alter table postings_new rename to postings;
create index postings_of_run on postings (run_id);
create trigger postings_no_update before update on postings begin
    select raise(abort, 'rows of `postings` are only ever added');
end;
create trigger postings_no_delete before delete on postings begin
    select raise(abort, 'rows of `postings` are only ever added');
end;
create trigger postings_period_closed before insert on postings
when exists (select 1 from periods where period_id = new.period_id and state in ('approved', 'closed') and superseded_at is null) begin
    select raise(abort, 'the period is closed: nothing is posted to it any more');
end;

-- only postgres
create function refuse_closed() returns trigger language plpgsql as $$
begin
    if exists (select 1 from periods where period_id = new.period_id and state in ('approved', 'closed') and superseded_at is null) then
        raise exception 'period `%` is closed: nothing is posted to it any more', new.period_id;
    end if;
    return new;
end
$$;
create trigger postings_period_closed before insert on postings for each row execute function refuse_closed();
