-- Schedules and jobs, and what is kept of runs beside their results.

-- A schedule makes a job at each slot of its pattern. One that was removed stays for its history, with `removed_at`.
create table schedules (
    schedule_id text not null,
    kind text not null,
    cron text not null,
    zone text not null,
    payload text not null,
    lane text,
    paused bigint not null,
    next_at bigint not null,
    version bigint not null,
    created_by text not null,
    created_at bigint not null,
    removed_at bigint,
    constraint schedules_pk primary key (schedule_id),
    constraint schedules_paused_flag check (paused in (0, 1))
);

-- `fence` grows each time somebody takes the job: what an earlier holder still wants to write is refused by it. While one
-- with a `unique_key` waits, another one with it is not taken in; of one `lane` only one runs at a time.
create table jobs (
    job_id text not null,
    kind text not null,
    payload text not null,
    unique_key text,
    lane text,
    state text not null,
    attempt bigint not null,
    attempts_max bigint not null,
    fence bigint not null,
    scheduled_for bigint not null,
    run_at bigint not null,
    requested_by text not null,
    schedule_id text,
    slot_at bigint,
    node text,
    lease_until bigint,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint,
    outcome text,
    error text,
    progress_stage text,
    progress_done bigint,
    progress_stages bigint,
    constraint jobs_pk primary key (job_id),
    constraint jobs_schedule foreign key (schedule_id) references schedules (schedule_id),
    constraint jobs_once_a_slot unique (schedule_id, slot_at),
    constraint jobs_state check (state in ('waiting', 'running', 'done', 'failed')),
    constraint jobs_leased check ((state = 'running') = (lease_until is not null))
);
create unique index jobs_one_waiting on jobs (unique_key) where state = 'waiting' and unique_key is not null;
create unique index jobs_one_running on jobs (lane) where state = 'running' and lane is not null;
create index jobs_by_state on jobs (state, run_at);

-- What is told of a run but is no part of its hash.
create table run_facts (
    run_id text not null,
    trigger_kind text not null,
    job_id text,
    requested_by text not null,
    earned bigint not null,
    posted_count bigint not null,
    finding_count bigint not null,
    constraint run_facts_pk primary key (run_id),
    constraint run_facts_run foreign key (run_id) references runs (run_id)
);

create table run_stages (
    run_id text not null,
    position bigint not null,
    name text not null,
    millis bigint not null,
    constraint run_stages_pk primary key (run_id, position),
    constraint run_stages_run foreign key (run_id) references runs (run_id)
);

-- What each extension was asked in a run, and what it used.
create table run_extensions (
    run_id text not null,
    point text not null,
    name text not null,
    digest text not null,
    calls bigint not null,
    fuel bigint not null,
    constraint run_extensions_pk primary key (run_id, point, name),
    constraint run_extensions_run foreign key (run_id) references runs (run_id)
);

-- A run whose statements were published. The first publication of a run is the one that counts.
create table publications (
    run_id text not null,
    published_at bigint not null,
    published_by text not null,
    constraint publications_pk primary key (run_id),
    constraint publications_run foreign key (run_id) references runs (run_id)
);
