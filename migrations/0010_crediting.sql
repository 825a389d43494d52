-- Who owned a deal in which of its stages. Same form as the entities of the foundation.

create table transaction_stages (
    transaction_id text not null,
    stage text not null,
    entered_on bigint not null,
    payee_id text not null,
    version bigint not null,
    source text not null,
    batch_id bigint,
    recorded_at bigint not null,
    superseded_at bigint,
    constraint transaction_stages_pk primary key (transaction_id, stage, version)
);
create unique index transaction_stages_current on transaction_stages (transaction_id, stage) where superseded_at is null;
