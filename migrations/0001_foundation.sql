-- The record of Attain, version 1. The same text runs on SQLite and PostgreSQL: columns are bigint, text and blob only.
-- Instants (`_at`) are unix milliseconds, days (`_on`) days since 1970-01-01, amounts integers of 10^-4, rates of 10^-8.
-- Paragraphs are parted by blank lines; one that begins with `-- only sqlite` or `-- only postgres` runs there alone.

-- only postgres
create domain blob as bytea;

-- Entities, one table each, columns as in the schema list. A row is one version of a record: `version` counts the writes
-- to the table, the current version has no `superseded_at`, and a removed record has no current version.

create table payees (
    payee_id text not null,
    kind text,
    hired_on bigint,
    left_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint payees_pk primary key (payee_id, version)
);
create unique index payees_current on payees (payee_id) where superseded_at is null;

create table people (
    payee_id text not null,
    name text not null,
    email text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint people_pk primary key (payee_id, version)
);
create unique index people_current on people (payee_id) where superseded_at is null;

create table positions (
    position_id text not null,
    title text,
    role text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint positions_pk primary key (position_id, version)
);
create unique index positions_current on positions (position_id) where superseded_at is null;

create table occupancies (
    position_id text not null,
    payee_id text not null,
    from_on bigint not null,
    until_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint occupancies_pk primary key (position_id, payee_id, from_on, version)
);
create unique index occupancies_current on occupancies (position_id, payee_id, from_on) where superseded_at is null;

create table hierarchy (
    position_id text not null,
    from_on bigint not null,
    manager_position_id text not null,
    until_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint hierarchy_pk primary key (position_id, from_on, version)
);
create unique index hierarchy_current on hierarchy (position_id, from_on) where superseded_at is null;

create table families (
    family_id text not null,
    parent_id text,
    name text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint families_pk primary key (family_id, version)
);
create unique index families_current on families (family_id) where superseded_at is null;

create table products (
    product_id text not null,
    name text,
    family_id text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint products_pk primary key (product_id, version)
);
create unique index products_current on products (product_id) where superseded_at is null;

create table territories (
    territory_id text not null,
    parent_id text,
    name text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint territories_pk primary key (territory_id, version)
);
create unique index territories_current on territories (territory_id) where superseded_at is null;

create table accounts (
    account_id text not null,
    name text,
    industry text,
    segment text,
    country text,
    state text,
    city text,
    postal_code text,
    latitude bigint,
    longitude bigint,
    potential bigint,
    workload bigint,
    locked bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint accounts_pk primary key (account_id, version)
);
create unique index accounts_current on accounts (account_id) where superseded_at is null;

create table account_attributes (
    account_id text not null,
    name text not null,
    value text not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint account_attributes_pk primary key (account_id, name, version)
);
create unique index account_attributes_current on account_attributes (account_id, name) where superseded_at is null;

create table account_territories (
    account_id text not null,
    from_on bigint not null,
    territory_id text not null,
    until_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint account_territories_pk primary key (account_id, from_on, version)
);
create unique index account_territories_current on account_territories (account_id, from_on) where superseded_at is null;

create table coverage (
    coverage_id text not null,
    position_id text not null,
    role text not null,
    territory_id text,
    account_id text,
    family_id text,
    from_on bigint not null,
    until_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint coverage_pk primary key (coverage_id, version)
);
create unique index coverage_current on coverage (coverage_id) where superseded_at is null;

create table fx_rates (
    kind text not null,
    currency text not null,
    from_on bigint not null,
    rate bigint not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint fx_rates_pk primary key (kind, currency, from_on, version)
);
create unique index fx_rates_current on fx_rates (kind, currency, from_on) where superseded_at is null;

create table transactions (
    transaction_id text not null,
    kind text not null,
    ordered_on bigint not null,
    booked_on bigint,
    invoiced_on bigint,
    paid_on bigint,
    received_on bigint,
    account_id text,
    product_id text,
    amount bigint not null,
    currency text not null,
    quantity bigint,
    cost bigint,
    discount bigint,
    payee_id text,
    tag text,
    reverses_id text,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint transactions_pk primary key (transaction_id, version)
);
create unique index transactions_current on transactions (transaction_id) where superseded_at is null;

create table splits (
    transaction_id text not null,
    payee_id text not null,
    share bigint not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint splits_pk primary key (transaction_id, payee_id, version)
);
create unique index splits_current on splits (transaction_id, payee_id) where superseded_at is null;

create table quotas (
    payee_id text not null,
    measure_id text not null,
    period_id text not null,
    amount bigint not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint quotas_pk primary key (payee_id, measure_id, period_id, version)
);
create unique index quotas_current on quotas (payee_id, measure_id, period_id) where superseded_at is null;

create table plan_assignments (
    payee_id text not null,
    plan_id text not null,
    from_on bigint not null,
    until_on bigint,
    target bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint plan_assignments_pk primary key (payee_id, plan_id, from_on, version)
);
create unique index plan_assignments_current on plan_assignments (payee_id, plan_id, from_on) where superseded_at is null;

create table parameters (
    payee_id text not null,
    plan_id text not null,
    name text not null,
    from_on bigint not null,
    until_on bigint,
    value bigint not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint parameters_pk primary key (payee_id, plan_id, name, from_on, version)
);
create unique index parameters_current on parameters (payee_id, plan_id, name, from_on) where superseded_at is null;

create table opportunities (
    opportunity_id text not null,
    account_id text,
    payee_id text,
    product_id text,
    stage text not null,
    outcome text not null,
    amount bigint not null,
    currency text not null,
    created_on bigint not null,
    close_on bigint,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint opportunities_pk primary key (opportunity_id, version)
);
create unique index opportunities_current on opportunities (opportunity_id) where superseded_at is null;

create table stage_history (
    opportunity_id text not null,
    entered_on bigint not null,
    stage text not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint stage_history_pk primary key (opportunity_id, entered_on, stage, version)
);
create unique index stage_history_current on stage_history (opportunity_id, entered_on, stage) where superseded_at is null;

-- Texts of a company that are kept whole, by their path in the company folder: settings, plans, scripts, cases, expected
-- results. The current one has no `superseded_at`; runs pin older ones by digest.
create table documents (
    path text not null,
    version bigint not null,
    digest text not null,
    body text not null,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint documents_pk primary key (path, version)
);
create unique index documents_current on documents (path) where superseded_at is null;
create index documents_digest on documents (digest);

create table import_batches (
    batch_id bigint not null,
    source text not null,
    entity text not null,
    digest text not null,
    inserted_count bigint not null,
    changed_count bigint not null,
    removed_count bigint not null,
    unchanged_count bigint not null,
    totals text not null,
    recorded_at bigint not null,
    constraint import_batches_pk primary key (batch_id)
);
create index import_batches_digest on import_batches (source, entity, digest);

create table extension_blobs (
    digest text not null,
    body blob not null,
    constraint extension_blobs_pk primary key (digest)
);

create table extensions (
    name text not null,
    point text not null,
    digest text not null,
    origin text not null,
    version text not null,
    manifest text not null,
    active bigint not null,
    installed_at bigint not null,
    constraint extensions_pk primary key (name, digest),
    constraint extensions_blob foreign key (digest) references extension_blobs (digest),
    constraint extensions_active_flag check (active in (0, 1))
);
create unique index extensions_one_active on extensions (name) where active = 1;

create table extension_grants (
    name text not null,
    capability text not null,
    subject text not null,
    granted_by text not null,
    granted_at bigint not null,
    constraint extension_grants_pk primary key (name, capability, subject)
);

-- Columnar chunks by the digest of their canonical form. `body` is Arrow IPC, compressed; `body_digest` is over these bytes.
create table chunks (
    digest text not null,
    format bigint not null,
    row_count bigint not null,
    body_digest text not null,
    body blob not null,
    constraint chunks_pk primary key (digest)
);

-- only postgres
-- They are compressed already.
alter table chunks alter column body set storage external;
alter table extension_blobs alter column body set storage external;

-- One calculation. `root` is the hash of the manifest; `run_id` tells two runs with one root apart.
create table runs (
    run_id text not null,
    root text not null,
    status text not null,
    manifest text not null,
    engine_version text not null,
    note text not null,
    created_at bigint not null,
    constraint runs_pk primary key (run_id),
    constraint runs_status check (status in ('complete', 'incomplete'))
);
create index runs_root on runs (root);

-- Every chunk of a run, inputs as `input/<entity>`, in the order of the manifest. Where the rows of the table are sorted by payee, the chunk's first and
-- last payee say which chunks a statement reads.
create table run_chunks (
    run_id text not null,
    table_name text not null,
    position bigint not null,
    digest text not null,
    first_payee_id text,
    last_payee_id text,
    constraint run_chunks_pk primary key (run_id, table_name, position),
    constraint run_chunks_run foreign key (run_id) references runs (run_id),
    constraint run_chunks_chunk foreign key (digest) references chunks (digest)
);

create table run_findings (
    run_id text not null,
    position bigint not null,
    severity text not null,
    code text not null,
    entity text not null,
    record text not null,
    message text not null,
    constraint run_findings_pk primary key (run_id, position),
    constraint run_findings_run foreign key (run_id) references runs (run_id)
);

-- The pay ledger: rows are added, never changed. A later revision holds the difference to what was posted before.
create table postings (
    run_id text not null,
    payee_id text not null,
    period_id text not null,
    plan_id text not null,
    component_id text not null,
    account text not null,
    revision bigint not null,
    amount bigint not null,
    recorded_at bigint not null,
    constraint postings_once unique (payee_id, period_id, plan_id, component_id, account, revision),
    constraint postings_run foreign key (run_id) references runs (run_id)
);
create index postings_of_run on postings (run_id);

-- The trail: `body` holds the canonical bytes that are hashed; the other columns repeat what is in it, to be searched.
create table audit_entries (
    sequence bigint not null,
    actor text not null,
    action text not null,
    object text not null,
    before_state text,
    after_state text,
    reason text not null,
    recorded_at bigint not null,
    body blob not null,
    hash blob not null,
    constraint audit_entries_pk primary key (sequence)
);
create index audit_entries_object on audit_entries (object);

-- Signed statements of the trail's size and Merkle root; each is also in the anchor file outside the database.
create table audit_checkpoints (
    size bigint not null,
    root blob not null,
    recorded_at bigint not null,
    key_id text not null,
    signature blob not null,
    constraint audit_checkpoints_pk primary key (size)
);

-- only postgres
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of `%` are only ever added', tg_table_name;
end
$$;

-- only postgres
create trigger postings_keep before update or delete on postings for each row execute function refuse_change();
create trigger postings_keep_all before truncate on postings for each statement execute function refuse_change();

-- only sqlite
create trigger postings_no_update before update on postings begin
    select raise(abort, 'rows of `postings` are only ever added');
end;
create trigger postings_no_delete before delete on postings begin
    select raise(abort, 'rows of `postings` are only ever added');
end;

-- only postgres
create trigger audit_entries_keep before update or delete on audit_entries for each row execute function refuse_change();
create trigger audit_entries_keep_all before truncate on audit_entries for each statement execute function refuse_change();

-- only sqlite
create trigger audit_entries_no_update before update on audit_entries begin
    select raise(abort, 'rows of `audit_entries` are only ever added');
end;
create trigger audit_entries_no_delete before delete on audit_entries begin
    select raise(abort, 'rows of `audit_entries` are only ever added');
end;

-- only postgres
create trigger audit_checkpoints_keep before update or delete on audit_checkpoints for each row execute function refuse_change();
create trigger audit_checkpoints_keep_all before truncate on audit_checkpoints for each statement execute function refuse_change();

-- only sqlite
create trigger audit_checkpoints_no_update before update on audit_checkpoints begin
    select raise(abort, 'rows of `audit_checkpoints` are only ever added');
end;
create trigger audit_checkpoints_no_delete before delete on audit_checkpoints begin
    select raise(abort, 'rows of `audit_checkpoints` are only ever added');
end;
