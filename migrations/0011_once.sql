-- Whether what a request makes is committed, and which attempt may commit it.
alter table idempotency_keys add column effect bigint not null default 0;
alter table idempotency_keys add column claim text not null default '';
